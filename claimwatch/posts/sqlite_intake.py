"""Meeting posts: which are new, which were edited, which are to be forgotten."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from claimwatch.posts.rows import micros, observation_row, post_row
from claimwatch.posts.sqlite_groups import bands_added, bands_removed
from claimwatch.posts.sqlite_standing import drop_emptied_cards, listed, numbers_of, settle
from claimwatch.posts.sqlite_vectors import drop_orphans
from claimwatch.records import Observation, Post, State

_BURIED = "SELECT id FROM tombstones WHERE id IN (SELECT value FROM json_each(?))"
_KEPT = "SELECT * FROM posts WHERE id IN (SELECT value FROM json_each(?))"
_WRITTEN = """
SELECT p.id, w.outcome FROM posts p JOIN writes w ON w.post = p.number
WHERE p.id IN (SELECT value FROM json_each(?)) AND w.source = ? AND w.token = ?"""
_INSERT = """
INSERT INTO posts (id, source, platform, created_at, collected_at, first_seen, day, language, title, text, text_hash,
  author_key, url, sealed_url, edited_at, reply_to, repost_of, state, "group", bands, slot, expires_at)
VALUES (:id, :source, :platform, :created_at, :collected_at, :first_seen, :day, :language, :title, :text, :text_hash,
  :author_key, :url, :sealed_url, :edited_at, :reply_to, :repost_of, :state, :group, :bands, :slot, :expires_at)"""
_REPLACE = """
UPDATE posts SET title = :title, text = :text, text_hash = :text_hash, language = :language, bands = :bands,
  slot = :slot, collected_at = :collected_at, edited_at = :edited_at, expires_at = :expires_at, state = 'edited',
  "group" = NULL, model = '', flag = 0, claim = '', stance = '', status = 'new'
WHERE id = :id"""
_NOTE = "INSERT OR REPLACE INTO writes SELECT number, ?, ?, ? FROM posts WHERE id = ?"
_OBSERVE = "INSERT OR IGNORE INTO observations VALUES (?, ?, ?, ?, ?, ?, ?)"
#: max(at) makes SQLite take the other columns from that very row.
_SUM_UP = """
UPDATE posts SET engagement = coalesce((
  SELECT max(seen) FROM (
    SELECT coalesce(likes, 0) + coalesce(shares, 0) + coalesce(replies, 0) AS seen, max(at)
    FROM observations WHERE post = posts.number GROUP BY source)), 0)
WHERE number IN (SELECT value FROM json_each(?))"""


def add(db: sqlite3.Connection, posts: Sequence[Post], token: str) -> list[str]:
    """Keep posts met by one page; the outcome of each."""
    ids = listed({post.id for post in posts})
    buried = {row["id"] for row in db.execute(_BURIED, (ids,))}
    kept = {row["id"]: row for row in db.execute(_KEPT, (ids,))}
    before = _outcomes_before(db, ids, {post.source for post in posts}, token)
    fresh = [post for post in _once(posts) if post.id not in buried and post.id not in kept]
    _insert(db, fresh)
    found = dict.fromkeys(buried, "dropped(seen)") | {post.id: "stored" for post in fresh}
    for post in _once(posts):
        if post.id in kept and post.id not in buried:
            found[post.id] = _meet_again(db, post, kept[post.id])
    notes = [(post, found[post.id]) for post in _once(posts) if found[post.id] in {"stored", "updated"}]
    answers = {id_: outcome for id_, outcome in before.items() if found.get(id_) != "dropped(seen)"}
    db.executemany(_NOTE, [(post.source, token, answers.get(post.id, outcome), post.id) for post, outcome in notes])
    return list(_in_order(posts, found | answers))


def observe(db: sqlite3.Connection, observations: Sequence[Observation]) -> None:
    """Append to the series and keep the largest of each source's latest beside the post."""
    numbers = numbers_of(db, {seen.post for seen in observations})
    rows = [observation_row(seen, numbers[seen.post]) for seen in observations if seen.post in numbers]
    db.executemany(_OBSERVE, rows)
    db.execute(_SUM_UP, (listed(numbers.values()),))


def _outcomes_before(db: sqlite3.Connection, ids: str, sources: Collection[str], token: str) -> dict[str, str]:
    """What this very write answered before, where it comes again after a kill."""
    found = (db.execute(_WRITTEN, (ids, source, token)) for source in sorted(sources))
    return {row["id"]: row["outcome"] for rows in found for row in rows}


def _once(posts: Sequence[Post]) -> list[Post]:
    """The posts of a page, the first of those with one id."""
    first: dict[str, Post] = {}
    for post in posts:
        first.setdefault(post.id, post)
    return list(first.values())


def _in_order(posts: Sequence[Post], found: dict[str, str]) -> Iterator[str]:
    met: set[str] = set()
    for post in posts:
        outcome = found[post.id]
        yield "unchanged" if post.id in met and outcome != "dropped(seen)" else outcome
        met.add(post.id)


def _insert(db: sqlite3.Connection, posts: Sequence[Post]) -> None:
    db.executemany(_INSERT, [post_row(post) for post in posts])
    placed = numbers_of(db, [post.id for post in posts if post.group])
    if placed:
        bands_added(db, placed.values())
        settle(db, placed.values())


def _meet_again(db: sqlite3.Connection, post: Post, kept: sqlite3.Row) -> str:
    """Take over what the promise allows from a later sight of a kept post."""
    if kept["state"] == State.DELETED:
        return "unchanged"
    if post.state is State.DELETED:
        db.execute("UPDATE posts SET state = 'deleted' WHERE number = ?", (kept["number"],))
        return "updated"
    if not _is_later(post, kept):
        return "unchanged"
    if (post.title, post.text) == (kept["title"], kept["text"]):
        edited = kept["edited_at"] if post.edited_at is None else micros(post.edited_at)
        if edited != kept["edited_at"]:
            db.execute("UPDATE posts SET edited_at = ? WHERE number = ?", (edited, kept["number"]))
        return "unchanged"
    _replace_text(db, post, kept)
    return "updated"


def _is_later(post: Post, kept: sqlite3.Row) -> bool:
    """Whether this sight of the post may say what its text is: servers show each other's posts, often stale."""
    if post.edited_at is None:
        return kept["edited_at"] is None and post.source == kept["source"]
    return kept["edited_at"] is None or micros(post.edited_at) > kept["edited_at"]


def _replace_text(db: sqlite3.Connection, post: Post, kept: sqlite3.Row) -> None:
    """The new text is unseen: what was said of the same words long ago does not count either."""
    bands_removed(db, [kept])
    values: dict[str, Any] = post_row(post)
    db.execute(_REPLACE, values)
    for table in ("assessments", "matches"):
        db.execute(f"DELETE FROM {table} WHERE post = ? AND text_hash = ?", (kept["number"], post.text_hash))  # noqa: S608
    drop_orphans(db, {kept["text_hash"]})
    if kept["group"] and kept["group"] != post.id:
        drop_emptied_cards(db, {kept["group"]}, only_open=True)
