"""The team's decisions as labelled rows. They never leave the desk: only weights and counts come of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from claimwatch.ledger.decisions import SETTLING
from claimwatch.records import Action, Claim, Decision, Stance, Verdict
from classifier.rows import Row

#: The newest share of the decided texts is kept from training, so that two models can be compared on it.
_HELD = 0.25
_MOST_HELD = 500
#: How much a decided text counts beside a written one: they are few, real, and the team's own.
_WEIGHT = 3.0
#: Claims that are no misinformation: a post that repeats one is no positive.
_HARMLESS = frozenset({Verdict.TRUE, Verdict.NOT_HEALTH})
_STANCES = {
    Action.REPEATS: Stance.REPEATS,
    Action.NEW_CLAIM: Stance.REPEATS,
    Action.REFUTES: Stance.REFUTES,
    Action.ASKS: Stance.ASKS,
    Action.NOT_HEALTH: Stance.OTHER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Decided texts as rows, oldest first, and how many decisions gave none."""

    rows: tuple[Row, ...]
    undone: int  #: taken back
    skipped: int  #: skips and undos themselves
    superseded: int  #: the same text was decided again later
    emptied: int  #: the text's keeping time is over

    def older_and_newest(self) -> tuple[list[Row], list[Row]]:
        """The rows to learn from, and the newest ones to compare on."""
        held = min(_MOST_HELD, round(len(self.rows) * _HELD))
        cut = len(self.rows) - held
        return list(self.rows[:cut]), list(self.rows[cut:])

    def after(self, instant: datetime | None) -> list[Row]:
        """The newest rows, at most so many as are held, of those decided after an instant."""
        newer = [row for row in self.rows if instant is None or (row.created_at and row.created_at > instant)]
        return newer[-_MOST_HELD:]


def decided_rows(made: Sequence[Decision], claims: Mapping[str, Claim]) -> Decided:
    """One row for each text that somebody decided, by the newest decision on it that was not undone."""
    taken_back = {one.undoes for one in made if one.undoes is not None}
    settling = [one for one in made if one.action in SETTLING]
    standing = [one for one in settling if one.id not in taken_back]
    newest = {one.text_hash: one for one in sorted(standing, key=lambda one: one.id)}
    kept = sorted((one for one in newest.values() if one.text), key=lambda one: one.id)
    return Decided(
        rows=tuple(_row(one, claims) for one in kept),
        undone=len(settling) - len(standing),
        skipped=len(made) - len(settling),
        superseded=len(standing) - len(newest),
        emptied=len(newest) - len(kept),
    )


def _row(one: Decision, claims: Mapping[str, Claim]) -> Row:
    stance = _STANCES[one.action]
    claim = claims.get(one.claim) if one.claim else None
    harmless = claim is not None and claim.verdict in _HARMLESS
    return Row(
        id=f"decision-{one.id}",
        text=one.text,
        positive=stance is Stance.REPEATS and not harmless,
        in_scope=one.action is not Action.NOT_HEALTH,
        stance=stance,
        claim=one.claim,
        lang=one.language,
        created_at=one.at,
        cluster=one.claim or one.text_hash,
        kind="decided",
        weight=_WEIGHT,
    )
