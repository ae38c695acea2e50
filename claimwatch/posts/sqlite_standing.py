"""What counts and searches say of a post: its flag, claim, stance and status, from its assessment and its card."""

import json
import sqlite3
from collections.abc import Collection

_SETTLE = """
UPDATE posts SET (flag, claim, stance, status) = (
  SELECT
    coalesce(a.flag, 0),
    CASE WHEN c.decided_stance = 'other' THEN '' ELSE coalesce(
      c.claim,
      (SELECT m.claim FROM matches m WHERE m.post = posts.number AND m.text_hash = posts.text_hash
       ORDER BY m.similarity DESC, m.claim LIMIT 1),
      '') END,
    coalesce(c.decided_stance, a.stance, ''),
    CASE WHEN c.id IS NOT NULL THEN 'decided' WHEN posts.model = '' THEN 'new'
      WHEN a.flag THEN 'flagged' ELSE 'passed' END
  FROM (SELECT 1)
  LEFT JOIN cards c ON c.id = posts."group" AND c.state = 'decided'
  LEFT JOIN assessments a ON a.post = posts.number AND a.text_hash = posts.text_hash AND a.model = posts.model)
WHERE number IN (SELECT value FROM json_each(?))"""
_OF_GROUPS = 'SELECT number FROM posts WHERE "group" IN (SELECT value FROM json_each(?))'
_NUMBERS = "SELECT id, number FROM posts WHERE id IN (SELECT value FROM json_each(?))"
_DROP_EMPTIED = """
DELETE FROM cards WHERE id IN (SELECT value FROM json_each(:groups)) AND (NOT :open OR state = 'open')
  AND NOT EXISTS (SELECT 1 FROM posts WHERE posts."group" = cards.id)"""


def listed(values: Collection[object]) -> str:
    """Values as the one parameter that `json_each` takes, however many they are."""
    return json.dumps(list(values))


def numbers_of(db: sqlite3.Connection, ids: Collection[str]) -> dict[str, int]:
    """The row numbers of the posts that are kept, by id."""
    return {row["id"]: row["number"] for row in db.execute(_NUMBERS, (listed(ids),))}


def settle(db: sqlite3.Connection, numbers: Collection[int]) -> None:
    """Say of these posts what their assessments and cards say now: a decided card goes before an assessment."""
    db.execute(_SETTLE, (listed(numbers),))


def settle_groups(db: sqlite3.Connection, groups: Collection[str]) -> None:
    """As `settle`, for all posts of these groups."""
    if groups:
        settle(db, [row["number"] for row in db.execute(_OF_GROUPS, (listed(groups),))])


def drop_emptied_cards(db: sqlite3.Connection, groups: Collection[str], *, only_open: bool) -> None:
    """Remove the cards of those of these groups that have no posts left."""
    db.execute(_DROP_EMPTIED, {"groups": listed(groups), "open": only_open})
