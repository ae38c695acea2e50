"""Plays the whole loop on the sample network, Sunday and Monday. Nothing is faked but the people and their posts."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from claimwatch.clock import FixedClock, week_before, week_of
from claimwatch.desk import Desk
from claimwatch.keys import Keys
from claimwatch.ledger import claims, decisions, responses, secrets, sources, users
from claimwatch.ledger.base import Ledger
from claimwatch.ledger.decisions import Judgement
from claimwatch.posts.base import Search
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.projector import project_decisions
from claimwatch.records import Action, Card, CardState, Claim, Post, Role, User
from claimwatch.settings import Classify, Crawl, Places, Settings
from claimwatch.settings import Desk as DeskSettings
from jobs.assess import assess_new_posts, ready_model
from jobs.demo.network import SampleNetwork
from jobs.demo.script import INSTANT, DemoPost, demo_sources, load_script

#: The moderator's day: what she decides happens here, in the week that the report is about.
SUNDAY = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
PASSWORD = "demo-password-2026"  # noqa: S105  an account of a throw-away desk on loopback
#: Of the cards found on Sunday she decides so many, of each kind of claim at least one, and leaves the rest.
_DECIDED = 12
_PAGE = 500
_ACTIONS = {"repeats": Action.REPEATS, "refutes": Action.REFUTES, "asks": Action.ASKS}

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """The desk after the demo, and its counts."""

    desk: Desk
    counts: Mapping[str, int | str | float]
    outcomes: Mapping[str, Counter[str]]  #: of the crawls, per source


def play(where: Places, library: list[Claim], folder: Path, tell: Tell) -> Played:
    """Play Sunday and Monday morning in `folder`, which must be empty."""
    begun = time.monotonic()
    settings = demo_settings()
    tell("opening the encoder (built once on this machine, 470 MB)")
    model = ready_model(where, settings)
    with SampleNetwork(until=SUNDAY, limited=True) as network:
        desk = _open(settings, folder, library, network.base_url)
        outcomes = _crawl(desk, tell)
        tell("Sunday: assessing posts, folding copies, ordering the queue")
        flagged = Counter(assess_new_posts(desk, model))
        tell("Sunday: the moderator decides, the team answers")
        _decide_some(desk)
        _publish(desk)
    with SampleNetwork(until=INSTANT) as network:
        desk = replace(desk, clock=FixedClock(INSTANT))
        _seed_sources(desk, network.base_url)
        for source, more in _crawl(desk, tell).items():
            outcomes[source] = outcomes.get(source, Counter()) + more
        tell("Monday: assessing what came overnight, writing the report")
        flagged += Counter(assess_new_posts(desk, model))
    digest = _publish(desk)
    seconds = round(time.monotonic() - begun, 1)
    counted: dict[str, int | str | float] = {**_counted(desk, flagged["flagged"]), "report_hash": digest}
    return Played(desk=desk, counts=counted | {"seconds": seconds}, outcomes=outcomes)


def demo_settings() -> Settings:
    """A desk that runs the same on every machine: float32, no waits, one timezone."""
    return Settings(
        desk=DeskSettings(name="claimwatch demo", contact="https://example.org/claimwatch"),
        crawl=Crawl(delay=0),
        classify=Classify(variant="float32"),
    )


def demo_keys() -> Keys:
    """Constant secrets, so that ids are the same everywhere. Never used for anything but the demo."""
    return Keys(id=b"demo id key" * 4, seal=b"demo seal key" * 4, session=b"demo session key" * 4)


def post_ids(script: list[DemoPost]) -> dict[str, DemoPost]:
    """Which written post each stored post is, by its id."""
    keys = demo_keys()
    return {keys.post_id(post.platform, post.uri): post for post in script}


def _open(settings: Settings, folder: Path, library: list[Claim], base_url: str) -> Desk:
    ledger = Ledger.open(folder / "ledger.db")
    desk = Desk(
        settings=settings,
        posts=SqlitePosts(folder / "posts.db"),
        ledger=ledger,
        keys=demo_keys(),
        clock=FixedClock(SUNDAY),
    )
    with ledger.write() as db:
        secrets.check_keys(db, desk.keys.fingerprints())
        secrets.quarter_key(db, SUNDAY, fixed=b"demo author key of one quarter..")
        claims.seed(db, library, SUNDAY - timedelta(days=28))
        users.add(db, "admin", PASSWORD, Role.ADMIN, SUNDAY)
        users.add(db, "moderator", PASSWORD, Role.MODERATOR, SUNDAY)
    _seed_sources(desk, base_url)
    return desk


def _seed_sources(desk: Desk, base_url: str) -> None:
    with desk.ledger.write() as db:
        sources.seed(db, demo_sources(base_url))


def _crawl(desk: Desk, tell: Tell) -> dict[str, Counter[str]]:
    """One source after the other: which of two brings a post first must not depend on the machine."""
    from crawlers.crawl import crawl_now

    with desk.ledger.read() as db:
        names = [source.name for source in sources.every(db)]
    found: dict[str, Counter[str]] = {}
    for name in names:
        tell(f"{desk.now():%A}: crawling {name}")
        (done,) = crawl_now(desk, [name])
        found[name] = done.outcomes
    return found


def _decide_some(desk: Desk) -> None:
    """The first cards of each claim, as a careful person would decide them who knows what was written."""
    written = post_ids(load_script())
    with desk.ledger.read() as db:
        moderator = users.by_name(db, "moderator")
    assert moderator is not None
    chosen = _chosen(_open_cards(desk), written)
    heads = desk.posts.get([card.head for card in chosen])
    at = SUNDAY - timedelta(minutes=3 * len(chosen))
    for number, card in enumerate(chosen):
        judgement = _judgement(card, heads[card.head], written[card.head], moderator, desk)
        with desk.ledger.write() as db:
            decisions.add(db, judgement, at + timedelta(minutes=3 * number))
    project_decisions(desk)
    _answer(desk, [written[card.head].claim for card in chosen], moderator)


def _chosen(cards: list[Card], written: Mapping[str, DemoPost]) -> list[Card]:
    """Up to `_DECIDED` cards, taking the claims in turn."""
    turns: Counter[str | None] = Counter()
    ranked = []
    for card in sorted(cards, key=lambda card: (-card.posts, card.id)):
        claim = written[card.head].claim
        ranked.append((turns[claim], -card.posts, card.id, card))
        turns[claim] += 1
    return [card for *_, card in sorted(ranked, key=lambda one: one[:3])][:_DECIDED]


def _judgement(card: Card, head: Post, post: DemoPost, moderator: User, desk: Desk) -> Judgement:
    said = desk.posts.assessments([head.id])[head.id]
    action = _ACTIONS.get(post.kind, Action.NOT_HEALTH)
    return Judgement(
        card=card.id,
        seen=card.number,
        action=action,
        claim=post.claim if action is not Action.NOT_HEALTH else None,
        user=moderator.id,
        post=head.id,
        text_hash=head.text_hash,
        text=head.text,
        language=head.language,
        model=said.model,
        p_false=said.p_false,
        flag=said.flag,
    )


def _answer(desk: Desk, decided: list[str | None], moderator: User) -> None:
    """Answers to the first claims decided: one published, one passed on to the health team, one watched."""
    kinds = ("correction_published", "health_team_informed", "watching")
    with desk.ledger.write() as db:
        for kind, claim in zip(kinds, dict.fromkeys(claim for claim in decided if claim), strict=False):
            due = (SUNDAY + timedelta(days=3)).date()
            plan = responses.Plan(claim=claim, kind=kind, owner=moderator.id, due=due)
            responses.add(db, plan, SUNDAY, done=kind == "correction_published")


def _publish(desk: Desk) -> str:
    """The report of the last full week; its hash."""
    from reports.publish import publish_week

    today = desk.now().astimezone(desk.settings.zone).date()
    return publish_week(desk, week_before(week_of(today))).hash


def _open_cards(desk: Desk) -> list[Card]:
    return desk.posts.cards(CardState.OPEN, limit=_PAGE)


def _counted(desk: Desk, flagged: int) -> dict[str, int]:
    posts = all_posts(desk)
    with desk.ledger.read() as db:
        decided = decisions.every(db)
        answered = [one for claim in claims.every(db) for one in responses.of_claim(db, claim.id)]
    return {
        "posts": len(posts),
        "flagged": flagged,
        "groups": len({post.group for post in posts}),
        "cards_open": desk.posts.count_cards().get(CardState.OPEN, 0),
        "decisions": len(decided),
        "responses": len(answered),
    }


def all_posts(desk: Desk) -> list[Post]:
    """Every post that the desk keeps, newest first."""
    found: list[Post] = []
    while True:
        page = desk.posts.search(Search(offset=len(found), limit=_PAGE))
        found += page.posts
        if not page.more:
            return found
