"""The posts store in one SQLite file: durable when a call returns, shared by threads and processes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from claimwatch.posts import (
    sqlite_cards,
    sqlite_counts,
    sqlite_groups,
    sqlite_intake,
    sqlite_keeping,
    sqlite_moving,
    sqlite_opinions,
    sqlite_search,
    sqlite_vectors,
)
from claimwatch.posts.base import BATCH, Assessed, CountRow, Found, Kept, Search, Tally, Work
from claimwatch.posts.rows import post_of
from claimwatch.posts.sqlite_file import SqliteFile
from claimwatch.posts.sqlite_standing import listed
from claimwatch.records import Assessment, Card, CardState, CardUpdate, Match, Observation, Post

_BY_ID = "SELECT * FROM posts WHERE id IN (SELECT value FROM json_each(?))"


class SqlitePosts:
    """`Posts` in a SQLite file. Nothing lags: every method sees every acknowledged write."""

    def __init__(self, path: Path, *, patience: float = 10.0, max_pages: int | None = None) -> None:
        """Open or make the file; `patience` is seconds to wait for another writer, `max_pages` stands for the disk."""
        self._file = SqliteFile(path, patience=patience, max_pages=max_pages)

    def add(self, posts: Sequence[Post], *, token: str) -> list[str]:
        """See `Posts`."""
        with self._file.write() as db:
            return sqlite_intake.add(db, posts, token)

    def get(self, ids: Collection[str]) -> dict[str, Post]:
        """See `Posts`."""
        with self._file.read() as db:
            return {row["id"]: post_of(row) for row in db.execute(_BY_ID, (listed(ids),))}

    def pending(self, work: Work, slots: range, *, after: Post | None = None, limit: int = 256) -> list[Post]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_opinions.pending(db, work, slots, after, limit)

    def assess(self, assessed: Sequence[Assessed]) -> None:
        """See `Posts`."""
        with self._file.write() as db:
            sqlite_opinions.assess(db, assessed)

    def assessments(self, ids: Collection[str]) -> dict[str, Assessment]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_opinions.assessments(db, ids)

    def scored(self, hashes: Collection[str], model: str) -> dict[str, Assessed]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_opinions.scored(db, hashes, model)

    def matches(self, ids: Collection[str]) -> dict[str, list[Match]]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_opinions.matches(db, ids)

    def vectors(self, encoder: str, *, after: str = "", limit: int = BATCH) -> list[tuple[str, bytes]]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_vectors.vectors(db, encoder, after, limit)

    def near(self, encoder: str, vector: bytes, *, similarity: float, limit: int = 10_000) -> list[tuple[str, float]]:
        """See `Posts`. Exact."""
        with self._file.read() as db:
            return sqlite_vectors.near(db, encoder, vector, similarity, limit)

    def match(self, matches: Mapping[str, Sequence[Match]]) -> None:
        """See `Posts`."""
        with self._file.write() as db:
            sqlite_opinions.match(db, matches)

    def kin(self, bands: Collection[str], *, limit: int = 200) -> list[Post]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_groups.kin(db, bands, limit)

    def place(self, groups: Mapping[str, str]) -> None:
        """See `Posts`."""
        with self._file.write() as db:
            sqlite_groups.place(db, groups)

    def members(self, group: str, *, limit: int = 50) -> list[Post]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_groups.members(db, group, limit)

    def tallies(self, groups: Collection[str], now: datetime) -> dict[str, Tally]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_groups.tallies(db, groups, now)

    def put_cards(self, cards: Sequence[Card]) -> None:
        """See `Posts`."""
        with self._file.write() as db:
            sqlite_cards.put_cards(db, cards)

    def cards(
        self,
        state: CardState | None = CardState.OPEN,
        *,
        language: str = "",
        claim: str = "",
        after: tuple[float, str] | None = None,
        limit: int = 50,
    ) -> list[Card]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_cards.cards(db, state, {"language": language, "claim": claim}, after, limit)

    def card(self, ids: Collection[str]) -> dict[str, Card]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_cards.card(db, ids)

    def count_cards(self) -> dict[CardState, int]:
        """See `Posts`; states without any are there with 0."""
        with self._file.read() as db:
            return sqlite_cards.count_cards(db)

    def project(self, updates: Sequence[CardUpdate]) -> None:
        """See `Posts`."""
        with self._file.write() as db:
            sqlite_cards.project(db, updates)

    def search(self, search: Search) -> Found:
        """See `Posts`. Flagged means by the newest assessment, decided or not; urgent shows flagged posts alone."""
        with self._file.read() as db:
            return sqlite_search.search(db, search)

    def counts(self, days: Collection[date], *, without: Collection[int] = ()) -> list[CountRow]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_counts.counts(db, days, without)

    def accounts(self, days: Collection[date]) -> dict[str, tuple[int, int]]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_counts.accounts(db, days)

    def observe(self, observations: Sequence[Observation]) -> None:
        """See `Posts`."""
        with self._file.write() as db:
            sqlite_intake.observe(db, observations)

    def expire(self, now: datetime, *, batch: int, limit: int = BATCH) -> list[CountRow]:
        """See `Posts`."""
        with self._file.write() as db:
            return sqlite_keeping.expire(db, now, batch, limit)

    def sweep(self, batch: int, now: datetime) -> int:
        """See `Posts`."""
        with self._file.write() as db:
            return sqlite_keeping.sweep(db, batch, now)

    def forget(self, ids: Collection[str], now: datetime) -> int:
        """See `Posts`."""
        with self._file.write() as db:
            return sqlite_keeping.forget(db, ids, now)

    def dump(self, *, after: str = "", limit: int = BATCH) -> list[Kept]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_moving.dump(db, after, limit)

    def load(self, kept: Sequence[Kept]) -> None:
        """See `Posts`."""
        with self._file.write() as db:
            sqlite_moving.load(db, kept)

    def tombstones(self, *, after: str = "", limit: int = BATCH) -> list[tuple[str, datetime]]:
        """See `Posts`."""
        with self._file.read() as db:
            return sqlite_moving.tombstones(db, after, limit)

    def bury(self, tombstones: Sequence[tuple[str, datetime]]) -> None:
        """See `Posts`."""
        with self._file.write() as db:
            sqlite_moving.bury(db, tombstones)

    def refresh(self) -> None:
        """See `Posts`. Nothing to do: searches never lag."""

    def close(self) -> None:
        """See `Posts`."""
        self._file.close()
