"""Counts per day, kept on every write, and accounts per claim, counted exactly."""

import sqlite3
from collections.abc import Collection
from datetime import date

from claimwatch.posts.base import CountRow
from claimwatch.posts.sqlite_standing import listed

_LIVE = """
SELECT day, claim, language, source, stance, status, sum(posts) AS posts FROM (
  SELECT * FROM daily WHERE day IN (SELECT value FROM json_each(:days))
  UNION ALL
  SELECT day, claim, language, source, stance, status, 1 FROM posts
  WHERE batch IS NOT NULL AND batch NOT IN (SELECT value FROM json_each(:without))
    AND day IN (SELECT value FROM json_each(:days)) AND state <> 'deleted')
GROUP BY day, claim, language, source, stance, status"""
_MARKED = """
SELECT day, claim, language, source, stance, status, count(*) AS posts FROM posts
WHERE batch = ? AND state <> 'deleted' GROUP BY day, claim, language, source, stance, status"""
#: Author keys change with the quarter of the first sight, so accounts are told apart within one quarter alone.
_ACCOUNTS = """
SELECT claim, max(accounts) AS least, sum(accounts) AS most FROM (
  SELECT claim, count(DISTINCT author_key) AS accounts FROM posts INDEXED BY posts_repeats
  WHERE day IN (SELECT value FROM json_each(?)) AND stance = 'repeats' AND claim <> '' AND state <> 'deleted'
    AND status IN ('flagged', 'decided')
  GROUP BY claim, strftime('%Y', first_seen / 1000000, 'unixepoch'),
    (strftime('%m', first_seen / 1000000, 'unixepoch') + 2) / 3)
GROUP BY claim"""


def counts(db: sqlite3.Connection, days: Collection[date], without: Collection[int]) -> list[CountRow]:
    """Live posts by all six properties."""
    asked = {"days": listed([day.isoformat() for day in days]), "without": listed(without)}
    return [_count_row(row) for row in db.execute(_LIVE, asked)]


def counts_marked(db: sqlite3.Connection, batch: int) -> list[CountRow]:
    """As `counts`, of the posts that one purge will delete."""
    return [_count_row(row) for row in db.execute(_MARKED, (batch,))]


def accounts(db: sqlite3.Connection, days: Collection[date]) -> dict[str, tuple[int, int]]:
    """Distinct accounts per claim: at least, at most."""
    asked = (listed([day.isoformat() for day in days]),)
    return {row["claim"]: (row["least"], row["most"]) for row in db.execute(_ACCOUNTS, asked)}


def _count_row(row: sqlite3.Row) -> CountRow:
    named = dict(row)
    return CountRow(**(named | {"day": date.fromisoformat(named["day"])}))
