"""A posts store copied into another: every post with all that hangs on it, tombstones and cards."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from claimwatch.posts.base import BATCH, Kept, Posts
from claimwatch.records import Card

Advance = Callable[[int], None]


def is_empty(store: Posts) -> bool:
    """Whether a store holds nothing at all."""
    return not (store.dump(limit=1) or store.tombstones(limit=1) or store.cards(None, limit=1))


def copy_posts(source: Posts, target: Posts, now: datetime, advance: Advance) -> Counter[str]:
    """Carry everything of `source` into `target`; how much of each kind the source has.

    What a stopped copy has carried already is read, and written again only where it differs. What the source has
    forgotten since then is forgotten, too. Cards come as they stand; the projector then writes what was decided.
    """
    fresh = is_empty(target)
    found: Counter[str] = Counter()
    after = ""
    for page in _posts(source):
        if fresh:
            target.load(page)
        else:
            _top_up(target, page, after, now)
        after = page[-1].post.id
        found += _amounts(page)
        advance(len(page))
    if not fresh:
        _forget_beyond(target, after, now)
    for dead in _tombstones(source):
        target.bury(dead)
        found["tombstones"] += len(dead)
    for cards in _cards(source):
        target.put_cards(cards)
        found["cards"] += len(cards)
    target.refresh()
    return found


def measure(store: Posts, advance: Advance) -> Counter[str]:
    """How much of each kind a store has, by reading all of it."""
    found: Counter[str] = Counter()
    for page in _posts(store):
        found += _amounts(page)
        advance(len(page))
    found["tombstones"] = sum(map(len, _tombstones(store)))
    found["cards"] = sum(map(len, _cards(store)))
    return +found


def _posts(store: Posts) -> Iterator[list[Kept]]:
    page = store.dump()
    while page:
        yield page
        page = store.dump(after=page[-1].post.id)


def _tombstones(store: Posts) -> Iterator[list[tuple[str, datetime]]]:
    page = store.tombstones()
    while page:
        yield page
        page = store.tombstones(after=page[-1][0])


def _cards(store: Posts) -> Iterator[list[Card]]:
    page = store.cards(None, limit=BATCH)
    while page:
        yield page
        page = store.cards(None, after=(page[-1].priority, page[-1].id), limit=BATCH)


def _amounts(page: Sequence[Kept]) -> Counter[str]:
    parts = ("assessments", "matches", "observations", "writes", "vectors")
    return +Counter({"posts": len(page)} | {name: sum(len(getattr(one, name)) for one in page) for name in parts})


def _top_up(target: Posts, page: Sequence[Kept], after: str, now: datetime) -> None:
    """Make the target's posts between `after` and the page's last those of the page."""
    there: dict[str, Kept] = {}
    while after < page[-1].post.id and (found := target.dump(after=after)):
        there |= {one.post.id: one for one in found}
        after = found[-1].post.id
    kept = {one.post.id for one in page}
    target.forget([id_ for id_ in there if id_ not in kept and id_ < page[-1].post.id], now)
    target.load([one for one in page if one.post.id not in there or not _same(one, there[one.post.id])])


def _forget_beyond(target: Posts, last: str, now: datetime) -> None:
    while found := target.dump(after=last):
        target.forget([one.post.id for one in found], now)
        last = found[-1].post.id


def _same(left: Kept, right: Kept) -> bool:
    """Whether both say the same of a post; in what order does not matter but for the last assessment."""
    return _ordered(left) == _ordered(right)


def _ordered(kept: Kept) -> tuple[object, ...]:
    parts = (kept.assessments, kept.matches, kept.observations, kept.writes, kept.vectors)
    return kept.post, kept.batch, kept.assessments[-1:], *(sorted(map(repr, part)) for part in parts)
