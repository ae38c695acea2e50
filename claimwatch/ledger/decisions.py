"""Decisions: append-only, numbered within their card, told to the posts store through an outbox."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from claimwatch.errors import ClaimwatchError
from claimwatch.ledger.tables import decisions, outbox
from claimwatch.records import Action, CardState, CardUpdate, Decision

#: Actions that settle a card; the others leave it open.
SETTLING = frozenset({Action.REPEATS, Action.NEW_CLAIM, Action.REFUTES, Action.ASKS, Action.NOT_HEALTH})


class StaleDecision(ClaimwatchError):  # noqa: N818  it is what happened, not a fault
    """Somebody decided this card meanwhile. Nothing was kept; look at the card again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a person says of a card, with what they saw when they said it."""

    card: str
    seen: int  #: the card's decision number as shown; the new one is the next
    action: Action
    user: int
    post: str
    text_hash: str
    text: str  #: scrubbed, as judged
    language: str
    model: str
    p_false: float | None
    flag: bool
    claim: str | None = None
    reason: str = ""


def add(db: Connection, judgement: Judgement, now: datetime) -> Decision:
    """Append a decision with its outbox row. StaleDecision where the card's number has moved on."""
    return _append(db, judgement, now, undoes=None)


def undo(db: Connection, card: str, *, seen: int, user: int, now: datetime) -> Decision:
    """Take back the card's last standing decision. StaleDecision where there is none or the number has moved on."""
    standing = standing_decision(of_card(db, card))
    if standing is None:
        raise StaleDecision("there is nothing to undo on this card: look at it again")
    values = {name: getattr(standing, name) for name in _CARRIED}
    judgement = Judgement(card=card, seen=seen, action=Action.UNDO, user=user, claim=standing.claim, **values)
    return _append(db, judgement, now, undoes=standing.id)


def of_card(db: Connection, card: str) -> list[Decision]:
    """The card's decisions in order."""
    query = select(decisions).where(decisions.c.card == card).order_by(decisions.c.number)
    return [_decision(row) for row in db.execute(query)]


def of_cards(db: Connection, cards: Collection[str]) -> dict[str, list[Decision]]:
    """The decisions of many cards, each in order; cards without any are left out."""
    found: dict[str, list[Decision]] = {}
    for part in _chunks(list(cards)):
        query = select(decisions).where(decisions.c.card.in_(part)).order_by(decisions.c.card, decisions.c.number)
        for row in db.execute(query):
            found.setdefault(row.card, []).append(_decision(row))
    return found


def between(db: Connection, start: datetime, end: datetime) -> list[Decision]:
    """Decisions made from `start` up to, not including, `end`, in order."""
    query = select(decisions).where(decisions.c.at >= start, decisions.c.at < end).order_by(decisions.c.id)
    return [_decision(row) for row in db.execute(query)]


def recent(db: Connection, limit: int, *, user: int | None = None) -> list[Decision]:
    """The newest decisions first, of everybody or of one account."""
    query = select(decisions).order_by(decisions.c.id.desc()).limit(limit)
    if user is not None:
        query = query.where(decisions.c.user == user)
    return [_decision(row) for row in db.execute(query)]


def every(db: Connection) -> list[Decision]:
    """All decisions in order."""
    return [_decision(row) for row in db.execute(select(decisions).order_by(decisions.c.id))]


def standing_decision(history: Iterable[Decision]) -> Decision | None:
    """The decision that holds: the last that was not undone, skips left out."""
    stack = list(history)
    undone = {one.undoes for one in stack}
    held = [one for one in stack if one.action in SETTLING and one.id not in undone]
    return held[-1] if held else None


def state_of(card: str, history: Iterable[Decision]) -> CardUpdate | None:
    """The card's whole decided state by its history; None where there is none."""
    stack = list(history)
    if not stack:
        return None
    standing = standing_decision(stack)
    return CardUpdate(
        card=card,
        number=stack[-1].number,
        state=CardState.DECIDED if standing else CardState.OPEN,
        claim=standing.claim if standing else None,
        action=standing.action if standing else None,
        at=stack[-1].at,
    )


def decided(db: Connection, cards: Collection[str]) -> dict[str, CardUpdate]:
    """The decided state of those of these cards that have any decision."""
    states = {card: state_of(card, history) for card, history in of_cards(db, cards).items()}
    return {card: state for card, state in states.items() if state}


def waiting(db: Connection, limit: int = 200) -> list[tuple[int, CardUpdate]]:
    """Outbox rows that the posts store has not acknowledged, oldest first."""
    query = select(outbox).where(outbox.c.done.is_(False)).order_by(outbox.c.id).limit(limit)
    return [(row.id, _update(row)) for row in db.execute(query)]


def count_waiting(db: Connection) -> int:
    """How many outbox rows the posts store has not acknowledged."""
    return int(db.execute(select(func.count()).where(outbox.c.done.is_(False))).scalar_one())


def delivered(db: Connection, row_id: int) -> None:
    """Mark one outbox row as acknowledged."""
    db.execute(update(outbox).where(outbox.c.id == row_id).values(done=True))


def forget_texts(db: Connection, before: datetime) -> int:
    """Empty the texts of decisions made before; how many."""
    old = (decisions.c.at < before) & (decisions.c.text != "")
    return db.execute(update(decisions).where(old).values(text="")).rowcount


#: What an undo carries over from the decision it takes back.
_CARRIED = ("post", "text_hash", "text", "language", "model", "p_false", "flag")


def _append(db: Connection, judgement: Judgement, now: datetime, *, undoes: int | None) -> Decision:
    history = of_card(db, judgement.card)
    if (history[-1].number if history else 0) != judgement.seen:
        raise StaleDecision("somebody decided this card meanwhile: look at it again")
    values = {name: getattr(judgement, name) for name in (*_CARRIED, "card", "claim", "user", "reason")}
    values |= {"number": judgement.seen + 1, "action": judgement.action.value, "at": now, "undoes": undoes}
    key = db.execute(insert(decisions).values(**values)).inserted_primary_key
    assert key is not None
    decision = Decision(id=key[0], **(values | {"action": judgement.action}))
    state = state_of(judgement.card, [*history, decision])
    assert state is not None
    db.execute(insert(outbox).values(**_outbox_row(state), done=False))
    return decision


def _outbox_row(state: CardUpdate) -> dict[str, Any]:
    action = state.action.value if state.action else None
    return {
        "card": state.card,
        "number": state.number,
        "state": state.state.value,
        "claim": state.claim,
        "action": action,
        "at": state.at,
    }


def _update(row: Row[Any]) -> CardUpdate:
    return CardUpdate(
        card=row.card,
        number=row.number,
        state=CardState(row.state),
        claim=row.claim,
        action=Action(row.action) if row.action else None,
        at=row.at,
    )


def _decision(row: Row[Any]) -> Decision:
    return Decision(**(dict(row._mapping) | {"action": Action(row.action)}))


def _chunks(values: list[str], size: int = 500) -> Iterable[list[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))
