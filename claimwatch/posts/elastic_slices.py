"""Which index a post lives in, for good, and finding posts by id alone, as of this moment."""

import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from claimwatch.posts.elastic_client import Elastic, Hit, Write
from claimwatch.records import Post

UNDATED, OLD = "posts-undated", "posts-old"
TOMBSTONES = "tombstones"
POSTS = "posts-*"
#: Platforms whose posts keep the date they were made with; elsewhere, and in imports, a later look may show another.
_FIXED = frozenset({"mastodon", "bluesky", "reddit", "youtube", "facebook", "telegram", "discourse", "lemmy"})
#: A post dated so far ahead of its first sight has no believable date.
_AHEAD = timedelta(days=1)
#: Months before the desk's first one that have slices of their own.
_BEFORE = 6
#: How many ids' places are remembered, and how long a list of slices is believed, in seconds.
_REMEMBERED, _BELIEVED = 200_000, 60.0


class Slices:
    """The slices of one prefix. A post's place never changes, so a remembered one is right until the post is gone."""

    def __init__(self, elastic: Elastic) -> None:
        self._elastic = elastic
        self._first: str | None = None
        self._prepared = False
        self._names: list[str] = []
        self._read_at = -_BELIEVED
        self._places: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def undated(self) -> str:
        """The index of posts without a date that stays."""
        return self._elastic.name(UNDATED)

    def place_of(self, post: Post) -> str:
        """The index that a post belongs in at its first sight."""
        created = post.created_at
        firm = post.platform in _FIXED and not post.source.startswith("import:")
        if created is None or not firm or created > post.collected_at + _AHEAD:
            return self.undated
        month = f"{created.astimezone(UTC):%Y-%m}"
        if month < self._oldest(post.collected_at):
            return self._elastic.name(OLD)
        return self._elastic.name(f"posts-{month}")

    def prepare(self) -> None:
        """Make the indices that every large page asks: of one that is missing, each item is a costly complaint."""
        if not self._prepared:
            self._elastic.make(UNDATED)
            self._elastic.make(TOMBSTONES)
            self._prepared = True

    def elsewhere(self, posts: Collection[Post]) -> list[tuple[str, str]]:
        """Where posts may be kept already, beside the place that this sight of them names."""
        undated = [(self.undated, post.id) for post in posts]
        # Met without a firm date now; an earlier sight may have had one.
        stray = [post.id for post in posts if post.platform in _FIXED and self.place_of(post) == self.undated]
        others = [name for name in self.names() if name != self.undated] if stray else []
        return undated + [(name, id_) for name in others for id_ in stray]

    def read(self, ids: Collection[str]) -> dict[str, Hit]:
        """Posts by id, wherever they are: first where they were last, then in every slice there is."""
        wanted = list(dict.fromkeys(ids))
        found = {hit.id: hit for hit in self._elastic.mget(self._known(wanted))}
        missing = [id_ for id_ in wanted if id_ not in found]
        asked: set[str] = set()
        for fresh in (False, True):
            if not missing:
                break
            names = [name for name in self.names(fresh=fresh) if name not in asked]
            asked.update(names)
            hits = self._elastic.mget([(name, id_) for name in names for id_ in missing])
            found |= {hit.id: hit for hit in hits}
            missing = [id_ for id_ in missing if id_ not in found]
        self.remember({hit.id: hit.index for hit in found.values()})
        return found

    def names(self, *, fresh: bool = True) -> list[str]:
        """The slices there are."""
        now = time.monotonic()
        if fresh or now - self._read_at > _BELIEVED:
            self._names, self._read_at = self._elastic.indices(POSTS), now
        return self._names

    def remember(self, places: dict[str, str]) -> None:
        """Note where posts are."""
        with self._lock:
            self._places.update(places)
            while len(self._places) > _REMEMBERED:
                self._places.popitem(last=False)

    def forget(self, ids: Sequence[str]) -> None:
        """These posts are gone."""
        with self._lock:
            for id_ in ids:
                self._places.pop(id_, None)

    def _known(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        with self._lock:
            return [(self._places[id_], id_) for id_ in ids if id_ in self._places]

    def _oldest(self, now: datetime) -> str:
        """The first month with a slice of its own; written once, by whoever comes first."""
        if self._first is None:
            facts = self._elastic.name("facts")
            month = now.astimezone(UTC)
            self._elastic.put([Write("create", facts, "first-month", {"value": f"{month:%Y-%m}"})])
            (hit,) = self._elastic.mget([(facts, "first-month")])
            year, number = map(int, hit.doc["value"].split("-"))
            months = year * 12 + number - 1 - _BEFORE
            self._first = f"{months // 12:04d}-{months % 12 + 1:02d}"
        return self._first
