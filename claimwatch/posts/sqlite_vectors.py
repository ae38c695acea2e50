"""Vectors of texts, by text and encoder: kept as long as one post says the text."""

import sqlite3
from collections.abc import Collection

from claimwatch.posts.sqlite_standing import listed

_PUT = """
INSERT OR REPLACE INTO vectors SELECT :text_hash, :encoder, :vector
WHERE EXISTS (SELECT 1 FROM posts WHERE text_hash = :text_hash)"""
_WALK = "SELECT text_hash, vector FROM vectors WHERE text_hash > ? AND encoder = ? ORDER BY text_hash LIMIT ?"
_DROP = """
DELETE FROM vectors WHERE text_hash IN (SELECT value FROM json_each(?))
  AND NOT EXISTS (SELECT 1 FROM posts WHERE posts.text_hash = vectors.text_hash)"""


def put_vector(db: sqlite3.Connection, text_hash: str, encoder: str, vector: bytes) -> None:
    """Keep the vector of a text, if a post still says it."""
    db.execute(_PUT, {"text_hash": text_hash, "encoder": encoder, "vector": vector})


def vectors(db: sqlite3.Connection, encoder: str, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Kept vectors by text_hash, in its order."""
    return [(row["text_hash"], row["vector"]) for row in db.execute(_WALK, (after, encoder, limit))]


def drop_orphans(db: sqlite3.Connection, hashes: Collection[str]) -> None:
    """Drop the vectors of those of these texts that no post says any more."""
    db.execute(_DROP, (listed(hashes),))
