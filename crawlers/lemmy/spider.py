"""How a community is asked: its newest posts, then its newest comments, each back to what is known."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from crawlers import walk
from crawlers.page import Page
from crawlers.plan import Ask, KindSettings, Step

_PAGE = 50
#: The questions of a crawl, in turn.
_LISTINGS = ("post", "comment")


class LemmySettings(KindSettings):
    """One community, or all that one server shows."""

    base_url: str = Field("https://lemmy.world", pattern=r"^https?://", description="The server to ask.")
    community: str = Field(
        "", pattern=r"^[\w.@:-]*$", description="The community, as name or name@host; empty for all the server shows."
    )
    comments: bool = Field(True, description="Whether comments are read too.")


class CommunityPlan:
    """Walks each listing from its newest page to one with nothing new: posts of other servers arrive late."""

    def __init__(self, source: str, settings: LemmySettings) -> None:
        self.source = source
        self.settings = settings
        self.listings = _LISTINGS if settings.comments else _LISTINGS[:1]

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The listing at which the last crawl broke off, else the newest posts."""
        broken_off = (listing for listing in self.listings if state.get(listing, {}).get("older"))
        return self._begin(next(broken_off, self.listings[0]), state)

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The place of the listing's walk; the next listing where it is over."""
        listing, _, turn = ask.turn.partition(":")
        # An older server numbers its pages and tells no end: it is an empty page.
        here = page if page.posts or page.dropped or page.rejected else replace(page, next=None)
        step = walk.onward(replace(ask, turn=turn), state.get(listing, {}), here, known_by="newest_id")
        kept = {**state, listing: dict(step.state)}
        if step.ask is not None:
            return Step(state=kept, ask=replace(step.ask, turn=f"{listing}:{step.ask.turn}"))
        following = self.listings[self.listings.index(listing) + 1 :]
        return Step(state=kept, ask=self._begin(following[0], kept) if following else None)

    def _begin(self, listing: str, state: Mapping[str, Any]) -> Ask:
        # A server that gives tokens takes them in place of the number from the second page on.
        query: dict[str, object] = {"sort": "New", "limit": _PAGE, "type_": "All", "page": 1}
        if self.settings.community:
            query["community_name"] = self.settings.community
        address = f"{self.settings.base_url.rstrip('/')}/api/v3/{listing}/list?{urlencode(query)}"
        ask = walk.begin(state.get(listing, {}), address)
        return replace(ask, turn=f"{listing}:{ask.turn}")
