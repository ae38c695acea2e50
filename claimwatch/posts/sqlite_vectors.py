"""Vectors of texts, by text and encoder: kept as long as one post says the text."""

import sqlite3
from collections.abc import Collection

from claimwatch.posts.sqlite_standing import listed

_PUT = """
INSERT OR REPLACE INTO vectors SELECT :text_hash, :encoder, :vector
WHERE EXISTS (SELECT 1 FROM posts WHERE text_hash = :text_hash)"""
_WALK = "SELECT text_hash, vector FROM vectors WHERE text_hash > ? AND encoder = ? ORDER BY text_hash LIMIT ?"
_EACH = "SELECT text_hash, vector FROM vectors WHERE encoder = ? AND length(vector) = ? ORDER BY text_hash"
#: Vectors compared at once: a few MB.
_BLOCK = 4_096
_DROP = """
DELETE FROM vectors WHERE text_hash IN (SELECT value FROM json_each(?))
  AND NOT EXISTS (SELECT 1 FROM posts WHERE posts.text_hash = vectors.text_hash)"""


def put_vector(db: sqlite3.Connection, text_hash: str, encoder: str, vector: bytes) -> None:
    """Keep the vector of a text, if a post still says it."""
    db.execute(_PUT, {"text_hash": text_hash, "encoder": encoder, "vector": vector})


def vectors(db: sqlite3.Connection, encoder: str, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Kept vectors by text_hash, in its order."""
    return [(row["text_hash"], row["vector"]) for row in db.execute(_WALK, (after, encoder, limit))]


def near(db: sqlite3.Connection, encoder: str, vector: bytes, similarity: float, limit: int) -> list[tuple[str, float]]:
    """Texts by cosine to a vector, exactly: every vector is looked at."""
    import numpy as np

    asked = np.frombuffer(vector, np.int8).astype(np.float32)
    length = float(np.linalg.norm(asked))
    rows = db.execute(_EACH, (encoder, len(vector)))
    found: list[tuple[str, float]] = []
    while length and (block := rows.fetchmany(_BLOCK)):
        kept = np.frombuffer(b"".join(row["vector"] for row in block), np.int8).reshape(len(block), -1)
        kept = kept.astype(np.float32)
        lengths = np.sqrt(np.einsum("nd,nd->n", kept, kept))
        cosines = kept @ asked / np.maximum(lengths * length, 1e-9)
        found += [(block[n]["text_hash"], float(cosines[n])) for n in np.flatnonzero(cosines >= similarity)]
        found = sorted(found, key=lambda pair: (-pair[1], pair[0]))[:limit]
    return found


def drop_orphans(db: sqlite3.Connection, hashes: Collection[str]) -> None:
    """Drop the vectors of those of these texts that no post says any more."""
    db.execute(_DROP, (listed(hashes),))
