"""The posts store in Elasticsearch: durable when a call returns, read by id at once, searched within a second."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Self

from claimwatch.posts import (
    elastic_cards,
    elastic_counts,
    elastic_groups,
    elastic_intake,
    elastic_keeping,
    elastic_moving,
    elastic_opening,
    elastic_opinions,
    elastic_search,
    elastic_vectors,
)
from claimwatch.posts.base import BATCH, Assessed, CountRow, Found, Kept, Search, Tally, Work
from claimwatch.posts.elastic_client import Elastic, all_of
from claimwatch.posts.elastic_docs import post_from
from claimwatch.posts.elastic_slices import POSTS, Slices
from claimwatch.records import Assessment, Card, CardState, CardUpdate, Match, Observation, Post


class ElasticPosts:
    """`Posts` in an Elasticsearch cluster, under one prefix. Any number of processes may share it."""

    def __init__(self, elastic: Elastic) -> None:
        self._elastic = elastic
        self._slices = Slices(elastic)

    @classmethod
    def connect(cls, address: str, *, key: str = "", password: str = "", ca: Path | None = None) -> Self:
        """The store at an address of `Stores.posts`. ConfigError where what is there cannot be used."""
        return cls(elastic_opening.connect(address, key=key, password=password, ca=ca))

    def health(self) -> str:
        """One line for `claimwatch doctor`: the cluster's state and size, and what could never be written."""
        told = elastic_opening.health(self._elastic)
        elastic_opening.refuse_red(told)
        return (
            f"Elasticsearch {', '.join(elastic_opening.versions(self._elastic))} is {told['status']}, "
            f"{told['number_of_nodes']} nodes, {self._elastic.count(POSTS, all_of())} posts in "
            f"{len(self._slices.names())} slices, {self._elastic.dead()} dead letters"
        )

    def add(self, posts: Sequence[Post], *, token: str) -> list[str]:
        """See `Posts`."""
        return elastic_intake.add(self._elastic, self._slices, posts, token)

    def get(self, ids: Collection[str]) -> dict[str, Post]:
        """See `Posts`."""
        return {id_: post_from(hit.doc) for id_, hit in self._slices.read(ids).items()}

    def pending(self, work: Work, slots: range, *, after: Post | None = None, limit: int = 256) -> list[Post]:
        """See `Posts`."""
        return elastic_opinions.pending(self._elastic, work, slots, after, limit)

    def assess(self, assessed: Sequence[Assessed]) -> None:
        """See `Posts`."""
        elastic_opinions.assess(self._elastic, self._slices, assessed)

    def assessments(self, ids: Collection[str]) -> dict[str, Assessment]:
        """See `Posts`."""
        return elastic_opinions.assessments(self._slices, ids)

    def scored(self, hashes: Collection[str], model: str) -> dict[str, Assessed]:
        """See `Posts`."""
        return elastic_opinions.scored(self._elastic, hashes, model)

    def matches(self, ids: Collection[str]) -> dict[str, list[Match]]:
        """See `Posts`."""
        return elastic_opinions.matches(self._slices, ids)

    def vectors(self, encoder: str, *, after: str = "", limit: int = BATCH) -> list[tuple[str, bytes]]:
        """See `Posts`."""
        return elastic_vectors.vectors(self._elastic, encoder, after, limit)

    def near(self, encoder: str, vector: bytes, *, similarity: float, limit: int = 10_000) -> list[tuple[str, float]]:
        """See `Posts`. Approximate: among many thousand vectors a near one may be missed."""
        return elastic_vectors.near(self._elastic, encoder, vector, similarity, limit)

    def match(self, matches: Mapping[str, Sequence[Match]]) -> None:
        """See `Posts`."""
        elastic_opinions.match(self._elastic, self._slices, matches)

    def kin(self, bands: Collection[str], *, limit: int = 200) -> list[Post]:
        """See `Posts`."""
        return elastic_groups.kin(self._elastic, bands, limit)

    def place(self, groups: Mapping[str, str]) -> None:
        """See `Posts`."""
        elastic_groups.place(self._elastic, self._slices, groups)

    def members(self, group: str, *, limit: int = 50) -> list[Post]:
        """See `Posts`."""
        return elastic_groups.members(self._elastic, group, limit)

    def tallies(self, groups: Collection[str], now: datetime) -> dict[str, Tally]:
        """See `Posts`."""
        return elastic_groups.tallies(self._elastic, groups, now)

    def put_cards(self, cards: Sequence[Card]) -> None:
        """See `Posts`."""
        decided = elastic_cards.put_cards(self._elastic, cards)
        elastic_groups.settle_groups(self._elastic, self._slices, decided)

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
        return elastic_cards.cards(self._elastic, state, {"language": language, "claim": claim}, after, limit)

    def card(self, ids: Collection[str]) -> dict[str, Card]:
        """See `Posts`."""
        return elastic_cards.card(self._elastic, ids)

    def count_cards(self) -> dict[CardState, int]:
        """See `Posts`; states without any are there with 0."""
        return elastic_cards.count_cards(self._elastic)

    def project(self, updates: Sequence[CardUpdate]) -> None:
        """See `Posts`."""
        taken = elastic_cards.project(self._elastic, updates)
        elastic_groups.settle_groups(self._elastic, self._slices, taken)

    def search(self, search: Search) -> Found:
        """See `Posts`. Flagged means by the newest assessment, decided or not; urgent shows flagged posts alone."""
        return elastic_search.search(self._elastic, self._slices, search)

    def counts(self, days: Collection[date], *, without: Collection[int] = ()) -> list[CountRow]:
        """See `Posts`."""
        return elastic_counts.counts(self._elastic, days, elastic_keeping.in_batches(self._elastic, without))

    def accounts(self, days: Collection[date]) -> dict[str, tuple[int, int]]:
        """See `Posts`."""
        return elastic_counts.accounts(self._elastic, days)

    def observe(self, observations: Sequence[Observation]) -> None:
        """See `Posts`."""
        elastic_intake.observe(self._elastic, self._slices, observations)

    def expire(self, now: datetime, *, batch: int, limit: int = BATCH) -> list[CountRow]:
        """See `Posts`."""
        return elastic_keeping.expire(self._elastic, self._slices, now, batch, limit)

    def sweep(self, batch: int, now: datetime) -> int:
        """See `Posts`."""
        return elastic_keeping.sweep(self._elastic, self._slices, batch, now)

    def forget(self, ids: Collection[str], now: datetime) -> int:
        """See `Posts`."""
        return elastic_keeping.forget(self._elastic, self._slices, ids, now)

    def dump(self, *, after: str = "", limit: int = BATCH) -> list[Kept]:
        """See `Posts`."""
        return elastic_moving.dump(self._elastic, after, limit)

    def load(self, kept: Sequence[Kept]) -> None:
        """See `Posts`."""
        elastic_moving.load(self._elastic, self._slices, kept)

    def tombstones(self, *, after: str = "", limit: int = BATCH) -> list[tuple[str, datetime]]:
        """See `Posts`."""
        return elastic_moving.tombstones(self._elastic, after, limit)

    def bury(self, tombstones: Sequence[tuple[str, datetime]]) -> None:
        """See `Posts`."""
        elastic_moving.bury(self._elastic, self._slices, tombstones)

    def refresh(self) -> None:
        """See `Posts`."""
        self._elastic.refresh("*")

    def close(self) -> None:
        """See `Posts`."""
        self._elastic.close()
