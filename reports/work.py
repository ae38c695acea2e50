"""What people did in a week: decisions and responses."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from statistics import median_low

from claimwatch.ledger.decisions import SETTLING, standing_decision
from claimwatch.records import Action, Card, Decision, Response
from reports.numbers import Answers, DecisionCounts, ResponseCounts, Waiting

#: Decisions that agree with a flag.
_AGREEING = frozenset({Action.REPEATS, Action.NEW_CLAIM})
Histories = Mapping[str, Sequence[Decision]]


def decision_counts(made: Sequence[Decision], histories: Histories) -> DecisionCounts:
    """The week's decisions, by action; `histories` holds every decision of their cards up to now."""
    taken_back = {one.undoes for history in histories.values() for one in history}
    settled = _settled(made, histories)
    return DecisionCounts(
        made=_sorted(one.action for one in made),
        undone=_sorted(one.action for one in made if one.id in taken_back),
        settled=len(settled),
        flagged=sum(one.flag for one in settled),
        overturned=sum(one.flag and one.action not in _AGREEING for one in settled),
        missed=sum(not one.flag and one.action in _AGREEING for one in settled),
    )


def waiting(cards: Mapping[str, Card], made: Sequence[Decision], histories: Histories) -> Waiting:
    """How long cards waited for their first decision, of those first decided in the week; `cards` may lack some."""
    ids = {one.id for one in made}
    firsts = [first for history in histories.values() if (first := _first(history)) and first.id in ids]
    minutes = [
        int((first.at - card.opened_at).total_seconds() // 60)
        for first in firsts
        if (card := cards.get(first.card)) and card.opened_at <= first.at
    ]
    return Waiting(median=median_low(minutes) if minutes else None, measured=len(minutes), cards=len(firsts))


def response_counts(begun_by_end: Iterable[Response], start: datetime, end: datetime, last: date) -> ResponseCounts:
    """Responses begun and carried out from `start` up to `end`, and what was open then; `last` is the week's Sunday."""
    answers = list(begun_by_end)
    waiting_ones = [one for one in answers if not _done(one, end)]
    return ResponseCounts(
        begun=_sorted(one.kind for one in answers if one.created_at >= start),
        done=_sorted(one.kind for one in answers if _done(one, end) and not _done(one, start)),
        open=len(waiting_ones),
        overdue=sum(_late(one, last) for one in waiting_ones),
    )


def answers_by_claim(
    begun_by_end: Iterable[Response], redirects: Mapping[str, str], end: datetime, last: date
) -> dict[str, Answers]:
    """The responses of each claim as they stood at the week's end; those of a merged claim go with the other."""
    parts: dict[str, list[Response]] = {}
    for one in begun_by_end:
        parts.setdefault(redirects.get(one.claim, one.claim), []).append(one)
    return {claim: _answers(part, end, last) for claim, part in parts.items()}


def correction_links(
    begun_by_end: Iterable[Response], redirects: Mapping[str, str], end: datetime
) -> dict[str, list[str]]:
    """Where corrections of each claim were published by the week's end; web addresses only."""
    links: dict[str, list[str]] = {}
    for one in begun_by_end:
        if _done(one, end) and one.kind == "correction_published" and one.link.startswith(("https://", "http://")):
            links.setdefault(redirects.get(one.claim, one.claim), []).append(one.link)
    return links


def _answers(part: Sequence[Response], end: datetime, last: date) -> Answers:
    done = [one for one in part if _done(one, end)]
    return Answers(
        done=len(done),
        corrections=sum(one.kind == "correction_published" for one in done),
        open=len(part) - len(done),
        overdue=sum(_late(one, last) for one in part if not _done(one, end)),
    )


def _done(one: Response, by: datetime) -> bool:
    return one.done_at is not None and one.done_at < by


def _late(one: Response, last: date) -> bool:
    return one.due is not None and one.due <= last


def _settled(made: Sequence[Decision], histories: Histories) -> list[Decision]:
    """The decisions of the week that stand today."""
    ids = {one.id for one in made}
    standing = [standing_decision(history) for history in histories.values()]
    return [one for one in standing if one and one.id in ids]


def _first(history: Sequence[Decision]) -> Decision | None:
    return next((one for one in history if one.action in SETTLING), None)


def _sorted(names: Iterable[str]) -> dict[str, int]:
    return {str(name): n for name, n in sorted(Counter(names).items())}
