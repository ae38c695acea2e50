"""Single facts about a ledger, by name: fingerprints, what was seeded."""

from sqlalchemy import Connection, select

from claimwatch.ledger.database import upsert
from claimwatch.ledger.tables import facts


def get(db: Connection, name: str) -> str | None:
    """The fact of that name."""
    row = db.execute(select(facts.c.value).where(facts.c.name == name)).first()
    return row.value if row else None


def put(db: Connection, name: str, value: str) -> None:
    """Keep or change a fact."""
    upsert(db, facts, {"name": name, "value": value})
