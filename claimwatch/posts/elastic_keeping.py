"""Forgetting posts in time or on request: whole slices where all in them has expired, else one by one."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from claimwatch.posts.base import CountRow
from claimwatch.posts.elastic_client import Doc, Elastic, Hit, Write, all_of, any_of, told
from claimwatch.posts.elastic_counts import counts_marked
from claimwatch.posts.elastic_docs import is_deleted
from claimwatch.posts.elastic_gone import drop_emptied_cards, drop_orphans
from claimwatch.posts.elastic_slices import POSTS, UNDATED, Slices
from claimwatch.posts.rows import micros
from claimwatch.records import State

#: How long a forgotten post is not taken in again; by then no crawl looks so far back.
_REMEMBERED = timedelta(days=400)
_DELETED = any_of("state", [State.DELETED.value])
_MARKED: Doc = {"exists": {"field": "batch"}}
#: From so many posts on, a slice is dropped whole rather than emptied.
WHOLE = 10_000
#: What deleting a post needs to know of it.
_FIELDS = ("created_at", "source", "state", "text_hash", "group")


@dataclass(slots=True)
class _Gone:
    """What deleted posts leave to be looked at."""

    hashes: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    posts: int = 0

    def note(self, hits: Iterable[Hit]) -> None:
        for hit in hits:
            self.posts += 1
            self.hashes.add(hit.doc["text_hash"])
            self.groups |= {hit.id, hit.doc["group"] or hit.id}


def expire(elastic: Elastic, slices: Slices, now: datetime, batch: int, limit: int) -> list[CountRow]:
    """Mark expired posts. Those deleted at their source are counted nowhere: they go at once."""
    elastic.refresh(POSTS)
    expired: Doc = {"range": {"expires_at": {"lte": micros(now)}}}
    _delete(elastic, slices, all_of(expired, _DELETED, without=[_MARKED]), now, buried=lambda _: True)
    _drop_old_tombstones(elastic, now)
    _mark_slices(elastic, slices, now, batch)
    already = sum(row.posts for row in counts_marked(elastic, any_of("batch", [batch])))
    left = max(0, limit - already)
    others = [_MARKED, *_in_slices(marked_slices(elastic))]
    oldest = [{"expires_at": "asc"}, {"number": "asc"}]
    found = elastic.hits(POSTS, query=all_of(expired, without=others), sort=oldest, size=left, source=["id"])
    wanted = {doc["id"] for doc in found}

    def change(hits: list[Hit]) -> dict[str, Doc]:
        return {hit.id: hit.doc | {"batch": batch} for hit in hits if hit.doc["batch"] is None}

    elastic.rewrite(lambda: list(slices.read(wanted).values()), change)
    elastic.refresh(POSTS)
    return counts_marked(elastic, in_batches(elastic, [batch]))


def sweep(elastic: Elastic, slices: Slices, batch: int, now: datetime) -> int:
    """Delete the posts of a batch; imported and undated ones could come again, so they leave a tombstone."""
    elastic.refresh(POSTS)
    dropped = sum(_drop_slice(elastic, slices, name, now) for name in marked_slices(elastic, batch))
    deleted = _delete(elastic, slices, all_of(any_of("batch", [batch])), now, buried=_could_return)
    _drop_old_tombstones(elastic, now)
    return dropped + deleted


def forget(elastic: Elastic, slices: Slices, ids: Collection[str], now: datetime) -> int:
    """Delete posts and remember not to take them in again."""
    hits = list(slices.read(ids).values())
    gone = _Gone()
    _delete_hits(elastic, slices, hits, [hit.id for hit in hits], now)
    gone.note(hits)
    _clean_up(elastic, gone)
    _drop_old_tombstones(elastic, now)
    return len(hits)


def marked_slices(elastic: Elastic, batch: int | None = None) -> list[str]:
    """Slices that will be dropped whole with this batch, or with any."""
    elastic.refresh("facts")
    query = all_of(_MARKED) if batch is None else all_of(any_of("batch", [batch]))
    return [doc["value"] for doc in elastic.hits("facts", query=query, size=1_000)]


def in_batches(elastic: Elastic, batches: Collection[int]) -> Doc:
    """The query for the posts of these batches, marked one by one or with their slice."""
    slices = [name for batch in batches for name in marked_slices(elastic, batch)]
    return {"bool": {"should": [any_of("batch", list(batches)), *_in_slices(slices)], "minimum_should_match": 1}}


def bury(elastic: Elastic, graves: Iterable[tuple[str, int]]) -> None:
    """Write tombstones: ids with when they were forgotten, in microseconds."""
    name = elastic.name("tombstones")
    elastic.put([Write("index", name, id_, {"id": id_, "at": at}) for id_, at in graves])


def _in_slices(names: Sequence[str]) -> list[Doc]:
    return [any_of("_index", names)] if names else []


def _mark_slices(elastic: Elastic, slices: Slices, now: datetime, batch: int) -> None:
    """Give large slices in which nothing is left to keep to the batch whole; each once."""
    known = set(marked_slices(elastic))
    living = all_of(without=[{"range": {"expires_at": {"lte": micros(now)}}}])
    for name in slices.names():
        if name in known or name.endswith(UNDATED):
            continue
        here: Doc = any_of("_index", [name])
        stays = all_of(here, {"bool": {"should": [living, _MARKED]}})
        if elastic.count(POSTS, here) >= WHOLE and not _any(elastic, stays):
            mark = {"value": name, "batch": batch, "at": micros(now)}
            elastic.put([Write("create", elastic.name("facts"), f"drop-{name}", mark)])


def _drop_slice(elastic: Elastic, slices: Slices, name: str, now: datetime) -> int:
    """Drop a slice that was given to a batch; where a late post came into it since, only what had expired then."""
    (mark,) = elastic.mget([(elastic.name("facts"), f"drop-{name}")])
    here: Doc = any_of("_index", [name])
    expired: Doc = {"range": {"expires_at": {"lte": mark.doc["at"]}}}
    gone = _Gone()
    if name in slices.names():
        with told():
            elastic.client.indices.put_settings(index=name, settings={"index.blocks.write": True})
        elastic.refresh(POSTS)
        if _any(elastic, all_of(here, without=[expired])):
            with told():
                elastic.client.indices.put_settings(index=name, settings={"index.blocks.write": None})
            return _delete(elastic, slices, all_of(here, expired), now, buried=_could_return, mark=mark)
        for page in elastic.walk(POSTS, all_of(here), fields=_FIELDS):
            bury(elastic, [(hit.id, micros(now)) for hit in page if _could_return(hit)])
            slices.forget([hit.id for hit in page])
            gone.note(page)
        with told():
            elastic.client.indices.delete(index=name, ignore_unavailable=True)
        slices.names(fresh=True)
    _clean_up(elastic, gone)
    elastic.put([Write("delete", mark.index, mark.id)])
    return gone.posts


def _could_return(hit: Hit) -> bool:
    """Whether neither the age limit of crawls nor a source's cursor keeps the post out."""
    return hit.doc["created_at"] is None or hit.doc["source"].startswith("import:") or is_deleted(hit.doc)


def _delete(
    elastic: Elastic,
    slices: Slices,
    query: Doc,
    now: datetime,
    *,
    buried: Callable[[Hit], bool],
    mark: Hit | None = None,
) -> int:
    """Delete what matches, page by page; how many. `mark` goes last."""
    gone = _Gone()
    for page in elastic.walk(POSTS, query, fields=_FIELDS):
        _delete_hits(elastic, slices, page, [hit.id for hit in page if buried(hit)], now)
        gone.note(page)
    if gone.posts:
        _clean_up(elastic, gone)
    if mark:
        elastic.put([Write("delete", mark.index, mark.id)])
    return gone.posts


def _delete_hits(elastic: Elastic, slices: Slices, hits: Sequence[Hit], buried: Sequence[str], now: datetime) -> None:
    """Tombstones first: a kill in between leaves a post that a repeat deletes, never one that comes again."""
    bury(elastic, [(id_, micros(now)) for id_ in buried])
    elastic.put([Write("delete", hit.index, hit.id) for hit in hits])
    slices.forget([hit.id for hit in hits])


def _clean_up(elastic: Elastic, gone: _Gone) -> None:
    drop_orphans(elastic, gone.hashes)
    drop_emptied_cards(elastic, gone.groups, only_open=False)


def _drop_old_tombstones(elastic: Elastic, now: datetime) -> None:
    elastic.refresh("tombstones")
    old = all_of({"range": {"at": {"lte": micros(now - _REMEMBERED)}}})
    for page in elastic.walk("tombstones", old, fields=()):
        elastic.put([Write("delete", hit.index, hit.id) for hit in page])


def _any(elastic: Elastic, query: Doc) -> bool:
    return bool(elastic.hits(POSTS, query=query, size=1, source=["id"]))
