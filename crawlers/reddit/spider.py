"""How a subreddit is asked: back in time once, then for what came before the newest thing known."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from claimwatch.errors import SourceError
from crawlers.page import Page
from crawlers.plan import Ask, SecretSettings, Step
from crawlers.reddit.thing import order_of
from crawlers.signin import ClientCredentials, SignIn

_PAGE = 100
#: The questions of a crawl, in turn: posts, then comments.
_LISTINGS = ("new", "comments")


class RedditSettings(SecretSettings):
    """One subreddit. Reddit answers to signed-in programs only."""

    subreddit: str = Field(pattern=r"^\w{2,40}$", description="The subreddit, without r/.")
    comments: bool = Field(True, description="Whether comments are read too.")
    base_url: str = Field("https://oauth.reddit.com", pattern=r"^https?://", description="The interface to ask.")
    client_id: str = Field("", pattern=r"^[\w-]{0,60}$", description="The id of your app at Reddit, to get tokens.")
    secret_env: str = Field("CLAIMWATCH_REDDIT_KEY", description="The variable that holds that app's secret.")
    token_url: str = Field(
        "https://www.reddit.com/api/v1/access_token",
        pattern=r"^https?://",
        description="Where it gets them.",
    )
    token_env: str = Field(
        "CLAIMWATCH_REDDIT_TOKEN", description="In place of an app: the variable that holds an access token."
    )

    @property
    def secret_variable(self) -> str:
        """The variable of the app's secret."""
        return self.secret_env


class SubredditPlan:
    """Walks each listing back once, then polls by `before`; a full page where that brings nothing."""

    def __init__(self, source: str, settings: RedditSettings) -> None:
        self.source = source
        self.settings = settings
        self.base = f"{settings.base_url.rstrip('/')}/r/{settings.subreddit}"
        self.sign_in: SignIn | None = None
        if settings.client_id and settings.secret:
            self.sign_in = ClientCredentials(
                url=settings.token_url,
                client=settings.client_id,
                secret=settings.secret,
                secret_env=settings.secret_env,
            )

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The listing of posts, from where the last crawl stopped. SourceError without a credential."""
        if self.sign_in is None and not self.settings.credential:
            either = f"set client_id and {self.settings.secret_env}, or set {self.settings.token_env} first"
            raise SourceError(self.source, either, permanent=True)
        return self._begin(_LISTINGS[0], state)

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The cursor after a page, and the page, or the listing, that follows it."""
        listing, _, turn = ask.turn.partition(":")
        reached = str(page.watermark.get("newest_id") or "")
        if turn == "poll":
            return self._after_poll(listing, ask, state, reached)
        if turn == "full" and reached:
            # Not the later of the two: the one known so far may have been deleted, and then brings nothing for ever.
            state = {**state, f"{listing}_newest": reached, f"{listing}_until": ask.mark}
        return self._after_older(listing, state, page)

    def _after_poll(self, listing: str, ask: Ask, state: Mapping[str, Any], reached: str) -> Step:
        if reached and order_of(reached) > order_of(ask.mark):
            return Step(state={**state, f"{listing}_newest": reached, "polled": True}, ask=self._poll(listing, reached))
        rest = {key: value for key, value in state.items() if key != "polled"}
        if state.get("polled"):
            return Step(state=rest, ask=self._following(listing, rest))
        return Step(state=rest, ask=self._full(listing, ask.mark))

    def _after_older(self, listing: str, state: Mapping[str, Any], page: Page) -> Step:
        """Onward to older things until those of the last crawl are met."""
        until = str(state.get(f"{listing}_until") or "")
        oldest = str(page.watermark.get("oldest_id") or "")
        met = bool(until and oldest) and order_of(oldest) <= order_of(until)
        if page.next and oldest and not met:
            return Step(
                state={**state, f"{listing}_older": page.next},
                ask=self._ask(page.next, f"{listing}:older"),
            )
        done = (f"{listing}_older", f"{listing}_until")
        rest = {key: value for key, value in state.items() if key not in done}
        return Step(state=rest, ask=self._following(listing, rest))

    def _following(self, listing: str, state: Mapping[str, Any]) -> Ask | None:
        wanted = _LISTINGS if self.settings.comments else _LISTINGS[:1]
        return next((self._begin(name, state) for name in wanted[_LISTINGS.index(listing) + 1 :]), None)

    def _begin(self, listing: str, state: Mapping[str, Any]) -> Ask:
        if older := state.get(f"{listing}_older"):
            return self._ask(str(older), f"{listing}:older")
        newest = str(state.get(f"{listing}_newest") or "")
        return self._poll(listing, newest) if newest else self._full(listing, "")

    def _full(self, listing: str, mark: str) -> Ask:
        return self._ask(f"{self.base}/{listing}?{urlencode({'limit': _PAGE, 'raw_json': 1})}", f"{listing}:full", mark)

    def _poll(self, listing: str, newest: str) -> Ask:
        query = urlencode({"limit": _PAGE, "raw_json": 1, "before": newest})
        return self._ask(f"{self.base}/{listing}?{query}", f"{listing}:poll", newest)

    def _ask(self, url: str, turn: str, mark: str = "") -> Ask:
        held = self.settings.credential if self.sign_in is None else ""
        return Ask(url=url, headers={"Authorization": f"Bearer {held}"} if held else {}, turn=turn, mark=mark)
