"""What the tests of the review pages share: a filled desk, and a browser without a screen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

from fastapi.testclient import TestClient

from claimwatch.clock import local_day
from claimwatch.desk import Desk
from claimwatch.ledger import claims, decisions, users
from claimwatch.posts.base import Assessed
from claimwatch.records import Assessment, Card, Claim, Decision, Evidence, Match, Post, Role, Stance, User, Verdict
from claimwatch.text.fold import slot_of, text_hash
from review_ui.app import create_app
from review_ui.session import COOKIE

PASSWORD = "correct horse battery"
GARLIC = Claim(
    id="garlic-cure",
    statement={"vi": "Ăn tỏi sống chữa khỏi COVID-19.", "en": "Raw garlic cures COVID-19."},
    harm=2,
    verdict=Verdict.FALSE,
    correction={"vi": "Tỏi không chữa được COVID-19.", "en": "Garlic does not cure COVID-19."},
    evidence=(Evidence(publisher="WHO", title="Mythbusters", link="https://who.example/myths"),),
)
STEAM = Claim(id="steam-kills", statement={"vi": "Xông hơi diệt virus.", "en": "Steam kills the virus."}, harm=3)


def fill(desk: Desk, role: Role = Role.MODERATOR, language: str = "en") -> User:
    """Two claims and one account; the account."""
    with desk.ledger.write() as db:
        claims.seed(db, [GARLIC, STEAM], desk.now())
        return users.add(db, role.value, PASSWORD, role, desk.now(), language=language)


def add_user(desk: Desk, name: str, role: Role) -> User:
    """One more account."""
    with desk.ledger.write() as db:
        return users.add(db, name, PASSWORD, role, desk.now(), language="en")


def make_post(desk: Desk, name: str, text: str, **changes: Any) -> Post:
    """A post that names a person by its link."""
    collected = changes.get("collected_at", desk.now() - timedelta(hours=3))
    values: dict[str, Any] = {
        "id": f"mastodon:{name}",
        "source": "mastodon-vi",
        "platform": "mastodon",
        "created_at": collected,
        "collected_at": collected,
        "first_seen": collected,
        "day": local_day(collected, desk.settings.zone),
        "language": "vi",
        "title": "",
        "text": text,
        "text_hash": text_hash(text),
        "author_key": f"author of {name}",
        "sealed_url": desk.keys.seal_link(f"https://mang.example/@someone/{name}"),
        "slot": slot_of(text_hash(text)),
        "expires_at": collected + timedelta(days=180),
    }
    return Post(**(values | changes))


def add_card(desk: Desk, name: str, text: str, *, priority: float = 10.0, claim: str | None = "garlic-cure") -> Card:
    """A flagged post with its card, `mastodon:NAME`; the card."""
    return card_of(desk, make_post(desk, name, text), priority=priority, claim=claim)


def card_of(desk: Desk, post: Post, *, priority: float = 10.0, claim: str | None = "garlic-cure") -> Card:
    """Keep this post, flagged, with its card."""
    keep(desk, post, group=post.id, claim=claim)
    card = Card(
        id=post.id,
        head=post.id,
        claim=claim,
        claim_similarity=0.9 if claim else None,
        posts=1,
        accounts=1,
        engagement=7,
        reach=priority / 2,
        growth=1.0,
        harm=2,
        p_false=1.0,
        priority=priority,
        language=post.language,
        model="m1",
        opened_at=desk.now() - timedelta(hours=2),
        updated_at=desk.now(),
    )
    desk.posts.put_cards([card])
    desk.posts.refresh()
    return card


def keep(desk: Desk, post: Post, *, group: str, claim: str | None = "garlic-cure") -> None:
    """Keep a post, assessed and placed in a group."""
    desk.posts.add([post], token=post.id)
    said = Assessment(
        post=post.id,
        text_hash=post.text_hash,
        model="m1",
        on_topic=True,
        p_false=0.93,
        stance=Stance.REPEATS,
        stage="encoder",
        flag=True,
        why="near a known phrasing",
    )
    match = Match(
        post=post.id, text_hash=post.text_hash, claim=claim or "", claim_version=1, similarity=0.9, confirmed=True
    )
    desk.posts.assess([Assessed(assessment=said, matches=(match,) if claim else ())])
    desk.posts.place({post.id: group})


def history(desk: Desk, card: str) -> list[Decision]:
    """The card's decisions, from the ledger."""
    with desk.ledger.read() as db:
        return decisions.of_card(db, card)


@dataclass
class Page:
    """An answer, with what a person would look for."""

    status: int
    path: str
    html: str
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """What a reader sees, on one line."""
        body = self.html.partition("<body>")[2] or self.html
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())

    def field(self, name: str) -> str:
        """The value of the first hidden field of that name."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.html)
        assert found, f"no field {name}"
        return unescape(found[1])


class Browser:
    """Follows links and sends forms with the token of the page it was on."""

    def __init__(self, desk: Desk, **parts: Any) -> None:
        self.app = create_app(desk, **parts)
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.page = Page(0, "", "", {})

    def get(self, path: str, **headers: str) -> Page:
        """Open a page."""
        return self._took(self.client.get(path, headers=headers))

    def post(self, path: str, **fields: Any) -> Page:
        """Send a form, as the page just opened would."""
        return self._took(self.client.post(path, data={"token": self.page.field("token")} | fields))

    def sign_in(self, name: str, password: str = PASSWORD) -> Page:
        """Sign in by the form."""
        self.get("/sign-in")
        return self.post("/sign-in", name=name, password=password)

    def decide(self, card: str, choice: str, **fields: Any) -> Page:
        """Open a card and decide it."""
        page = self.get(f"/cards/{card}")
        seen = {name: page.field(name) for name in ("seen", "text_hash")}
        return self.post(f"/cards/{card}/decide", **(seen | {"choice": choice} | fields))

    def _took(self, answer: Any) -> Page:
        self.page = Page(answer.status_code, answer.url.raw_path.decode(), answer.text, answer.headers)
        return self.page


def signed_in(desk: Desk, role: Role = Role.MODERATOR, **parts: Any) -> Browser:
    """A filled desk's account of that role, signed in without the form: checking a password is slow by design."""
    user = fill(desk, role)
    browser = Browser(desk, **parts)
    sessions = browser.app.state.site.sessions
    browser.client.cookies.set(COOKIE, sessions.seal(sessions.begin(user, 0)), domain="testserver.local")
    assert browser.get("/queue").path == "/queue"
    return browser
