"""What models said of posts: what waits for them, their assessments and matches."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from claimwatch.posts.base import Assessed, Work
from claimwatch.posts.rows import assessment_of, assessment_row, match_of, maybe_micros, micros, post_of
from claimwatch.posts.sqlite_standing import listed, settle
from claimwatch.posts.sqlite_vectors import put_vector
from claimwatch.records import Assessment, Match, Post

_UNSEEN = """
SELECT id FROM posts WHERE model = '' AND state <> 'deleted' AND id > :after
  AND slot >= :start AND slot < :stop AND (slot - :start) % :step = 0 ORDER BY id LIMIT :limit"""
#: Of posts that some other model saw last, those collected lately, and those on open cards.
_RECENT = """
SELECT p.id FROM models other CROSS JOIN posts p ON p.model = other.name
WHERE other.name <> :model AND p.model <> '' AND p.collected_at >= :since AND p.state <> 'deleted' AND p.id > :after
  AND p.slot >= :start AND p.slot < :stop AND (p.slot - :start) % :step = 0
  AND NOT EXISTS (SELECT 1 FROM assessments a
    WHERE a.post = p.number AND a.text_hash = p.text_hash AND a.model = :model)
ORDER BY p.id LIMIT :limit"""
_ON_OPEN_CARDS = """
SELECT p.id FROM cards c CROSS JOIN posts p ON p."group" = c.id
WHERE c.state = 'open' AND p.model NOT IN ('', :model) AND p.state <> 'deleted' AND p.id > :after
  AND p.slot >= :start AND p.slot < :stop AND (p.slot - :start) % :step = 0
  AND NOT EXISTS (SELECT 1 FROM assessments a
    WHERE a.post = p.number AND a.text_hash = p.text_hash AND a.model = :model)
ORDER BY p.id LIMIT :limit"""
_UNPLACED = """
SELECT * FROM posts WHERE "group" IS NULL AND model <> '' AND state <> 'deleted'
  AND (collected_at, id) > (:at, :after)
  AND slot >= :start AND slot < :stop AND (slot - :start) % :step = 0 ORDER BY collected_at, id LIMIT :limit"""
_BY_ID = "SELECT * FROM posts WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"

_STANDING = "SELECT number, id, text_hash, model FROM posts WHERE id IN (SELECT value FROM json_each(?))"
_KNOWN = "SELECT post, text_hash, model FROM assessments WHERE post IN (SELECT value FROM json_each(?))"
_SAY = "INSERT OR REPLACE INTO assessments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SEE = "UPDATE posts SET model = ?, expires_at = coalesce(?, expires_at) WHERE number = ?"
_UNMATCH = "DELETE FROM matches WHERE post = ? AND text_hash = ? AND model NOT IN ('', ?)"
_MATCH = "INSERT OR REPLACE INTO matches VALUES (?, ?, ?, ?, ?, ?, ?)"
_ASSESSMENTS = """
SELECT p.id, a.* FROM posts p
JOIN assessments a ON a.post = p.number AND a.text_hash = p.text_hash AND a.model = p.model
WHERE p.id IN (SELECT value FROM json_each(?))"""
_MATCHES = """
SELECT p.id, m.* FROM posts p JOIN matches m ON m.post = p.number AND m.text_hash = p.text_hash
WHERE p.id IN (SELECT value FROM json_each(?)) ORDER BY m.similarity DESC, m.claim, m.claim_version DESC"""
#: max() makes SQLite take the other columns from that very row: one post of each text speaks for all.
_SCORED = """
SELECT p.id, a.*, max(a.post) FROM assessments a JOIN posts p ON p.number = a.post
WHERE a.text_hash IN (SELECT value FROM json_each(?)) AND a.model = ? GROUP BY a.text_hash"""
_MATCHES_THEN = """
SELECT p.id, m.* FROM matches m JOIN posts p ON p.number = m.post
WHERE m.post = ? AND m.text_hash = ? ORDER BY m.similarity DESC, m.claim, m.claim_version DESC"""
_SAYING = "SELECT number, text_hash, model FROM posts WHERE text_hash IN (SELECT value FROM json_each(?))"


def pending(db: sqlite3.Connection, work: Work, slots: range, after: Post | None, limit: int) -> list[Post]:
    """Posts the stage has not done, in its order."""
    asked = {
        "start": slots.start,
        "stop": slots.stop,
        "step": slots.step,
        "after": after.id if after else "",
        "limit": limit,
    }
    if work.stage == "group":
        at = micros(after.collected_at) if after else -(2**63)
        return [post_of(row) for row in db.execute(_UNPLACED, asked | {"at": at})]
    asked |= {"model": work.model, "since": maybe_micros(work.since)}
    waiting = [_UNSEEN, _ON_OPEN_CARDS] + ([_RECENT] if work.since else [])
    ids = {row["id"] for query in waiting for row in db.execute(query, asked)}
    return [post_of(row) for row in db.execute(_BY_ID, (listed(sorted(ids)[:limit]),))]


def assess(db: sqlite3.Connection, assessed: Sequence[Assessed]) -> None:
    """Keep assessments, matches and vectors of posts that are kept."""
    ids = {one.assessment.post for one in assessed}
    posts = {row["id"]: row for row in db.execute(_STANDING, (listed(ids),))}
    numbers = [row["number"] for row in posts.values()]
    known = {tuple(row) for row in db.execute(_KNOWN, (listed(numbers),))}
    for one in assessed:
        if one.assessment.post in posts:
            _assess_one(db, one, posts[one.assessment.post], known)
    settle(db, numbers)


def assessments(db: sqlite3.Connection, ids: Collection[str]) -> dict[str, Assessment]:
    """The newest assessment of each post's present text."""
    return {row["id"]: assessment_of(row) for row in db.execute(_ASSESSMENTS, (listed(ids),))}


def matches(db: sqlite3.Connection, ids: Collection[str]) -> dict[str, list[Match]]:
    """The matches of each post's present text, nearest first."""
    found: dict[str, list[Match]] = {}
    for row in db.execute(_MATCHES, (listed(ids),)):
        found.setdefault(row["id"], []).append(match_of(row))
    return found


def scored(db: sqlite3.Connection, hashes: Collection[str], model: str) -> dict[str, Assessed]:
    """What this model already said of these texts, by text_hash."""
    rows = db.execute(_SCORED, (listed(hashes), model)).fetchall()
    return {row["text_hash"]: Assessed(assessment=assessment_of(row), matches=_matches_then(db, row)) for row in rows}


def match(db: sqlite3.Connection, found: Mapping[str, Sequence[Match]]) -> None:
    """Add matches to every post that says one of these texts now."""
    posts = db.execute(_SAYING, (listed(found),)).fetchall()
    rows = [_match_row(one, post, post["model"]) for post in posts for one in found[post["text_hash"]]]
    db.executemany(_MATCH, rows)
    settle(db, [post["number"] for post in posts])


def _assess_one(db: sqlite3.Connection, one: Assessed, post: sqlite3.Row, known: set[tuple[Any, ...]]) -> None:
    said = one.assessment
    key = (post["number"], said.text_hash, said.model)
    db.execute(_SAY, assessment_row(said, post["number"]))
    db.execute("INSERT OR IGNORE INTO models VALUES (?)", (said.model,))
    if one.vector is not None:
        put_vector(db, said.text_hash, one.encoder, one.vector)
    if key in known and said.model != post["model"]:
        return  # an earlier write come again: what was said since stands
    known.add(key)
    db.execute(_UNMATCH, key)
    db.executemany(_MATCH, [_match_row(match, post, said.model, said.text_hash) for match in one.matches])
    if said.text_hash == post["text_hash"]:
        db.execute(_SEE, (said.model, maybe_micros(one.expires_at), post["number"]))


def _match_row(one: Match, post: sqlite3.Row, model: str, text_hash: str = "") -> tuple[Any, ...]:
    text_hash = text_hash or post["text_hash"]
    return post["number"], text_hash, one.claim, one.claim_version, one.similarity, one.confirmed, model


def _matches_then(db: sqlite3.Connection, row: sqlite3.Row) -> tuple[Match, ...]:
    return tuple(match_of(match) for match in db.execute(_MATCHES_THEN, (row["post"], row["text_hash"])))
