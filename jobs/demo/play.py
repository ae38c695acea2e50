"""Plays the whole loop on the sample network, Sunday and Monday. Nothing is faked but the people and their posts."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from claimwatch.clock import FixedClock, week_before, week_of
from claimwatch.desk import Desk
from claimwatch.ledger import claims, decisions, responses, runs, secrets, sources, users
from claimwatch.ledger.decisions import Judgement
from claimwatch.projector import project_decisions
from claimwatch.records import Action, Card, CardState, Claim, Post, Role, User
from claimwatch.settings import Places, Stores
from jobs.assess import build_encoder
from jobs.demo.desk import demo_keys, demo_settings, open_demo_desk
from jobs.demo.network import SampleNetwork
from jobs.demo.script import INSTANT, DemoPost, demo_sources, load_script
from jobs.demo.stage import Alone, Hands, crew

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


def play(where: Places, library: list[Claim], folder: Path, tell: Tell, stores: Stores | None = None) -> Played:
    """Play Sunday and Monday morning on empty stores: files in `folder`, or servers with two workers."""
    begun = time.monotonic()
    where = where.model_copy(update={"data": folder})  # the shipped model, whatever is promoted on this machine
    tell("opening the encoder (built once on this machine, 470 MB)")
    build_encoder(where, "float32")
    with SampleNetwork(until=SUNDAY, limited=True) as network:
        desk = _open(stores or Stores(), folder, library, network.base_url)
        with _hands(desk, where) as hands:
            outcomes = _crawl(desk, hands, tell)
            tell("Sunday: assessing posts, folding copies, ordering the queue")
            hands.assess()
        tell("Sunday: the moderator decides, the team answers")
        _decide_some(desk)
        _publish(desk)
    with SampleNetwork(until=INSTANT) as network:
        desk = replace(desk, clock=FixedClock(INSTANT))
        _seed_sources(desk, network.base_url)
        with _hands(desk, where) as hands:
            for source, more in _crawl(desk, hands, tell).items():
                outcomes[source] = outcomes.get(source, Counter()) + more
            tell("Monday: assessing what came overnight, writing the report")
            hands.assess()
    digest = _publish(desk)
    seconds = round(time.monotonic() - begun, 1)
    counted: dict[str, int | str | float] = {**_counted(desk), "report_hash": digest}
    return Played(desk=desk, counts=counted | {"seconds": seconds}, outcomes=outcomes)


@contextmanager
def _hands(desk: Desk, where: Places) -> Iterator[Hands]:
    """Whoever works today."""
    if desk.settings.stores.ledger == "sqlite":
        yield Alone(desk, where)
    else:
        with crew(desk, where) as workers:
            yield workers


def post_ids(script: list[DemoPost]) -> dict[str, DemoPost]:
    """Which written post each stored post is, by its id."""
    keys = demo_keys()
    return {keys.post_id(post.platform, post.uri): post for post in script}


def _open(stores: Stores, folder: Path, library: list[Claim], base_url: str) -> Desk:
    desk = open_demo_desk(demo_settings(stores), FixedClock(SUNDAY), folder)
    with desk.ledger.write() as db:
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


def _crawl(desk: Desk, hands: Hands, tell: Tell) -> dict[str, Counter[str]]:
    """One source after the other: which of two brings a post first must not depend on the machine."""
    with desk.ledger.read() as db:
        names = [source.name for source in sources.every(db)]
    found: dict[str, Counter[str]] = {}
    for name in names:
        tell(f"{desk.now():%A}: crawling {name}")
        found[name] = hands.crawl(name)
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


def _counted(desk: Desk) -> dict[str, int]:
    posts = all_posts(desk)
    with desk.ledger.read() as db:
        decided = decisions.every(db)
        answered = [one for claim in claims.every(db) for one in responses.of_claim(db, claim.id)]
        passes = [runs.outcomes(db, run.id) for run in runs.recent(db, limit=_PAGE) if run.stage == "classify"]
    return {
        "posts": len(posts),
        "flagged": sum(outcomes["flagged"] for outcomes in passes),
        "groups": len({post.group for post in posts}),
        "cards_open": desk.posts.count_cards().get(CardState.OPEN, 0),
        "decisions": len(decided),
        "responses": len(answered),
    }


def all_posts(desk: Desk) -> list[Post]:
    """Every post that the desk keeps, by id."""
    found: list[Post] = []
    while page := desk.posts.dump(after=found[-1].id if found else ""):
        found += [kept.post for kept in page]
    return found
