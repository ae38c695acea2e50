"""How Bluesky is asked: the feeds of named accounts, one after the other, then a search, each back to known ground."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import Field, field_validator, model_validator

from claimwatch.errors import SourceError
from crawlers.page import Page
from crawlers.plan import Ask, SecretSettings, Step
from crawlers.signin import AppPassword, SignIn

#: Posts get their place by the time their author's program claims, so some turn up late and further down.
_OVERLAP = timedelta(hours=6)
_PAGE = 100
_OPEN = "https://public.api.bsky.app"
_SIGNED_IN = "https://bsky.social"
#: Problems that concern one question alone: the others are asked all the same.
_PASSING = frozenset({"not_found", "gone", "bad_request"})
_CLOSED = frozenset({"login_needed", "forbidden"})
_BUSY = frozenset({"rate_limited", "unavailable", "refused"})

Actor = Annotated[str, Field(pattern=r"^(did:[a-z]+:[A-Za-z0-9._:%-]+|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)$")]


class BlueskySettings(SecretSettings):
    """The feeds of named accounts, a search, or both."""

    base_url: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description=f"The server to ask; left empty, {_OPEN}, or {_SIGNED_IN} to search.",
    )
    actors: tuple[Actor, ...] = Field((), description="Accounts to read, by DID (which lasts) or handle, without @.")
    with_replies: bool = Field(True, description="Whether an account's answers to others are read too.")
    search: str = Field("", description="Words to search for; needs a signed-in account.")
    identifier: str = Field("", description="The handle to sign in with, to search; it gets tokens itself.")
    secret_env: str = Field("CLAIMWATCH_BLUESKY_PASSWORD", description="The variable that holds its app password.")
    token_env: str = Field(
        "CLAIMWATCH_BLUESKY_TOKEN", description="In place of both: the variable that holds a session's access token."
    )

    @property
    def secret_variable(self) -> str:
        """The variable of the app password."""
        return self.secret_env

    @field_validator("actors", mode="before")
    @classmethod
    def _split(cls, said: object) -> object:
        return tuple(one.strip() for one in said.split(",") if one.strip()) if isinstance(said, str) else said

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.actors and not self.search.strip():
            raise ValueError("name accounts (actors) or words to search for (search)")
        return self


class BlueskyPlan:
    """Each question goes back by cursor to where the last walk began. A question is one account's feed, or the search.

    State: `done` holds, per question, how new a post was met; `now` is the walk under way, with the cursor it owes.
    """

    #: Turns whose refusal the plan judges itself: an account may be gone, the others go on.
    hears_refusals = frozenset({"actor"})

    def __init__(self, source: str, settings: BlueskySettings) -> None:
        self.source = source
        self.settings = settings
        self.base = (
            settings.base_url or (_SIGNED_IN if settings.search.strip() or settings.identifier else _OPEN)
        ).rstrip("/")
        self.sign_in: SignIn | None = None
        if settings.identifier and settings.secret:
            self.sign_in = AppPassword(
                base=self.base,
                identifier=settings.identifier,
                password=settings.secret,
                password_env=settings.secret_env,
            )
        self.questions = {_key(url): (turn, url) for turn, url in self._asked()}

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The page that a stopped crawl was about to ask; else the first question. SourceError without a token."""
        if self.settings.search.strip() and self.sign_in is None and not self.settings.credential:
            either = f"set identifier and {self.settings.secret_env}, or set {self.settings.token_env} first"
            reason = f"{either}: Bluesky searches for signed-in accounts only"
            raise SourceError(self.source, reason, permanent=True)
        now = state.get("now") or {}
        if now.get("key") in self.questions:
            return self._ask(str(now["key"]), str(now.get("cursor") or ""))
        return self._ask(next(iter(self.questions)))

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """On by cursor until the page reaches what is known; then the next question."""
        key, now = ask.mark, state.get("now") or {}
        now = now if now.get("key") == key else {}
        code = page.problems[0].partition(":")[0] if page.problems else ""
        if code in _CLOSED | _BUSY or not page.understood:
            raise SourceError(self.source, page.problems[0], permanent=code in _CLOSED)
        newest = max(str(now.get("newest") or ""), str(page.watermark.get("newest_at") or ""))
        is_empty = not (page.posts or page.dropped or page.rejected)
        cursor = _cursor_of(page.next)
        # The server counts before it takes out what it may not show: one empty page is not the end, two are.
        is_end = not cursor or code in _PASSING or (is_empty and bool(now.get("empty")))
        if is_end or self._is_known(key, state, page):
            return self._onward(key, newest, state)
        walk = {"key": key, "cursor": cursor, "newest": newest, "empty": is_empty}
        return Step(state={**state, "now": walk}, ask=self._ask(key, cursor))

    def _asked(self) -> list[tuple[str, str]]:
        kinds = "posts_with_replies" if self.settings.with_replies else "posts_no_replies"
        feeds = [{"actor": actor, "filter": kinds, "includePins": "false"} for actor in self.settings.actors]
        asked = [("actor", self._url("getAuthorFeed", feed)) for feed in feeds]
        words = self.settings.search.strip()
        return asked + ([("search", self._url("searchPosts", {"q": words, "sort": "latest"}))] if words else [])

    def _url(self, method: str, query: Mapping[str, str]) -> str:
        return f"{self.base}/xrpc/app.bsky.feed.{method}?{urlencode({**query, 'limit': _PAGE})}"

    def _ask(self, key: str, cursor: str = "") -> Ask:
        turn, url = self.questions[key]
        headers = {"Accept": "application/json"}
        if self.settings.credential and self.sign_in is None:
            headers["Authorization"] = f"Bearer {self.settings.credential}"
        return Ask(
            url=f"{url}&{urlencode({'cursor': cursor})}" if cursor else url, headers=headers, turn=turn, mark=key
        )

    def _onward(self, key: str, newest: str, state: Mapping[str, Any]) -> Step:
        """This question is answered: remember how far, and ask the one behind it."""
        done = {one: at for one, at in (state.get("done") or {}).items() if one in self.questions}
        reached = max(newest, str(done.get(key) or ""))
        kept = {name: value for name, value in state.items() if name != "now"}
        kept["done"] = done | ({key: reached} if reached else {})
        keys = list(self.questions)
        behind = keys[keys.index(key) + 1 :] if key in keys else []
        if not behind:
            return Step(state=kept)
        return Step(state={**kept, "now": {"key": behind[0]}}, ask=self._ask(behind[0]))

    def _is_known(self, key: str, state: Mapping[str, Any], page: Page) -> bool:
        """Whether the page goes back to posts that an earlier walk met."""
        known = _instant((state.get("done") or {}).get(key))
        oldest = _instant(page.watermark.get("oldest_at"))
        return known is not None and oldest is not None and oldest < known - _OVERLAP


def _key(question: str) -> str:
    """Stands for a question in the cursor, so that no account is named there."""
    return hashlib.sha256(question.encode()).hexdigest()[:12]


def _cursor_of(link: str | None) -> str:
    return parse_qs(urlsplit(link or "").query).get("cursor", [""])[0]


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None
