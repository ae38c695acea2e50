"""SQLite against Elasticsearch against the bare client, on the same synthetic posts, in one run."""

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from claimwatch.posts.base import Posts, Search
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.records import CardState, Post
from jobs.bench.synthetic import NOW, card, is_flagged, kept, made_posts, vocabulary
from jobs.bench.timing import Side, in_turns

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

#: Posts filled in at once, and posts of one page that a crawl brings.
_FILL, _PAGE = 2_000, 500
#: Posts whose ingest is timed at each size.
_PROBE = 10_000
_ROUNDS = 60
#: Ranks of the words asked for: frequent enough to match much, not in every post.
_RANKS = (40, 1_500)
SQLITE, ELASTIC, BARE = "SQLite", "Elasticsearch", "bare client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured at one size: seconds per round of each operation on each side."""

    posts: int
    sides: dict[str, dict[str, Side]] = field(default_factory=dict)  #: by operation, then side

    def ratio(self, operation: str, over: str, under: str) -> float:
        """How many times the median of one side another's is."""
        return self.sides[operation][over].median / self.sides[operation][under].median


@dataclass(slots=True, kw_only=True)
class Bench:
    """The stores under test, filled alike."""

    sqlite: SqlitePosts
    elastic: Posts | None = None
    bare: "Bare | None" = None
    filled: int = 0

    @property
    def stores(self) -> dict[str, Posts]:
        """Our own stores by name."""
        return {SQLITE: self.sqlite} | ({ELASTIC: self.elastic} if self.elastic else {})

    def grow(self, size: int, advance: Callable[[int], object]) -> None:
        """Fill every store up to this many posts, assessed, placed, the flagged with cards."""
        for start in range(self.filled, size, _FILL):
            page = list(made_posts(start, min(start + _FILL, size)))
            for store in self.stores.values():
                store.load([kept(post) for post in page])
                store.put_cards([card(post) for post in page if is_flagged(post)])
            advance(len(page))
        self.filled = max(self.filled, size)
        for store in self.stores.values():
            store.refresh()

    def measure(self) -> Figures:
        """Every operation at the present size."""
        figures = Figures(posts=self.filled)
        figures.sides["queue page"] = in_turns(self._queue_pages(), range(_ROUNDS))
        for name, search in _searches().items():
            figures.sides[name] = in_turns(self._searching(name, search), range(_ROUNDS))
        figures.sides["weekly counts"] = in_turns(self._weeks(), range(8))
        figures.sides["ingest of 500 posts"] = self._ingest()
        return figures

    def _queue_pages(self) -> dict[str, Callable[[int], object]]:
        """The page behind a random place of the queue, in one language."""
        places = np.random.default_rng(3).random(_ROUNDS) * 31

        def ours(store: Posts) -> Callable[[int], object]:
            return lambda n: store.cards(CardState.OPEN, language="vi", after=(places[n], ""), limit=50)

        sides = {name: ours(store) for name, store in self.stores.items()}
        return sides | ({BARE: self.bare.queue_page(places)} if self.bare else {})

    def _searching(self, name: str, made: Callable[[str], Search]) -> dict[str, Callable[[int], object]]:
        words = two_words(_ROUNDS)

        def ours(store: Posts) -> Callable[[int], object]:
            return lambda n: store.search(made(words[n]))

        sides = {side: ours(store) for side, store in self.stores.items()}
        return sides | ({BARE: self.bare.search(name, words)} if self.bare else {})

    def _weeks(self) -> dict[str, Callable[[int], object]]:
        """What a weekly report asks of the posts: counts and accounts of its seven days."""

        def ours(store: Posts) -> Callable[[int], object]:
            def ask(week: int) -> None:
                days = [(NOW - timedelta(days=7 * week + day)).date() for day in range(7)]
                store.counts(days)
                store.accounts(days)

            return ask

        return {name: ours(store) for name, store in self.stores.items()}

    def _ingest(self) -> dict[str, Side]:
        """Pages of new posts, each side in turn; the bare client writes what ours wrote, into an index of its own."""
        pages = [list(page) for page in _batched(made_posts(self.filled, self.filled + _PROBE), _PAGE)]
        found = {name: Side() for name in self.stores} | ({BARE: Side()} if self.bare else {})
        for number, page in enumerate(pages):
            for name, store in self.stores.items():
                begun = perf_counter()
                store.add(page, token=f"page {self.filled} {number}")
                found[name].seconds.append(perf_counter() - begun)
            if self.bare:
                found[BARE].seconds.append(self.bare.ingest([post.id for post in page]))
        for store in self.stores.values():
            store.forget([post.id for page in pages for post in page], NOW)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """The Elasticsearch client by itself, asked for the same as our store asks."""

    client: "Elasticsearch"
    prefix: str

    def prepare(self) -> None:
        """An index of the same mapping and settings as a slice of ours."""
        slice_ = next(iter(self.client.indices.get(index=f"{self.prefix}-posts-*").body.values()))
        kept_settings = slice_["settings"]["index"]
        names = ("number_of_shards", "auto_expand_replicas", "refresh_interval", "analysis")
        settings = {name: kept_settings[name] for name in names if name in kept_settings}
        self.client.indices.create(index=f"{self.prefix}-bare", mappings=slice_["mappings"], settings=settings)

    def ingest(self, ids: Sequence[str]) -> float:
        """Seconds to write with the bulk helper the very documents that our store just wrote."""
        from elasticsearch import helpers

        self.client.indices.refresh(index=f"{self.prefix}-posts-*")
        query = {"terms": {"_id": list(ids)}}
        hits = self.client.search(index=f"{self.prefix}-posts-*", query=query, size=len(ids))["hits"]["hits"]
        assert len(hits) == len(ids)
        actions = [
            {"_op_type": "create", "_index": f"{self.prefix}-bare", "_id": hit["_id"], "_source": hit["_source"]}
            for hit in hits
        ]
        begun = perf_counter()
        helpers.bulk(self.client, actions, chunk_size=_PAGE)
        return perf_counter() - begun

    def queue_page(self, places: Any) -> Callable[[int], object]:
        """A page of cards."""
        filters = [{"term": {"state": "open"}}, {"term": {"language": "vi"}}]

        def ask(number: int) -> object:
            return self.client.search(
                index=f"{self.prefix}-cards",
                query={"bool": {"filter": filters}},
                sort=[{"priority": "desc"}, {"id": "asc"}],
                search_after=[places[number], ""],
                size=50,
                track_total_hits=False,
            )

        return ask

    def search(self, name: str, words: Sequence[str]) -> Callable[[int], object]:
        """A page of posts by two words."""
        flagged = [{"term": {"flag": True}}, {"term": {"language": "vi"}}] if "flagged" in name else []
        sort: list[Any] = ["_score"] if "relevance" in name else [{"number": "desc"}]

        def ask(number: int) -> object:
            folded = {"match": {"words": {"query": words[number], "operator": "and"}}}
            query = {
                "bool": {"must": [folded], "filter": [*flagged, {"bool": {"must_not": {"term": {"state": "deleted"}}}}]}
            }
            return self.client.search(
                index=f"{self.prefix}-posts-*", query=query, sort=sort, size=26, track_total_hits=False
            )

        return ask


@contextmanager
def opened(folder: Path, address: str) -> Iterator[Bench]:
    """Empty stores; those on the server `address` (empty: none) are deleted at the end."""
    sqlite = SqlitePosts(folder / "posts.db")
    try:
        if not address:
            yield Bench(sqlite=sqlite)
            return
        with _served(address) as (elastic, bare):
            yield Bench(sqlite=sqlite, elastic=elastic, bare=bare)
    finally:
        sqlite.close()


@contextmanager
def _served(address: str) -> Iterator[tuple[Posts, Bare]]:
    from elasticsearch import Elasticsearch

    from claimwatch.posts.elastic import ElasticPosts

    prefix = f"claimwatch-bench-{uuid.uuid4().hex[:8]}"
    client = Elasticsearch(address.split(","), request_timeout=120)
    elastic = ElasticPosts.connect(f"elasticsearch+{address}/{prefix}")
    try:
        elastic.load([kept(post) for post in made_posts(0, 1)])
        bare = Bare(client=client, prefix=prefix)
        bare.prepare()
        yield elastic, bare
    finally:
        elastic.close()
        for name in client.indices.get(index=f"{prefix}-*", expand_wildcards="all"):
            client.indices.delete(index=name)
        for template in client.indices.get_index_template(name=f"{prefix}*")["index_templates"]:
            client.indices.delete_index_template(name=template["name"])
        client.close()


def two_words(count: int) -> list[str]:
    """Queries of two words of middling frequency."""
    random = np.random.default_rng(5)
    words = vocabulary()
    return [" ".join(words[rank] for rank in random.integers(*_RANKS, size=2)) for _ in range(count)]


def _searches() -> dict[str, Callable[[str], Search]]:
    return {
        "two words, newest": lambda words: Search(words=words),
        "two words, by relevance": lambda words: Search(words=words, order="relevance"),
        "two words, flagged, newest": lambda words: Search(words=words, flagged=True, language="vi"),
        "two words, flagged, urgent": lambda words: Search(words=words, flagged=True, language="vi", order="urgent"),
    }


def _batched(posts: Iterator[Post], size: int) -> Iterator[list[Post]]:
    while page := list(itertools.islice(posts, size)):
        yield page
