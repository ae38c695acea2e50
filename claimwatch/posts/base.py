"""The promise of a posts store, written so that searches may lag and nothing needs a join or a transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from claimwatch.records import Assessment, Card, CardState, CardUpdate, Match, Observation, Post

#: How many posts a purge, a copy or a rebuild handles at once.
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one pass of a stage looks for."""

    stage: Literal["classify", "group"]
    model: str = ""  #: classify: the version that must have seen the post
    since: datetime | None = None  #: classify: posts that an older model saw come back only if collected since


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """One assessment with all that is written beside it."""

    assessment: Assessment
    matches: tuple[Match, ...] = ()
    vector: bytes | None = None  #: int8, written by (text_hash, encoder)
    encoder: str = ""
    expires_at: datetime | None = None  #: the new expiry; None leaves the post's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The size and pace of one group at one instant, for its priority."""

    posts: int
    accounts: int  #: distinct author keys; all posts of unknown authors count as one account
    engagement: int  #: sum over posts of the largest source's latest
    last_day: int  #: posts dated in the last 24 hours
    week_before: int  #: posts dated in the 7 days before those


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRow:
    """How many live posts share these six properties."""

    day: date
    claim: str  #: decided, else the nearest matched; "" for none
    language: str
    source: str
    stance: str  #: decided, else assessed; "" before assessment or without a stance head
    status: str  #: new, passed, flagged (awaits a decision), decided
    posts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search as a page asks it. Words are all required, found with and without diacritics."""

    words: str = ""
    language: str = ""
    source: str = ""
    claim: str = ""
    flagged: bool | None = None
    order: Literal["newest", "relevance", "urgent"] = "newest"
    offset: int = 0
    limit: int = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of search results."""

    posts: tuple[Post, ...]
    more: bool
    window: int | None = None  #: relevance is judged over this many newest matches only; None: over all


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Everything a store keeps of one post, to carry it whole into another store."""

    post: Post
    assessments: tuple[Assessment, ...] = ()  #: of every text and model; the one that stands last
    matches: tuple[tuple[str, Match], ...] = ()  #: each with the model it came beside, "" for a new claim's
    observations: tuple[Observation, ...] = ()
    writes: tuple[tuple[str, str, str], ...] = ()  #: the last write of each source: source, token, outcome
    vectors: tuple[tuple[str, bytes], ...] = ()  #: of the present text: encoder, int8
    batch: int | None = None  #: of the purge that will delete it


class Posts(Protocol):
    """Posts with their observations, assessments, matches and cards.

    Reading by id sees every acknowledged write at once. Everything else may lag until `refresh`.
    A write returns when it is durable; repeating any write is harmless.
    """

    def add(self, posts: Sequence[Post], *, token: str) -> list[str]:
        """Keep posts met by one page of one source; the outcome of each, in order.

        Outcomes: `stored`, `updated` (a later edit replaced the text), `unchanged`, `dropped(seen)` (a tombstone
        stands). `token` names the write (source, query, cursor before the page): repeated under the same token a
        post gives the same outcome again. Met twice in one call, the second is `unchanged`. first_seen, author_key,
        day and source are never overwritten; a text only by a later edited_at or, where neither has one, by the
        same source. A replaced text is assessed and grouped anew, and its state becomes edited.
        """
        ...

    def get(self, ids: Collection[str]) -> dict[str, Post]:
        """The posts that are kept under these ids."""
        ...

    def pending(self, work: Work, slots: range, *, after: Post | None = None, limit: int = 256) -> list[Post]:
        """Posts the stage has not done, in slots, deleted ones left out; `after` lives for one pass.

        classify: by id; posts whose present text no model has seen, and posts seen only by another model that are
        collected since `work.since` or stand on an open card. group: by (collected_at, id); posts whose present
        text is assessed and not yet placed.
        """
        ...

    def assess(self, assessed: Sequence[Assessed]) -> None:
        """Keep assessments, matches and vectors. A post whose text has changed meanwhile stays pending."""
        ...

    def assessments(self, ids: Collection[str]) -> dict[str, Assessment]:
        """The newest assessment of each post's present text."""
        ...

    def scored(self, hashes: Collection[str], model: str) -> dict[str, Assessed]:
        """What this model already said of these texts, with the matches, by text_hash."""
        ...

    def matches(self, ids: Collection[str]) -> dict[str, list[Match]]:
        """The matches of each post's present text, nearest first."""
        ...

    def vectors(self, encoder: str, *, after: str = "", limit: int = BATCH) -> list[tuple[str, bytes]]:
        """Kept vectors by text_hash, in its order."""
        ...

    def near(self, encoder: str, vector: bytes, *, similarity: float, limit: int = 10_000) -> list[tuple[str, float]]:
        """Texts with a vector of at least this cosine to an int8 one, nearest first: (text_hash, cosine).

        At most `limit`. A store may search approximately, and then says so.
        """
        ...

    def match(self, matches: Mapping[str, Sequence[Match]]) -> None:
        """Add matches to every post with that text_hash (the records' own `post` is ignored): a new claim's matches."""
        ...

    def kin(self, bands: Collection[str], *, limit: int = 200) -> list[Post]:
        """Placed posts that share a band key, oldest (collected_at, id) first."""
        ...

    def place(self, groups: Mapping[str, str]) -> None:
        """Write the group id of each post id; the post is no longer pending for `group`."""
        ...

    def members(self, group: str, *, limit: int = 50) -> list[Post]:
        """The posts of a group, oldest first."""
        ...

    def tallies(self, groups: Collection[str], now: datetime) -> dict[str, Tally]:
        """The tally of each group that has posts."""
        ...

    def put_cards(self, cards: Sequence[Card]) -> None:
        """Write cards as scored; state, claim and number of a decided card are kept as projected."""
        ...

    def cards(
        self,
        state: CardState | None = CardState.OPEN,
        *,
        language: str = "",
        claim: str = "",
        after: tuple[float, str] | None = None,
        limit: int = 50,
    ) -> list[Card]:
        """Cards by (priority descending, id), after that pair."""
        ...

    def card(self, ids: Collection[str]) -> dict[str, Card]:
        """Cards by id."""
        ...

    def count_cards(self) -> dict[CardState, int]:
        """How many cards stand in each state."""
        ...

    def project(self, updates: Sequence[CardUpdate]) -> None:
        """Write decided states onto cards and the posts of their groups; an older number is ignored."""
        ...

    def search(self, search: Search) -> Found:
        """Posts that match, deleted ones left out."""
        ...

    def counts(self, days: Collection[date], *, without: Collection[int] = ()) -> list[CountRow]:
        """Live posts by all six properties, leaving out those in the purge batches of `without`."""
        ...

    def accounts(self, days: Collection[date]) -> dict[str, tuple[int, int]]:
        """Distinct accounts per claim among flagged and decided posts that repeat it, exactly: (at least, at most).

        The two differ where the days straddle a quarter, because author keys change with it: at least the larger of
        the two quarters' counts, at most their sum.
        """
        ...

    def observe(self, observations: Sequence[Observation]) -> None:
        """Append to the series of posts that are kept; a repeat of (post, source, at) is ignored."""
        ...

    def expire(self, now: datetime, *, batch: int, limit: int = BATCH) -> list[CountRow]:
        """Mark up to `limit` expired posts with a batch number; the counts of all posts marked with it.

        A store that keeps slices may mark a large one whole, beyond the limit, when all in it has expired.
        """
        ...

    def sweep(self, batch: int, now: datetime) -> int:
        """Delete the posts of a committed batch; how many. Imported and undated ones leave a tombstone."""
        ...

    def forget(self, ids: Collection[str], now: datetime) -> int:
        """Delete posts with all that hangs on them, leaving tombstones; how many. An emptied card goes too."""
        ...

    def dump(self, *, after: str = "", limit: int = BATCH) -> list[Kept]:
        """Kept posts by id, deleted and marked ones too: what `load` takes."""
        ...

    def load(self, kept: Sequence[Kept]) -> None:
        """Write posts as another store kept them, in place of what is here under their ids."""
        ...

    def tombstones(self, *, after: str = "", limit: int = BATCH) -> list[tuple[str, datetime]]:
        """Ids that `add` refuses, by id, each with when it was forgotten."""
        ...

    def bury(self, tombstones: Sequence[tuple[str, datetime]]) -> None:
        """Write tombstones as another store kept them; a post that is kept under one of the ids stays."""
        ...

    def refresh(self) -> None:
        """Make everything acknowledged visible to searches."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
