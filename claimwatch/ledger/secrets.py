"""Author keys by quarter, fingerprints of the desk's keys, and the log of opened links."""

import secrets
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from claimwatch.clock import quarter_of
from claimwatch.errors import ConfigError
from claimwatch.ledger import facts
from claimwatch.ledger.tables import author_keys, link_opens


def quarter_key(db: Connection, at: datetime, *, fixed: bytes | None = None) -> bytes:
    """The author key of the quarter of `at`, made if absent. `fixed` is what to make it of, for the demo."""
    quarter = quarter_of(at)
    row = db.execute(select(author_keys.c.key).where(author_keys.c.quarter == quarter)).first()
    if row is not None:
        return bytes(row.key)
    key = fixed or secrets.token_bytes(32)
    db.execute(insert(author_keys).values(quarter=quarter, key=key))
    return key


def drop_author_keys(db: Connection, now: datetime) -> int:
    """Destroy the author keys of past quarters; how many. Their pseudonyms can never be made again."""
    return db.execute(delete(author_keys).where(author_keys.c.quarter < quarter_of(now))).rowcount


def check_keys(db: Connection, fingerprints: Mapping[str, str]) -> None:
    """Refuse keys other than those this ledger began with, and an unfinished copy; note the keys at the first start."""
    if facts.get(db, facts.UNFINISHED) is not None:
        raise ConfigError("the copy into this ledger was not finished: run `claimwatch ledger copy` again")
    for name, value in fingerprints.items():
        fact = facts.fingerprint(name)
        kept = facts.get(db, fact)
        if kept is None:
            facts.put(db, fact, value)
        elif kept != value:
            variable = f"CLAIMWATCH_{name.upper()}_KEY"
            raise ConfigError(
                f"the {name} key is not the one this ledger began with: restore {variable} from the backup"
            )


def note_link_open(db: Connection, post: str, user: int, now: datetime) -> None:
    """Log that somebody opened a sealed link."""
    db.execute(insert(link_opens).values(post=post, user=user, at=now))


def link_opens_of(db: Connection, post: str) -> list[tuple[int, datetime]]:
    """Who (account number) opened a post's link, and when."""
    rows = db.execute(select(link_opens).where(link_opens.c.post == post).order_by(link_opens.c.id))
    return [(row.user, row.at) for row in rows]
