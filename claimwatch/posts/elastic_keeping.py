"""Forgetting posts in time or on request: whole slices where all in them has expired, else one by one."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

from claimwatch.posts.base import CountRow
from claimwatch.posts.elastic_client import Doc, Elastic, Hit, Write, all_of, any_of, told
from claimwatch.posts.elastic_counts import counts_marked
from claimwatch.posts.elastic_docs import is_deleted
from claimwatch.posts.elastic_gone import drop_emptied_cards, drop_orphans
from claimwatch.posts.elastic_slices import POSTS, TOMBSTONES, UNDATED, Slices
from claimwatch.posts.rows import micros
from claimwatch.records import State

#: How long a forgotten post is not taken in again; by then no crawl looks so far back.
_REMEMBERED = timedelta(days=400)
_DELETED = any_of("state", [State.DELETED.value])
_MARKED: Doc = {"exists": {"field": "batch"}}
#: From so many posts on, a slice is dropped whole rather than emptied.
WHOLE = 10_000
#: Whether a post leaves a tombstone.
_Asked = Callable[[Hit], bool]
#: What deleting a post needs to know of it.
_FIELDS = ("created_at", "source", "state", "text_hash", "group")


def expire(elastic: Elastic, slices: Slices, now: datetime, batch: int, limit: int) -> list[CountRow]:
    """Mark expired posts. Those deleted at their source are counted nowhere: they go at once."""
    elastic.refresh(POSTS)
    expired: Doc = {"range": {"expires_at": {"lte": micros(now)}}}
    _delete(elastic, slices, all_of(expired, _DELETED, without=[_MARKED]), now, buried=lambda _: True)
    _drop_old_tombstones(elastic, now)
    _mark_slices(elastic, slices, now, batch)
    already = sum(row.posts for row in counts_marked(elastic, any_of("batch", [batch])))
    others = [_MARKED, *map(_given_whole, _marks(elastic))]
    oldest = [{"expires_at": "asc"}, {"number": "asc"}]
    size = max(0, limit - already)
    found = elastic.hits(POSTS, query=all_of(expired, without=others), sort=oldest, size=size, source=["id"])
    wanted = {doc["id"] for doc in found}

    def change(hits: list[Hit]) -> dict[str, Doc]:
        return {hit.id: hit.doc | {"batch": batch} for hit in hits if hit.doc["batch"] is None}

    elastic.rewrite(lambda: list(slices.read(wanted).values()), change)
    elastic.refresh(POSTS)
    return counts_marked(elastic, in_batches(elastic, [batch]))


def sweep(elastic: Elastic, slices: Slices, batch: int, now: datetime) -> int:
    """Delete the posts of a batch; imported and undated ones could come again, so they leave a tombstone."""
    elastic.refresh(POSTS)
    dropped = sum(_drop_slice(elastic, slices, mark, now) for mark in _marks(elastic, batch))
    deleted = _delete(elastic, slices, all_of(any_of("batch", [batch])), now, buried=_could_return)
    _drop_old_tombstones(elastic, now)
    return dropped + deleted


def forget(elastic: Elastic, slices: Slices, ids: Collection[str], now: datetime) -> int:
    """Delete posts and remember not to take them in again."""
    hits = list(slices.read(ids).values())
    _prepare(elastic, hits, now, buried=lambda _: True, leaving={"ids": {"values": [hit.id for hit in hits]}})
    _delete_hits(elastic, slices, hits)
    _drop_old_tombstones(elastic, now)
    return len(hits)


def in_batches(elastic: Elastic, batches: Collection[int]) -> Doc:
    """The query for the posts of these batches, marked one by one or with their slice."""
    whole = [_given_whole(mark) for batch in batches for mark in _marks(elastic, batch)]
    return {"bool": {"should": [any_of("batch", list(batches)), *whole], "minimum_should_match": 1}}


def bury(elastic: Elastic, graves: Iterable[tuple[str, int]]) -> None:
    """Write tombstones: ids with when they were forgotten, in microseconds."""
    name = elastic.name(TOMBSTONES)
    elastic.put([Write("index", name, id_, {"id": id_, "at": at}) for id_, at in graves])


def _marks(elastic: Elastic, batch: int | None = None) -> list[Doc]:
    """What is noted of slices that go whole with this batch, or with any."""
    elastic.refresh("facts")
    return elastic.hits("facts", query=_MARKED if batch is None else any_of("batch", [batch]), size=1_000)


def _given_whole(mark: Doc) -> Doc:
    """The posts that went to a batch with their slice: those that were in it then, not what came into it since."""
    return all_of(any_of("_index", [mark["value"]]), {"range": {"number": {"lte": mark["number"]}}})


def _mark_slices(elastic: Elastic, slices: Slices, now: datetime, batch: int) -> None:
    """Give large slices in which nothing is left to keep to the batch whole, and emptied ones; each once."""
    known = {mark["value"] for mark in _marks(elastic)}
    living = all_of(without=[{"range": {"expires_at": {"lte": micros(now)}}}])
    for name in slices.names():
        if name in known or name.endswith(UNDATED):
            continue
        here: Doc = any_of("_index", [name])
        posts = elastic.count(POSTS, here)
        if not 0 < posts < WHOLE and not _any(elastic, all_of(here, {"bool": {"should": [living, _MARKED]}})):
            mark = {"value": name, "batch": batch, "number": _newest(elastic, here)}
            elastic.put([Write("create", elastic.name("facts"), f"drop-{name}", mark)])


def _newest(elastic: Elastic, query: Doc) -> int:
    """The number of the post met last; 0 where there is none."""
    found = elastic.hits(POSTS, query=query, sort=[{"number": "desc"}], size=1, source=["number"])
    return found[0]["number"] if found else 0


def _drop_slice(elastic: Elastic, slices: Slices, mark: Doc, now: datetime) -> int:
    """Delete what a batch was given of a slice: the slice itself, unless a late post came into it since."""
    name, given = mark["value"], _given_whole(mark)
    done = 0
    if name in slices.names():
        with told():
            # Unlike the setting, the block waits for writes on their way; those that it refuses are tried again.
            elastic.client.indices.add_block(index=name, block="write")
        elastic.refresh(POSTS)
        late = _any(elastic, all_of(any_of("_index", [name]), without=[given]))
        if late:
            with told():
                elastic.client.indices.put_settings(index=name, settings={"index.blocks.write": None})
        done = _delete(elastic, slices, given, now, buried=_could_return, one_by_one=late)
        if not late:
            with told():
                elastic.client.indices.delete(index=name, ignore_unavailable=True)
            slices.names(fresh=True)
    elastic.put([Write("delete", elastic.name("facts"), f"drop-{name}")])
    return done


def _could_return(hit: Hit) -> bool:
    """Whether neither the age limit of crawls nor a source's cursor keeps the post out."""
    return hit.doc["created_at"] is None or hit.doc["source"].startswith("import:") or is_deleted(hit.doc)


def _delete(
    elastic: Elastic,
    slices: Slices,
    query: Doc,
    now: datetime,
    *,
    buried: _Asked,
    one_by_one: bool = True,
) -> int:
    """Delete what matches, page by page; how many. Not `one_by_one`: the caller drops the whole index after."""
    done = 0
    for page in elastic.walk(POSTS, query, fields=_FIELDS):
        _prepare(elastic, page, now, buried=buried, leaving=query)
        if one_by_one:
            _delete_hits(elastic, slices, page)
        done += len(page)
    return done


def _prepare(elastic: Elastic, hits: Sequence[Hit], now: datetime, *, buried: _Asked, leaving: Doc) -> None:
    """Tombstones first, the posts last: a kill in between leaves posts that a repeat deletes, never one that returns.

    `leaving` is the query for all that goes together.
    """
    bury(elastic, [(hit.id, micros(now)) for hit in hits if buried(hit)])
    drop_orphans(elastic, {hit.doc["text_hash"] for hit in hits}, leaving=leaving)
    groups = {group for hit in hits for group in (hit.id, hit.doc["group"]) if group}
    drop_emptied_cards(elastic, groups, leaving=leaving, only_open=False)


def _delete_hits(elastic: Elastic, slices: Slices, hits: Sequence[Hit]) -> None:
    elastic.put([Write("delete", hit.index, hit.id) for hit in hits])
    slices.forget([hit.id for hit in hits])


def _drop_old_tombstones(elastic: Elastic, now: datetime) -> None:
    elastic.refresh(TOMBSTONES)
    old = all_of({"range": {"at": {"lte": micros(now - _REMEMBERED)}}})
    for page in elastic.walk(TOMBSTONES, old, fields=()):
        elastic.put([Write("delete", hit.index, hit.id) for hit in page])


def _any(elastic: Elastic, query: Doc) -> bool:
    return bool(elastic.hits(POSTS, query=query, size=1, source=["id"]))
