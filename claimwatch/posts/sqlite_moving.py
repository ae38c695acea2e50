"""Posts carried whole out of the file and into it, and the tombstones with them."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime

from claimwatch.posts.base import Kept
from claimwatch.posts.rows import (
    assessment_of,
    assessment_row,
    instant,
    match_of,
    match_row,
    micros,
    observation_of,
    post_of,
    post_row,
)
from claimwatch.posts.sqlite_groups import bands_added, bands_removed
from claimwatch.posts.sqlite_intake import observe
from claimwatch.posts.sqlite_standing import drop_emptied_cards, listed, settle
from claimwatch.posts.sqlite_vectors import drop_orphans, put_vector
from claimwatch.records import Assessment

#: Row numbers are the order in which posts were met. A post carried in gets one by its first sight: of each second
#: since 2000 the first 1,024 in turn; where more share it, the next free one of 17 minutes, then of 12 days.
_WIDTHS = (1 << 10, 1 << 20, 1 << 30)
_START = datetime(2000, 1, 1, tzinfo=UTC)

_PAGE = "SELECT * FROM posts WHERE id > ? ORDER BY id LIMIT ?"
_HERE = "SELECT * FROM posts WHERE id IN (SELECT value FROM json_each(?))"
_OF_POSTS = {
    "assessments": """
SELECT p.id, a.* FROM assessments a JOIN posts p ON p.number = a.post
WHERE a.post IN (SELECT value FROM json_each(?))
ORDER BY a.text_hash = p.text_hash, a.model = p.model, a.text_hash, a.model""",
    "matches": """
SELECT p.id, m.* FROM matches m JOIN posts p ON p.number = m.post WHERE m.post IN (SELECT value FROM json_each(?))
ORDER BY m.text_hash, m.claim, m.claim_version""",
    "observations": """
SELECT p.id, o.* FROM observations o JOIN posts p ON p.number = o.post
WHERE o.post IN (SELECT value FROM json_each(?)) ORDER BY o.source, o.at""",
    "writes": """
SELECT p.id, w.* FROM writes w JOIN posts p ON p.number = w.post
WHERE w.post IN (SELECT value FROM json_each(?)) ORDER BY w.source""",
    "vectors": """
SELECT p.id, v.* FROM vectors v JOIN posts p ON p.text_hash = v.text_hash
WHERE p.number IN (SELECT value FROM json_each(?)) ORDER BY v.encoder""",
}
_TOP = "SELECT max(number) FROM posts WHERE number >= ? AND number < ?"
_BURIED = "SELECT * FROM tombstones WHERE id > ? ORDER BY id LIMIT ?"
_BURY = "INSERT OR REPLACE INTO tombstones SELECT :id, :at WHERE NOT EXISTS (SELECT 1 FROM posts WHERE id = :id)"


def dump(db: sqlite3.Connection, after: str, limit: int) -> list[Kept]:
    """Posts by id with all that hangs on them."""
    rows = db.execute(_PAGE, (after, limit)).fetchall()
    numbers = listed([row["number"] for row in rows])
    parts = {name: _by_post(db.execute(query, (numbers,))) for name, query in _OF_POSTS.items()}
    return [_kept(row, {name: found.get(row["id"], []) for name, found in parts.items()}) for row in rows]


def load(db: sqlite3.Connection, kept: Sequence[Kept]) -> None:
    """Put posts in the place of those here under their ids; one met again keeps its row number."""
    here = {row["id"]: row for row in db.execute(_HERE, (listed([one.post.id for one in kept]),))}
    bands_removed(db, here.values())
    db.executemany("DELETE FROM posts WHERE number = ?", [(row["number"],) for row in here.values()])
    numbers = {one.post.id: _load_one(db, one, here.get(one.post.id)) for one in kept}
    observe(db, [seen for one in kept for seen in one.observations])
    bands_added(db, [numbers[one.post.id] for one in kept if one.post.group])
    drop_orphans(db, {row["text_hash"] for row in here.values()})
    drop_emptied_cards(db, {row["group"] for row in here.values()}, only_open=True)
    settle(db, numbers.values())


def tombstones(db: sqlite3.Connection, after: str, limit: int) -> list[tuple[str, datetime]]:
    """Forgotten ids with the time, by id."""
    return [(row["id"], instant(row["at"])) for row in db.execute(_BURIED, (after, limit))]


def bury(db: sqlite3.Connection, found: Sequence[tuple[str, datetime]]) -> None:
    """Write tombstones, but not over posts that are kept."""
    db.executemany(_BURY, [{"id": id_, "at": micros(at)} for id_, at in found])


def _by_post(rows: sqlite3.Cursor) -> dict[str, list[sqlite3.Row]]:
    found: dict[str, list[sqlite3.Row]] = {}
    for row in rows:
        found.setdefault(row["id"], []).append(row)
    return found


def _kept(row: sqlite3.Row, parts: dict[str, list[sqlite3.Row]]) -> Kept:
    return Kept(
        post=post_of(row),
        assessments=tuple(assessment_of(one) for one in parts["assessments"]),
        matches=tuple((one["model"], match_of(one)) for one in parts["matches"]),
        observations=tuple(observation_of(one) for one in parts["observations"]),
        writes=tuple((one["source"], one["token"], one["outcome"]) for one in parts["writes"]),
        vectors=tuple((one["encoder"], one["vector"]) for one in parts["vectors"]),
        batch=row["batch"],
    )


def _load_one(db: sqlite3.Connection, one: Kept, before: sqlite3.Row | None) -> int:
    number = int(before["number"]) if before else _free_number(db, one.post.first_seen)
    standing = _standing(one)
    values = post_row(one.post) | {
        "number": number,
        "batch": one.batch,
        "model": standing.model if standing else "",
    }
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(f":{name}" for name in values)
    db.execute(f"INSERT INTO posts ({names}) VALUES ({marks})", values)  # noqa: S608  the names are post_row's own
    said = [assessment_row(assessment, number) for assessment in one.assessments]
    db.executemany("INSERT INTO assessments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", said)
    db.executemany("INSERT OR IGNORE INTO models VALUES (?)", [(each.model,) for each in one.assessments])
    matches = [match_row(match, number, model) for model, match in one.matches]
    db.executemany("INSERT OR REPLACE INTO matches VALUES (?, ?, ?, ?, ?, ?, ?)", matches)
    db.executemany("INSERT INTO writes VALUES (?, ?, ?, ?)", [(number, *write) for write in one.writes])
    for encoder, vector in one.vectors:
        put_vector(db, one.post.text_hash, encoder, vector)
    return number


def _standing(one: Kept) -> Assessment | None:
    """The assessment of the present text that holds: the last."""
    of_text = [said for said in one.assessments if said.text_hash == one.post.text_hash]
    return of_text[-1] if of_text else None


def _free_number(db: sqlite3.Connection, first_seen: datetime) -> int:
    start = max(0, int((first_seen - _START).total_seconds())) * _WIDTHS[0] + 1
    for width in _WIDTHS:
        top = db.execute(_TOP, (start, start + width)).fetchone()[0]
        if top is None:
            return start
        if top + 1 < start + width:
            return int(top) + 1
    return int(db.execute("SELECT max(number) FROM posts").fetchone()[0]) + 1
