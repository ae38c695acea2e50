"""One Elasticsearch cluster under one prefix: asking, writing in bulk, plain words for its complaints."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from elastic_transport import ConnectionError as Unreachable
from elastic_transport import ConnectionTimeout, TlsError, TransportError
from elasticsearch import ApiError, AuthenticationException, AuthorizationException, Elasticsearch

from claimwatch import metrics
from claimwatch.errors import ClaimwatchError, ConfigError, StoreError

#: Seconds that a refused write is tried again, and the first wait.
_PATIENCE, _FIRST = 30.0, 0.1
_PAGE = 1_000
#: Items of one bulk request, and documents asked for at once.
_ITEMS, _READ = 2_000, 10_000
#: An item refused so is tried again: too busy, blocked while its slice is dropped or a disk is full, no copy at hand.
_BUSY = 429
_LATER = (403, _BUSY, 503)
_MISSING = {"type": "index_not_found_exception"}
_BLOCKED = "cluster_block_exception"
_NOT_AT_HAND = "Elasticsearch: a shard is not at hand just now: try again, or see `claimwatch doctor`"
#: Elasticsearch's own bound on the values of one terms query.
TERMS = 10_000

Doc = dict[str, Any]


class _BusyError(StoreError):
    """The cluster takes nothing more just now. A bulk write waits; anything else fails."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A document as it was read, with what a conditional write of it must name."""

    index: str
    id: str
    doc: Doc
    seq_no: int
    primary_term: int


@dataclass(frozen=True, slots=True)
class Write:
    """One item of a bulk request."""

    op: str  #: create, index or delete
    index: str
    id: str
    doc: Doc | None = None
    seen: Hit | None = None  #: written only if nobody wrote it since


class Elastic:
    """The client with our prefix. Every error of it becomes one line for the operator."""

    def __init__(self, client: Elasticsearch, prefix: str) -> None:
        self.client = client
        self.prefix = prefix

    def name(self, part: str) -> str:
        """The full name of an index or a pattern."""
        return f"{self.prefix}-{part}"

    def mget(self, wanted: Sequence[tuple[str, str]]) -> list[Hit]:
        """Documents by (index, id), as of this moment; those not there are left out."""
        found = (one for part in in_parts(wanted, _READ) for one in self._mget_once(part))
        return [
            Hit(one["_index"], one["_id"], one["_source"], one["_seq_no"], one["_primary_term"])
            for one in found
            if one.get("found")
        ]

    def there(self, wanted: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of the documents, by (index, id), that there are at this moment."""
        only = {"source": False, "filter_path": "docs.found,docs.error.type"}
        found = (one for part in in_parts(wanted, _READ) for one in self._mget_once(part, **only))
        return [place for place, one in zip(wanted, found, strict=True) if one.get("found")]

    def search(self, part: str, **body: Any) -> Doc:
        """A search of the indices of one part; none yet is an empty answer."""
        with told():
            return dict(
                self.client.search(
                    index=self.name(part),
                    ignore_unavailable=True,
                    allow_no_indices=True,
                    allow_partial_search_results=False,  # a count over half the posts would be believed
                    **body,
                )
            )

    def hits(self, part: str, **body: Any) -> list[Doc]:
        """The documents that a search found."""
        body.setdefault("track_total_hits", False)
        return [hit["_source"] for hit in self.search(part, **body)["hits"]["hits"]]

    def count(self, part: str, query: Doc) -> int:
        """How many documents match."""
        return int(self.search(part, query=query, size=0, track_total_hits=True)["hits"]["total"]["value"])

    def walk(self, part: str, query: Doc, *, fields: Sequence[str] | None = None) -> Iterator[list[Hit]]:
        """Every document that matches, page by page, as of the moment of the first (a point in time)."""
        names = self.indices(part)
        if not names:
            return
        with told():
            opened = self.client.open_point_in_time(index=names, keep_alive="2m", ignore_unavailable=True)["id"]
        try:
            yield from self._pages(opened, query, fields)
        finally:
            with suppress(ClaimwatchError), told():  # where nobody answers it ends by itself
                self.client.close_point_in_time(id=opened)

    def composite(self, part: str, query: Doc, keys: Sequence[str], aggs: Doc | None = None) -> Iterator[Doc]:
        """Every bucket of documents that share these keys, exactly counted."""
        sources = [{key: {"terms": {"field": key}}} for key in keys]
        after: Doc | None = None
        while True:
            pages: Doc = {"size": _PAGE, "sources": sources} | ({"after": after} if after else {})
            asked: Doc = {"all": {"composite": pages} | ({"aggs": aggs} if aggs else {})}
            found = self.search(part, size=0, query=query, aggs=asked, track_total_hits=False)
            found = found.get("aggregations", {}).get("all", {"buckets": []})
            yield from found["buckets"]
            after = found.get("after_key")
            if after is None or len(found["buckets"]) < _PAGE:
                return

    def indices(self, part: str) -> list[str]:
        """The indices of one part that there are."""
        with told():
            found = self.client.indices.get_alias(index=self.name(part), allow_no_indices=True, ignore_unavailable=True)
        return sorted(found)

    def make(self, part: str) -> None:
        """Make an index of one part, if there is none."""
        with told():
            if not self.client.indices.exists(index=self.name(part)):
                self.client.options(ignore_status=400).indices.create(index=self.name(part))  # 400: somebody just did

    def refresh(self, part: str) -> None:
        """Make everything acknowledged visible to searches of one part."""
        with told():
            found = self.client.indices.refresh(index=self.name(part), ignore_unavailable=True, allow_no_indices=True)
        if found["_shards"]["failed"]:
            raise StoreError(_NOT_AT_HAND)

    def bulk(self, writes: Sequence[Write]) -> dict[tuple[str, str], int]:
        """Write items; the status of each by (index, id), those of `_LATER` tried again for `_PATIENCE` seconds."""
        statuses: dict[tuple[str, str], int] = {}
        left, wait, deadline = list(writes), _FIRST, time.monotonic() + _PATIENCE
        while left:
            found = {key: status for part in in_parts(left, _ITEMS) for key, status in self._bulk_once(part).items()}
            statuses |= found
            left = [one for one in left if found[one.index, one.id] in _LATER]
            if left and time.monotonic() > deadline:
                raise StoreError(
                    "Elasticsearch takes no writes (overloaded, or a disk is full): see `claimwatch doctor`; "
                    "nothing acknowledged was lost"
                )
            if left:
                time.sleep(wait * random.uniform(0.5, 1))  # noqa: S311  jitter
                wait = min(5.0, wait * 2)
        return statuses

    def rewrite(self, read: Callable[[], Sequence[Hit]], change: Callable[[list[Hit]], Mapping[str, Doc]]) -> None:
        """Read documents and write the changed ones, by id, if nobody wrote them meanwhile; else again."""
        deadline, wait = time.monotonic() + _PATIENCE, _FIRST / 4
        again: set[str] | None = None
        while again is None or again:
            hits = {hit.id: hit for hit in read() if again is None or hit.id in again}
            changed = change(list(hits.values()))
            writes = [Write("index", hits[id_].index, id_, doc, hits[id_]) for id_, doc in changed.items()]
            statuses = self.bulk(writes)
            failed = sorted({status for status in statuses.values() if status >= 400 and status not in (404, 409)})
            if failed:
                raise StoreError(f"Elasticsearch refused a write (status {failed[0]}): see its log")
            again = {id_ for (_, id_), status in statuses.items() if status == 409}
            if again and time.monotonic() > deadline:
                raise StoreError("Elasticsearch: others kept writing the same posts: try again")
            if again:
                time.sleep(wait * random.uniform(0.5, 1))  # noqa: S311  jitter
                wait = min(1.0, wait * 2)

    def put(self, writes: Sequence[Write]) -> None:
        """Write items as they are; a deletion of what is gone and a creation of what is there are done already."""
        for status in self.bulk(writes).values():
            if status >= 400 and status not in (404, 409):
                raise StoreError(f"Elasticsearch refused a write (status {status}): see its log")

    def count_dead(self, items: int) -> None:
        """Note items that can never be written."""
        metrics.DEAD_LETTERS.inc(items)
        name = self.name("facts")
        self.put([Write("create", name, "dead-letters", {"count": 0})])

        def change(hits: list[Hit]) -> dict[str, Doc]:
            return {hit.id: {"count": hit.doc["count"] + items} for hit in hits}

        self.rewrite(lambda: self.mget([(name, "dead-letters")]), change)

    def dead(self) -> int:
        """How many items could never be written, over all processes."""
        return sum(hit.doc["count"] for hit in self.mget([(self.name("facts"), "dead-letters")]))

    def close(self) -> None:
        """Let go of every connection."""
        self.client.close()

    def _mget_once(self, wanted: Sequence[tuple[str, str]], **only: Any) -> list[Doc]:
        docs = [{"_index": index, "_id": id_} for index, id_ in wanted]
        with told():
            found = list(self.client.mget(docs=docs, **only)["docs"]) if docs else []
        # A document that cannot be looked at is not one that is not there: a tombstone must not be overlooked.
        if any(one.get("error", _MISSING)["type"] != _MISSING["type"] for one in found):
            raise StoreError(_NOT_AT_HAND)
        return found

    def _bulk_once(self, writes: Sequence[Write]) -> dict[tuple[str, str], int]:
        operations: list[Doc] = []
        for one in writes:
            meta: Doc = {"_index": one.index, "_id": one.id}
            if one.seen:
                meta |= {"if_seq_no": one.seen.seq_no, "if_primary_term": one.seen.primary_term}
            operations.append({one.op: meta})
            if one.doc is not None:
                operations.append(one.doc)
        try:
            with told():
                items = self.client.bulk(operations=operations, filter_path="items.*.status")["items"]
        except _BusyError:
            return {(one.index, one.id): _BUSY for one in writes}
        statuses = (next(iter(item.values()))["status"] for item in items)
        return {(one.index, one.id): status for one, status in zip(writes, statuses, strict=True)}

    def _pages(self, opened: str, query: Doc, fields: Sequence[str] | None) -> Iterator[list[Hit]]:
        after = None
        source: Any = list(fields) if fields is not None else True
        while True:
            with told():
                found = self.client.search(
                    pit={"id": opened, "keep_alive": "2m"},
                    query=query,
                    sort=[{"_shard_doc": "asc"}],
                    search_after=after,
                    size=_PAGE,
                    source=source,
                    allow_partial_search_results=False,
                    seq_no_primary_term=True,
                    track_total_hits=False,
                )
            hits = found["hits"]["hits"]
            if hits:
                yield [
                    Hit(hit["_index"], hit["_id"], hit["_source"], hit["_seq_no"], hit["_primary_term"]) for hit in hits
                ]
            if len(hits) < _PAGE:
                return
            after = hits[-1]["sort"]


@contextmanager
def told() -> Iterator[None]:
    """Turns what the client complains of into one line for the operator."""
    try:
        yield
    except TlsError as error:
        raise ConfigError("Elasticsearch's certificate is not trusted: name its authority in `stores.ca`") from error
    except (Unreachable, ConnectionTimeout) as error:
        raise StoreError(
            f"Elasticsearch does not answer ({type(error).__name__}): check that it runs and what `stores.posts` names"
        ) from error
    except ApiError as error:
        raise _complaint(error) from error
    except TransportError as error:
        raise StoreError(f"Elasticsearch: {type(error).__name__}: see `claimwatch doctor`") from error


def _complaint(error: ApiError) -> ClaimwatchError:
    """What a refusal means for the operator."""
    if isinstance(error, AuthenticationException | AuthorizationException) and error.error != _BLOCKED:
        return ConfigError(
            "Elasticsearch lets us not in: set CLAIMWATCH_ELASTICSEARCH_KEY or CLAIMWATCH_ELASTICSEARCH_PASSWORD, with "
            "all rights on the indices of the prefix, and on the cluster `monitor` and `manage_index_templates`"
        )
    if error.status_code == _BUSY:
        return _BusyError("Elasticsearch is overloaded: try again, or give it more memory")
    return StoreError(f"Elasticsearch: {error.status_code} {error.error}: see `claimwatch doctor`")


def any_of(field: str, values: Sequence[Any]) -> Doc:
    """The query that a field has one of these values."""
    return {"terms": {field: list(values)}}


def all_of(*filters: Doc, without: Sequence[Doc] = ()) -> Doc:
    """The query that all filters hold and none of `without` does; nothing is scored."""
    return {"bool": {"filter": list(filters), "must_not": list(without)}}


def in_parts(values: Sequence[Any], size: int = TERMS) -> Iterator[list[Any]]:
    """Values in pieces that one terms query takes."""
    return (list(values[start : start + size]) for start in range(0, len(values), size))
