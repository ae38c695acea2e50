"""Groups of copies: who shares a band, who is placed where, how large and how fast a group is."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from claimwatch.posts.base import Tally
from claimwatch.posts.rows import micros, post_of
from claimwatch.posts.sqlite_standing import drop_emptied_cards, listed, numbers_of, settle
from claimwatch.records import Post

#: A whole import can share one collected_at; of posts met at the same instant so many are put in order of their ids.
_TIED = 5_000
_DAY = timedelta(days=1)

#: The oldest with this band, and all that are as old as the last of them.
_SHARING = """
SELECT b.collected_at, p.id FROM bands b JOIN posts p ON p.number = b.post
WHERE b.band = :band AND b.collected_at <= coalesce((
  SELECT collected_at FROM bands WHERE band = :band ORDER BY collected_at LIMIT 1 OFFSET :limit - 1), 9e18)
ORDER BY b.collected_at LIMIT :tied"""
_BY_AGE = "SELECT * FROM posts WHERE id IN (SELECT value FROM json_each(?)) ORDER BY collected_at, id"
_BANDED = "SELECT number, collected_at, bands FROM posts WHERE number IN (SELECT value FROM json_each(?))"
_PLACE = 'UPDATE posts SET "group" = ? WHERE id = ?'
_MEMBERS = 'SELECT * FROM posts WHERE "group" = ? ORDER BY collected_at, id LIMIT ?'
_TALLY = """
SELECT "group", count(*) AS posts, count(DISTINCT author_key) AS accounts, sum(engagement) AS engagement,
  sum(coalesce(created_at, collected_at) > :day AND coalesce(created_at, collected_at) <= :now) AS last_day,
  sum(coalesce(created_at, collected_at) > :week AND coalesce(created_at, collected_at) <= :day) AS week_before
FROM posts WHERE "group" IN (SELECT value FROM json_each(:groups)) AND state <> 'deleted' GROUP BY "group"
"""


def kin(db: sqlite3.Connection, bands: Collection[str], limit: int) -> list[Post]:
    """Placed posts that share a band key, oldest first."""
    found: set[tuple[int, str]] = set()
    for band in bands:
        asked = {"band": band, "limit": limit, "tied": limit + _TIED}
        found.update((row["collected_at"], row["id"]) for row in db.execute(_SHARING, asked))
    oldest = [id_ for _, id_ in sorted(found)[:limit]]
    return [post_of(row) for row in db.execute(_BY_AGE, (listed(oldest),))]


def place(db: sqlite3.Connection, groups: Mapping[str, str]) -> None:
    """Write groups; a post that left the group of its own name empty takes that open card with it."""
    db.executemany(_PLACE, [(group, id_) for id_, group in groups.items()])
    numbers = numbers_of(db, groups).values()
    bands_added(db, numbers)
    drop_emptied_cards(db, [id_ for id_, group in groups.items() if id_ != group], only_open=True)
    settle(db, numbers)


def members(db: sqlite3.Connection, group: str, limit: int) -> list[Post]:
    """The posts of a group, oldest first."""
    return [post_of(row) for row in db.execute(_MEMBERS, (group, limit))]


def tallies(db: sqlite3.Connection, groups: Collection[str], now: datetime) -> dict[str, Tally]:
    """The tally of each group that has posts."""
    asked = {
        "groups": listed(groups),
        "now": micros(now),
        "day": micros(now - _DAY),
        "week": micros(now - 8 * _DAY),
    }
    names = ("posts", "accounts", "engagement", "last_day", "week_before")
    return {row["group"]: Tally(**{name: row[name] for name in names}) for row in db.execute(_TALLY, asked)}


def bands_added(db: sqlite3.Connection, numbers: Collection[int]) -> None:
    """Let `kin` find these posts."""
    rows = db.execute(_BANDED, (listed(numbers),)).fetchall()
    db.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?, ?)", _bands_of(rows))


def bands_removed(db: sqlite3.Connection, rows: Iterable[sqlite3.Row]) -> None:
    """Hide posts from `kin`, before their bands or collected_at change."""
    db.executemany("DELETE FROM bands WHERE band = ? AND collected_at = ? AND post = ?", _bands_of(rows))


def _bands_of(rows: Iterable[sqlite3.Row]) -> list[tuple[str, int, int]]:
    return [(band, row["collected_at"], row["number"]) for row in rows for band in row["bands"].split()]
