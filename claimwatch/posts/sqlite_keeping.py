"""Forgetting posts in time or on request, with everything that hangs on them."""

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from claimwatch.posts.base import CountRow
from claimwatch.posts.rows import micros
from claimwatch.posts.sqlite_counts import counts_marked
from claimwatch.posts.sqlite_groups import bands_removed
from claimwatch.posts.sqlite_standing import drop_emptied_cards, listed
from claimwatch.posts.sqlite_vectors import drop_orphans
from claimwatch.records import State

#: How long a forgotten post is not taken in again; by then no crawl looks so far back.
_REMEMBERED = timedelta(days=400)

_Rows = Sequence[sqlite3.Row]

_MARK = """
UPDATE posts SET batch = :batch WHERE number IN (
  SELECT number FROM posts WHERE batch IS NULL AND expires_at <= :now ORDER BY expires_at, number
  LIMIT max(0, :limit - (SELECT count(*) FROM posts WHERE batch = :batch)))"""
_GONE = "SELECT * FROM posts WHERE state = 'deleted' AND expires_at <= ? AND batch IS NULL"
_MARKED = "SELECT * FROM posts WHERE batch = ?"
_NAMED = "SELECT * FROM posts WHERE id IN (SELECT value FROM json_each(?))"
_DELETE = "DELETE FROM posts WHERE number IN (SELECT value FROM json_each(?))"


def expire(db: sqlite3.Connection, now: datetime, batch: int, limit: int) -> list[CountRow]:
    """Mark expired posts. Those deleted at their source are counted nowhere: they go at once."""
    gone = db.execute(_GONE, (micros(now),)).fetchall()
    _delete(db, gone, buried=gone, now=now)
    db.execute(_MARK, {"batch": batch, "now": micros(now), "limit": limit})
    return counts_marked(db, batch)


def sweep(db: sqlite3.Connection, batch: int, now: datetime) -> int:
    """Delete the posts of a batch; imported and undated ones could come again, so they leave a tombstone."""
    posts = db.execute(_MARKED, (batch,)).fetchall()
    return _delete(db, posts, buried=[post for post in posts if _could_return(post)], now=now)


def forget(db: sqlite3.Connection, ids: Collection[str], now: datetime) -> int:
    """Delete posts and remember not to take them in again."""
    posts = db.execute(_NAMED, (listed(ids),)).fetchall()
    return _delete(db, posts, buried=posts, now=now)


def _could_return(post: sqlite3.Row) -> bool:
    """Whether neither the age limit of crawls nor a source's cursor keeps the post out."""
    return post["created_at"] is None or post["source"].startswith("import:") or post["state"] == State.DELETED


def _delete(db: sqlite3.Connection, posts: _Rows, *, buried: _Rows, now: datetime) -> int:
    bands_removed(db, posts)
    db.execute(_DELETE, (listed([post["number"] for post in posts]),))
    drop_orphans(db, {post["text_hash"] for post in posts})
    drop_emptied_cards(db, {post[name] for post in posts for name in ("group", "id")}, only_open=False)
    at = micros(now)
    db.executemany("INSERT OR REPLACE INTO tombstones VALUES (?, ?)", [(post["id"], at) for post in buried])
    db.execute("DELETE FROM tombstones WHERE at <= ?", (micros(now - _REMEMBERED),))
    return len(posts)
