"""What the stages hand each other through the stores. Every time is aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Whether a post still stands at its source as it was first seen."""

    LIVE = "live"
    EDITED = "edited"
    DELETED = "deleted"


class Stance(StrEnum):
    """How a post stands to a claim. News giving the claim as true repeats it."""

    REPEATS = "repeats"
    REFUTES = "refutes"
    ASKS = "asks"
    REPORTS = "reports"
    OTHER = "other"


class Verdict(StrEnum):
    """What a person found of a claim."""

    FALSE = "false"
    MISLEADING = "misleading"
    UNPROVEN = "unproven"
    TRUE = "true"
    NOT_HEALTH = "not_health"


class Action(StrEnum):
    """What a moderator decided of a card."""

    REPEATS = "repeats"  #: its posts repeat the named claim
    NEW_CLAIM = "new_claim"  #: its posts make a claim the ledger did not have
    REFUTES = "refutes"
    ASKS = "asks"
    NOT_HEALTH = "not_health"
    SKIP = "skip"  #: seen, left open for somebody else
    UNDO = "undo"  #: takes the card's last decision back


class CardState(StrEnum):
    """Where a card stands in the review queue."""

    OPEN = "open"
    DECIDED = "decided"
    MERGED = "merged"


class Role(StrEnum):
    """What an account may do; each role may do all that those before it may."""

    VIEWER = "viewer"
    MODERATOR = "moderator"
    LEAD = "lead"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One public post, without its author. `add` fills outcome-bearing fields; nothing here names a person."""

    id: str  #: platform + ":" + keyed hash of the canonical URI
    source: str  #: the source that first brought it; never overwritten
    platform: str
    created_at: datetime | None  #: as the platform says, None where it says nothing usable
    collected_at: datetime
    first_seen: datetime  #: the first collection; never overwritten
    day: date  #: the local day it counts for; never overwritten
    language: str  #: ISO 639-1, "und" where the text is too short to tell
    title: str
    text: str  #: NFC, scrubbed
    text_hash: str  #: of the folded text
    author_key: str  #: keyed pseudonym of one quarter, "" where the author is unknown
    url: str | None = None  #: plain, only where it names nobody
    sealed_url: str | None = None  #: the link, encrypted, where it names a person
    edited_at: datetime | None = None
    reply_to: str | None = None  #: a post id
    repost_of: str | None = None  #: a post id
    state: State = State.LIVE
    group: str | None = None  #: id of the first post of its group of copies; set by the grouping stage
    bands: tuple[str, ...] = ()  #: MinHash band keys, for finding copies
    slot: int = 0  #: text_hash mod 256
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one source showed of a post's engagement at one time. A series, never overwritten."""

    post: str
    source: str
    at: datetime
    likes: int | None = None
    shares: int | None = None
    replies: int | None = None
    views: int | None = None

    @property
    def engagement(self) -> int:
        """Likes, shares and replies together; views are too cheap to count."""
        return sum(n or 0 for n in (self.likes, self.shares, self.replies))


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What one model said of one version of a post. A new opinion is a new assessment."""

    post: str
    text_hash: str
    model: str  #: version
    on_topic: bool
    p_false: float  #: calibrated, 0 to 1
    stance: Stance | None  #: None where the model has no stance head
    stage: str  #: which stage decided: gate or encoder
    flag: bool
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One claim that one version of a post is close to. Written only above the suggest threshold."""

    post: str
    text_hash: str
    claim: str
    claim_version: int
    similarity: float  #: to the claim's nearest phrasing, 0 to 1
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a moderator decides: one group of copies with a flagged or audited post."""

    id: str  #: the group's id
    head: str  #: the post shown
    claim: str | None  #: the best matching claim
    claim_similarity: float | None
    posts: int
    accounts: int
    engagement: int
    reach: float
    growth: float
    harm: int
    p_false: float
    priority: float  #: harm x reach x growth x p_false
    language: str
    model: str
    state: CardState = CardState.OPEN
    number: int = 0  #: the last decision number projected onto it
    opened_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUpdate:
    """The decided state of a card as the ledger holds it, for `Posts.project`."""

    card: str
    number: int  #: an older number never overwrites a newer one
    state: CardState
    claim: str | None
    action: Action | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a verdict rests on."""

    publisher: str
    title: str
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim and the answer given to it. Texts are per language (`vi`, `en`)."""

    id: str
    version: int = 1
    statement: Mapping[str, str]
    phrasings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    topic: str = "covid-19"
    harm: int = 2  #: 1 nuisance, 2 delays care, 3 injures, 4 kills
    harm_reason: Mapping[str, str] = field(default_factory=dict)
    verdict: Verdict | None = None  #: None until a person gives one
    correction: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    status: str = "active"  #: active, retired, merged
    merged_into: str | None = None
    edited: bool = False  #: by the team: a newer library no longer changes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision of a person. Append-only; undo is a decision; a copy that joins the group later inherits it."""

    id: int
    card: str
    number: int  #: 1, 2, 3 … within the card
    action: Action
    claim: str | None
    user: int
    at: datetime
    reason: str
    post: str
    text_hash: str
    text: str  #: the scrubbed text judged; emptied when its keeping time is over
    language: str
    model: str
    p_false: float | None
    flag: bool
    undoes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the team does about a claim."""

    id: int
    claim: str
    kind: str  #: correction_published, health_team_informed, partner_informed, watching, no_action
    owner: int | None
    due: date | None
    link: str
    created_at: datetime
    done_at: datetime | None
    texts: Mapping[str, str]  #: web, sms, loudspeaker


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account of the review pages."""

    id: int
    name: str
    role: Role
    language: str
    disabled: bool = False
    session: int = 1  #: raised to end every open sign-in


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place that posts are collected from, with its state."""

    name: str
    kind: str
    settings: Mapping[str, Any]  #: url, query, base_url, allow_hosts …, as the kind defines
    language: str = ""
    every: int = 30  #: minutes between crawls
    expected_per_week: int = 0  #: posts; 0 = not stated
    enabled: bool = True
    attention: str = ""  #: why an operator must look; "" when all is well
    last_success: datetime | None = None
    last_try: datetime | None = None
    edited: bool = False
