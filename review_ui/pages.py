"""One class per page: its fields are exactly what its template may use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from markupsafe import Markup

from claimwatch.drift import Drift
from claimwatch.ledger.reports import Published
from claimwatch.ledger.runs import Run
from claimwatch.posts.base import Search
from claimwatch.records import (
    Action,
    Assessment,
    Card,
    Claim,
    Decision,
    Post,
    Response,
    Role,
    Source,
    User,
    Verdict,
)
from claimwatch.sourceforms import FieldForm, KindForm, Trial
from claimwatch.text.passages import Piece
from claimwatch.tuning import Curve, Tuning
from review_ui.charts import Chart
from review_ui.thresholds import ThresholdChart


class Page:
    """A page: a frozen dataclass with the name of its template."""

    template: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The message bar after an action, with what takes it back."""

    text: str
    undo_card: str = ""
    undo_seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands round every page."""

    desk: str
    language: str
    user: User | None
    token: str
    path: str  #: of this page, to come back to
    section: str  #: the part of the site it belongs to
    can_check: bool
    moderator: bool
    lead: bool
    admin: bool
    notices: int  #: sources to look at, for leads
    note: Note | None
    version: str  #: of the static files


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage(Page):
    """Name and password."""

    template: ClassVar[str] = "sign_in.html"
    name: str
    problem: str
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One card as the queue shows it."""

    card: Card
    excerpt: str
    claim: Claim | None
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage(Page):
    """Cards that wait, most urgent first."""

    template: ClassVar[str] = "queue.html"
    rows: tuple[QueueRow, ...]
    skipped: tuple[QueueRow, ...]
    waiting: int
    decided: int  #: this week
    oldest: datetime | None
    language: str
    languages: tuple[tuple[str, int], ...]  #: with open cards of each
    top: float  #: the highest priority shown
    more: str  #: link to the next page
    beginning: bool
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A claim that a card may repeat."""

    claim: Claim
    similarity: float | None
    key: str  #: the key that chooses it


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Another post of the card's group."""

    post: Post
    excerpt: str
    inherited: bool  #: came after the decision, which holds for it too
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A decision with the account that made it."""

    decision: Decision
    by: str
    claim: Claim | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPage(Page):
    """One card with everything a decision needs."""

    template: ClassVar[str] = "card.html"
    card: Card
    post: Post | None
    link: str | None
    sealed: bool
    copies: tuple[Copy, ...]
    assessment: Assessment | None
    claim: Claim | None  #: the decided one, else the nearest
    candidates: tuple[Candidate, ...]
    claims: tuple[Claim, ...]
    words: str  #: by which the list of claims is narrowed
    history: tuple[Past, ...]
    standing: Past | None
    seen: int
    only: str  #: the queue's language filter
    next: str
    previous: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicesPage(Page):
    """The part of the card page that lists claims by words."""

    template: ClassVar[str] = "choices.html"
    claims: tuple[Claim, ...]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StalePage(Page):
    """What the card came to while somebody looked at it."""

    template: ClassVar[str] = "stale.html"
    card: str
    standing: Past | None
    last: Past | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalPage(Page):
    """The way out to the original of a sealed link."""

    template: ClassVar[str] = "original.html"
    url: str
    host: str
    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """One claim as the list shows it."""

    claim: Claim
    open_cards: int
    posts: int  #: of the last 7 days


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsPage(Page):
    """Claims with their answers."""

    template: ClassVar[str] = "claims.html"
    rows: tuple[ClaimRow, ...]
    total: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRow:
    """One response with its owner's account name."""

    response: Response
    owner: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPage(Page):
    """One claim, its answer, and what is done about it."""

    template: ClassVar[str] = "claim.html"
    claim: Claim
    chart: Chart
    open_cards: int
    responses: tuple[ResponseRow, ...]
    owners: tuple[User, ...]
    others: tuple[Claim, ...]
    kinds: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportsPage(Page):
    """Published weeks."""

    template: ClassVar[str] = "reports.html"
    reports: tuple[Published, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage(Page):
    """One published week."""

    template: ClassVar[str] = "report.html"
    report: Published
    body: Markup


class SourceState(StrEnum):
    """How a source does."""

    WORKING = "working"
    NEW = "new"  #: enabled, and not crawled yet
    PAUSED = "paused"
    BLOCKED = "blocked"  #: its server asked to be left alone until a time
    REFUSED = "refused"
    FAILING = "failing"
    NOT_CRAWLED = "not_crawled"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One source with its last two weeks."""

    source: Source
    state: SourceState
    told: str  #: the state's reason, in words
    chart: Chart
    posts: int  #: of the last 7 days
    gaps: tuple[date, ...]  #: days of the last two weeks without posts where some were expected


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesPage(Page):
    """Where posts come from, and whether they do."""

    template: ClassVar[str] = "sources.html"
    rows: tuple[SourceRow, ...]
    can_add: bool
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlRow:
    """One crawl of a source with its outcomes."""

    run: Run
    outcomes: tuple[tuple[str, int], ...]  #: most posts first
    told: str  #: what it said, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What became of "try now"."""

    step: str  #: waiting, late, running, done, failed
    crawl: CrawlRow | None
    again: str  #: the address of this part


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressPage(Page):
    """The part of a source's page that tells what became of "try now"."""

    template: ClassVar[str] = "source_progress.html"
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage(Page):
    """One source: what it brings, and how its crawls went."""

    template: ClassVar[str] = "source.html"
    row: SourceRow
    crawls: tuple[CrawlRow, ...]
    settings: tuple[tuple[str, str], ...]  #: for leads
    progress: Progress | None
    can_edit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KindsPage(Page):
    """The kinds of source there are, to add one of."""

    template: ClassVar[str] = "source_kinds.html"
    kinds: tuple[KindForm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFormPage(Page):
    """A source to add or to change."""

    template: ClassVar[str] = "source_form.html"
    kind: KindForm
    fields: tuple[FieldForm, ...]  #: those that this account may fill
    given: Mapping[str, str]
    problems: Mapping[str, str]  #: by field; "" is what concerns the whole
    is_new: bool
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What a trial gave, or that it is not over."""

    trial: Trial | None
    failure: str  #: in words
    problems: tuple[str, ...]  #: in words
    again: str  #: the address of this part
    save: str  #: where the source is kept
    change: str  #: the form, filled as it was


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPartPage(Page):
    """The part of a trial's page that waits for its end."""

    template: ClassVar[str] = "source_result.html"
    result: TrialResult


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPage(Page):
    """What asking a source once gave, before it is kept."""

    template: ClassVar[str] = "source_trial.html"
    source: Source
    result: TrialResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One post found."""

    post: Post
    passage: tuple[Piece, ...]
    assessment: Assessment | None
    card: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage(Page):
    """Posts by words, language and claim."""

    template: ClassVar[str] = "search.html"
    search: Search
    asked: bool
    hits: tuple[Hit, ...]
    window: int | None
    claims: tuple[Claim, ...]
    languages: tuple[str, ...]
    orders: tuple[str, ...]
    more: str
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the desk knows about a pasted text."""

    claim: Claim | None
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPage(Page):
    """Is this true? Nothing pasted here is kept."""

    template: ClassVar[str] = "check.html"
    text: str
    answer: Answer | None
    problem: str
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage(Page):
    """One's own language and password."""

    template: ClassVar[str] = "account.html"
    problem: str
    done: str
    languages: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersPage(Page):
    """The accounts of the desk."""

    template: ClassVar[str] = "users.html"
    users: tuple[User, ...]
    roles: tuple[Role, ...]
    languages: tuple[tuple[str, str], ...]
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TunePage(Page):
    """What other thresholds would have done."""

    template: ClassVar[str] = "tune.html"
    tuning: Tuning
    curve: Curve | None  #: of the language asked for; None before anything was decided
    chart: ThresholdChart | None
    drifts: tuple[tuple[str, Drift], ...]  #: weeks whose scores or decisions have moved
    at: float | None  #: the threshold to write down
    enough: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(Page):
    """What went wrong, in plain words."""

    template: ClassVar[str] = "error.html"
    status: int
    heading: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePage(Page):
    """A store does not answer: which, what becomes of the work, and when to try again."""

    template: ClassVar[str] = "store.html"
    heading: str
    explanation: str
    detail: str  #: the operator's line; "" for strangers
    seconds: int  #: until it is worth trying again


#: Actions that a moderator chooses by one button, with the key of each.
BUTTONS: tuple[tuple[Action, str], ...] = (
    (Action.REFUTES, "f"),
    (Action.ASKS, "a"),
    (Action.NOT_HEALTH, "h"),
    (Action.SKIP, "s"),
)
