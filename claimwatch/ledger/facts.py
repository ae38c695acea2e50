"""Single facts about a ledger, by name: fingerprints, what was seeded."""

from sqlalchemy import Connection, delete, select

from claimwatch.ledger.database import upsert
from claimwatch.ledger.tables import facts

#: Stands in a ledger while another is copied into it; its value tells whose copy.
UNFINISHED = "copy.unfinished"
_FINGERPRINT = "fingerprint."


def get(db: Connection, name: str) -> str | None:
    """The fact of that name."""
    row = db.execute(select(facts.c.value).where(facts.c.name == name)).first()
    return row.value if row else None


def put(db: Connection, name: str, value: str) -> None:
    """Keep or change a fact."""
    upsert(db, facts, {"name": name, "value": value})


def drop(db: Connection, name: str) -> None:
    """Forget a fact."""
    db.execute(delete(facts).where(facts.c.name == name))


def starting(db: Connection, beginning: str) -> dict[str, str]:
    """The facts whose names begin so."""
    query = select(facts).where(facts.c.name.startswith(beginning, autoescape=True)).order_by(facts.c.name)
    return {row.name: row.value for row in db.execute(query)}


def fingerprint(name: str) -> str:
    """The name of the fact that holds a key's fingerprint."""
    return _FINGERPRINT + name


def fingerprints(db: Connection) -> str:
    """The fingerprints of the desk's keys as one text: the same for every copy of a desk, and for no other desk."""
    query = select(facts).where(facts.c.name.startswith(_FINGERPRINT)).order_by(facts.c.name)
    return " ".join(f"{row.name.removeprefix(_FINGERPRINT)}={row.value}" for row in db.execute(query))
