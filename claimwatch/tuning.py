"""What other thresholds would have done, by the team's own decisions. Figures carry 95% intervals.

Precision at or above the present threshold is told by decisions on flagged cards. Anything below it, and recall, is
told by the cards drawn by lot from what no model flagged, each speaking for the inverse of its share. The intervals are
Wilson's (1927), on the effective number of decisions (Kish 1965) where these weigh differently; recall joins the
intervals of what is caught and of what is missed at their worst ends, so it is rather too wide than too narrow.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

from claimwatch.clock import local_day, week_before, week_of
from claimwatch.desk import Desk
from claimwatch.ledger import audits, decisions, scores
from claimwatch.ledger.audits import Audit
from claimwatch.ledger.decisions import SETTLING
from claimwatch.ledger.scores import STEPS, WeekScores, step_of, weights_of
from claimwatch.records import Action, CardState, Decision

#: Fewer decisions than this say little.
ENOUGH = 50
_WEEKS = 4
#: The newest decisions that are looked at; older ones were made with models long gone.
_DECISIONS = 20_000
_Z = 1.959964
_POSITIVE = frozenset({Action.REPEATS, Action.NEW_CLAIM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share with its 95% interval, and how many decisions it rests on."""

    value: float
    low: float
    high: float
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one threshold would have done."""

    threshold: float
    precision: Share | None  #: None where no decision tells
    recall: Share | None
    queue: float | None  #: texts a week, before copies are folded; None where no week was counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Every threshold, for one language or for all."""

    language: str  #: "" for all
    decided: int  #: flagged cards
    drawn: int  #: decided cards that were drawn by lot
    points: tuple[Point, ...]

    @property
    def says_little(self) -> bool:
        """Whether there are too few decisions to go by."""
        return self.decided + self.drawn < ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The thresholds of the model that the newest decisions were made with."""

    model: str
    threshold: float | None  #: the present one
    curves: tuple[Curve, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)  #: decisions that tell nothing here, by reason
    waiting: tuple[str, ...] = ()  #: cards drawn by lot that nobody decided yet
    weeks: tuple[str, ...] = ()  #: that the queue's size is the mean of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One decision as a threshold meets it."""

    language: str
    p_false: float
    positive: bool
    weight: float
    drawn: bool
    hinges: bool  #: a low enough threshold flags it

    def is_flagged(self, threshold: float) -> bool:
        return self.hinges and self.p_false >= threshold


def tune(desk: Desk) -> Tuning:
    """Every threshold in steps of .05, and the present one, over all languages and for each."""
    with desk.ledger.read() as db:
        made, lots = decisions.recent(db, _DECISIONS)[::-1], audits.every(db)
        weeks = _weeks(desk, [scores.of_week(db, week) for week in _last_weeks(desk)])
    standing = _standing(made)
    if not standing:
        return Tuning(model=weeks[0].model if weeks else "", threshold=weeks[0].threshold if weeks else None)
    model = weights_of(standing[-1].model)
    weeks = [week for week in weeks if week.model == model]
    told = [one for one in standing if weights_of(one.model) == model and one.p_false is not None]
    useful = [one for one in told if one.flag or one.card in lots]
    open_lots = sorted(set(lots) - {one.card for one in standing})
    judged = _judged(useful, lots, open_flagged=max(0, desk.posts.count_cards()[CardState.OPEN] - len(open_lots)))
    flagged = [one.p_false for one in judged if not one.drawn]
    threshold = weeks[0].threshold if weeks else min(flagged, default=None)
    languages = ["", *sorted({one.language for one in judged})]
    return Tuning(
        model=model,
        threshold=threshold,
        curves=tuple(_curve(language, judged, weeks, threshold or 0.0) for language in languages),
        left_out={"other_model": len(standing) - len(told), "not_flagged": len(told) - len(useful)},
        waiting=tuple(open_lots),
        weeks=tuple(week.week for week in weeks),
    )


def wilson(part: float, whole: float) -> tuple[float, float]:
    """The 95% interval of a share after Wilson (1927); everything is possible where nothing was seen."""
    if whole <= 0:
        return 0.0, 1.0
    share, z2 = part / whole, _Z**2
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = _Z * sqrt(share * (1 - share) / whole + z2 / (4 * whole**2)) / (1 + z2 / whole)
    return max(0.0, middle - half), min(1.0, middle + half)


def _last_weeks(desk: Desk) -> list[str]:
    week = week_of(local_day(desk.now(), desk.settings.zone))
    weeks = [week]
    for _ in range(_WEEKS):
        weeks.append(week_before(weeks[-1]))
    return weeks


def _weeks(desk: Desk, found: Sequence[Sequence[WeekScores]]) -> list[WeekScores]:
    """The main model of each week, newest first; the week that still runs only where no other was counted."""
    kept = [week[0] for week in found if week]
    running = week_of(local_day(desk.now(), desk.settings.zone))
    return [week for week in kept if week.week != running] or kept


def _standing(made: Sequence[Decision]) -> list[Decision]:
    """The newest decision of each text that was not undone, oldest first."""
    taken_back = {one.undoes for one in made}
    newest = {one.text_hash: one for one in made if one.action in SETTLING and one.id not in taken_back}
    return sorted(newest.values(), key=lambda one: one.id)


def _judged(useful: Sequence[Decision], lots: Mapping[str, Audit], *, open_flagged: int) -> list[_Judged]:
    """Decisions with their weights: one speaks for those of its kind that nobody decided yet, too."""
    decided = {one.card for one in useful}
    flagged = sum(one.card not in lots for one in useful)
    drawn = sum(card in decided for card in lots)
    each_flagged = 1 + open_flagged / flagged if flagged else 1.0
    each_drawn = len(lots) / drawn if drawn else 1.0
    return [
        _Judged(
            language=one.language,
            p_false=float(one.p_false or 0.0),
            positive=one.action in _POSITIVE,
            weight=each_drawn / lot.share if (lot := lots.get(one.card)) else each_flagged,
            drawn=one.card in lots,
            hinges=lot.hinges if lot else True,
        )
        for one in useful
    ]


def _curve(language: str, judged: Sequence[_Judged], weeks: Sequence[WeekScores], present: float) -> Curve:
    own = [one for one in judged if language in {"", one.language}]
    drawn = [one for one in own if one.drawn]
    bins = _queue_bins(language, weeks)
    points = tuple(
        Point(
            threshold=at,
            precision=_precision(own, at, present),
            recall=_recall(own, at),
            queue=_above(bins, at) / len(weeks) if weeks else None,
        )
        for at in sorted({present or 0.5, *(step / STEPS for step in range(1, STEPS))})
    )
    return Curve(language=language, decided=len(own) - len(drawn), drawn=len(drawn), points=points)


def _queue_bins(language: str, weeks: Sequence[WeekScores]) -> list[int]:
    rows = [row for week in weeks for name, row in week.hinging.items() if language in {"", name}]
    return [sum(row[step] for row in rows) for step in range(STEPS)]


def _above(bins: Sequence[int], threshold: float) -> float:
    """Texts from this threshold on, as if those of its own step lay evenly in it."""
    step = step_of(threshold)
    return sum(bins[step + 1 :]) + bins[step] * (step + 1 - threshold * STEPS)


def _precision(own: Sequence[_Judged], threshold: float, present: float) -> Share | None:
    """Below the present threshold only where some drawn card tells of what lies between."""
    flagged = [one for one in own if one.is_flagged(threshold)]
    if not flagged or (threshold < present and not any(one.drawn for one in own)):
        return None
    return _share(flagged, [one for one in flagged if one.positive])


def _recall(own: Sequence[_Judged], threshold: float) -> Share | None:
    """Of what repeats a claim, the share that this threshold flags; None while nothing was drawn by lot."""
    flagged, drawn = ([one for one in own if one.drawn is by_lot] for by_lot in (False, True))
    positives = sum(one.positive for one in own)
    if not drawn or not positives:
        return None
    caught, missed = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    for stratum in (part for part in (flagged, drawn) if part):
        whole = sum(one.weight for one in stratum)
        for total, wanted in ((caught, True), (missed, False)):
            if not any(one.is_flagged(threshold) is wanted for one in stratum):
                continue  # the threshold takes all of them, or none: that is known, not estimated
            found = _share(stratum, [one for one in stratum if one.positive and one.is_flagged(threshold) is wanted])
            for place, share in enumerate((found.value, found.low, found.high)):
                total[place] += whole * share
    value, low, high = _part(caught[0], missed[0]), _part(caught[1], missed[2]), _part(caught[2], missed[1])
    return Share(value=value, low=min(low, value), high=max(high, value), of=positives)


def _part(caught: float, missed: float) -> float:
    return caught / (caught + missed) if caught + missed else 0.0


def _share(whole: Sequence[_Judged], part: Sequence[_Judged]) -> Share:
    """The weighted share with the interval of so many decisions as weigh alike."""
    every, some = _weight(whole), _weight(part)
    effective = every**2 / sum(one.weight**2 for one in whole)
    low, high = wilson(some / every * effective, effective)
    return Share(value=some / every, low=low, high=high, of=len(whole))


def _weight(some: Iterable[_Judged]) -> float:
    return sum(one.weight for one in some)
