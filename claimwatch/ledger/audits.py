"""Posts drawn by lot from those that no model flagged: without them nobody knows what is missed.

A text is drawn by a hash of its own hash, so the same text is drawn on every machine, and by a share fixed for each
day: so many a day as the settings ask for, of as many as the days before brought. The share stays with the card: a text
drawn with a share of 1 in 200 speaks for 200.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from claimwatch.ledger import facts

_CARD, _DAYS = "audit.card.", "audit.days"
#: Texts a day that could be drawn, before any day was counted.
_ASSUMED = 1000
_LOOKED_BACK, _REMEMBERED = 7, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One card that is in the queue by lot."""

    card: str
    share: float  #: of the texts of its day that were drawn
    hinges: bool  #: topic and stance would let it be flagged: the threshold alone decides
    language: str
    at: datetime


def is_drawn(text_hash: str, share: float) -> bool:
    """Whether a text is among the drawn at this share; a larger share draws the same and more."""
    lot = int.from_bytes(hashlib.sha256(f"audit: {text_hash}".encode()).digest()[:8], "big")
    return lot < share * 2**64


def share_of(db: Connection, day: date, wanted: int, *, met: int) -> float:
    """The share to draw with on this day, fixed when it is first asked for; notes that so many more texts were met."""
    days: dict[str, Any] = json.loads(facts.get(db, _DAYS) or "{}")
    before = [days[name]["met"] for name in sorted(days) if name < day.isoformat()][-_LOOKED_BACK:]
    usual = sum(before) / len(before) if before else _ASSUMED
    today = days.setdefault(day.isoformat(), {"share": min(1.0, wanted / max(1.0, usual)), "met": 0})
    today["met"] += met
    facts.put(db, _DAYS, json.dumps({name: days[name] for name in sorted(days)[-_REMEMBERED:]}))
    return float(today["share"])


def note(db: Connection, audit: Audit) -> None:
    """Keep that a card is there by lot; the first note stands."""
    if facts.get(db, _CARD + audit.card) is None:
        value = {name: one for name, one in asdict(audit).items() if name != "card"}
        facts.put(db, _CARD + audit.card, json.dumps(value | {"at": audit.at.isoformat()}))


def every(db: Connection) -> dict[str, Audit]:
    """All cards that are there by lot."""
    return {
        name.removeprefix(_CARD): _audit(name.removeprefix(_CARD), json.loads(value))
        for name, value in facts.starting(db, _CARD).items()
    }


def _audit(card: str, value: dict[str, Any]) -> Audit:
    return Audit(card=card, **(value | {"at": datetime.fromisoformat(value["at"])}))
