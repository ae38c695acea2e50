"""Searches. None joins a whole match list or ranks a whole table: each stops early or stays within a window."""

import sqlite3
from typing import Any

from claimwatch.posts.base import Found, Search
from claimwatch.posts.rows import post_of
from claimwatch.posts.sqlite_standing import listed
from claimwatch.text.fold import search_terms
from claimwatch.text.passages import PREFIX

#: Relevance is judged over so many newest matches: 9 ms in the middle at a million posts, 65 at the 95th of 100.
WINDOW = 10_000

_FILTERS = """
  AND (:language = '' OR p.language = :language) AND (:source = '' OR p.source = :source)
  AND (:claim = '' OR p.claim = :claim) AND (:flag IS NULL OR p.flag = :flag) AND p.state <> 'deleted'"""
_NEWEST = " ORDER BY p.number DESC LIMIT :limit OFFSET :offset"
_NEWEST_MATCH = " ORDER BY w.rowid DESC LIMIT :limit OFFSET :offset"
#: Posts of open cards by the card's priority, then the rest, newest first.
_URGENT = """
  ORDER BY CASE WHEN c.state = 'open' THEN c.priority ELSE -1.0 END DESC, p.number DESC LIMIT :limit OFFSET :offset"""
_RANKED = " ORDER BY w.rank, p.number DESC LIMIT :limit OFFSET :offset"

#: Where to begin without words, best first: SQLite would have to guess which of several filters leaves least.
_WALKS = {
    "claim": "SELECT p.number FROM posts p INDEXED BY posts_claim WHERE p.claim = :claim AND p.claim <> ''",
    "flag": "SELECT p.number FROM posts p INDEXED BY posts_flag WHERE p.flag = 1",
    "source": "SELECT p.number FROM posts p INDEXED BY posts_source WHERE p.source = :source",
    "language": "SELECT p.number FROM posts p INDEXED BY posts_language WHERE p.language = :language",
}
_WALK_ALL = "SELECT p.number FROM posts p WHERE p.number > 0"
_URGENT_ALL = """
SELECT p.number FROM posts p INDEXED BY posts_flagged LEFT JOIN cards c ON c.id = p."group" WHERE p.flag = 1"""

_MATCHING = "SELECT p.number FROM words w CROSS JOIN posts p ON p.number = w.rowid WHERE w.words MATCH :words"
_MATCHING_FLAGGED = """
SELECT p.number FROM flagged_words w CROSS JOIN posts p ON p.number = w.rowid WHERE w.flagged_words MATCH :words"""
_URGENT_MATCHING = """
SELECT p.number FROM flagged_words w CROSS JOIN posts p ON p.number = w.rowid LEFT JOIN cards c ON c.id = p."group"
WHERE w.flagged_words MATCH :words"""
_NEAR = """
SELECT p.number FROM (
  SELECT rowid AS number, bm25(words) AS rank FROM words WHERE words MATCH :words ORDER BY rowid DESC LIMIT :window) w
CROSS JOIN posts p ON p.number = w.number WHERE 1"""
_NEAR_FLAGGED = """
SELECT p.number FROM (
  SELECT rowid AS number, bm25(flagged_words) AS rank FROM flagged_words WHERE flagged_words MATCH :words
  ORDER BY rowid DESC LIMIT :window) w
CROSS JOIN posts p ON p.number = w.number WHERE 1"""
_BEYOND = "SELECT 1 FROM words WHERE words MATCH :words LIMIT 1 OFFSET :window"
_BEYOND_FLAGGED = "SELECT 1 FROM flagged_words WHERE flagged_words MATCH :words LIMIT 1 OFFSET :window"
_SHOWN = "SELECT * FROM posts WHERE number IN (SELECT value FROM json_each(?))"


def search(db: sqlite3.Connection, asked: Search) -> Found:
    """One page of the posts that match."""
    terms = search_terms(asked.words)
    if not terms and asked.words.strip():
        return Found(posts=(), more=False)  # signs alone: no word of any post
    values = _values(asked, terms)
    numbers = [row["number"] for row in db.execute(_statement(asked, worded=bool(terms)), values)]
    rows = {row["number"]: row for row in db.execute(_SHOWN, (listed(numbers[: asked.limit]),))}
    return Found(
        posts=tuple(post_of(rows[number]) for number in numbers[: asked.limit]),
        more=len(numbers) > asked.limit,
        window=_window(db, asked, values) if terms and asked.order == "relevance" else None,
    )


def matching(terms: list[str]) -> str:
    """The words as FTS5 reads them: each quoted, so that none is an operator; the last may go on."""
    quoted = [f'"{term}"' for term in terms]
    return " ".join(quoted) + ("*" if len(terms[-1]) >= PREFIX else "")


def _values(asked: Search, terms: list[str]) -> dict[str, Any]:
    return {
        "words": matching(terms) if terms else "",
        "language": asked.language,
        "source": asked.source,
        "claim": asked.claim,
        "flag": asked.flagged,
        "limit": asked.limit + 1,
        "offset": asked.offset,
        "window": WINDOW,
    }


def _statement(asked: Search, *, worded: bool) -> str:
    if asked.order == "urgent":
        return (_URGENT_MATCHING if worded else _URGENT_ALL) + _FILTERS + _URGENT
    if not worded:
        return _walk(asked) + _FILTERS + _NEWEST
    if asked.order == "relevance":
        return (_NEAR_FLAGGED if asked.flagged else _NEAR) + _FILTERS + _RANKED
    return (_MATCHING_FLAGGED if asked.flagged else _MATCHING) + _FILTERS + _NEWEST_MATCH


def _walk(asked: Search) -> str:
    given = {"claim": asked.claim, "flag": asked.flagged, "source": asked.source, "language": asked.language}
    return next((_WALKS[name] for name, value in given.items() if value), _WALK_ALL)


def _window(db: sqlite3.Connection, asked: Search, values: dict[str, Any]) -> int | None:
    """The window, where there are matches beyond it."""
    beyond = db.execute(_BEYOND_FLAGGED if asked.flagged else _BEYOND, values).fetchone()
    return WINDOW if beyond else None
