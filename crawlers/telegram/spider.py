"""How a channel is asked: its newest page, and back from there to the posts known before."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from claimwatch.errors import SourceError
from crawlers import walk
from crawlers.page import Page
from crawlers.plan import Ask, KindSettings, Step

#: How often a page may say that there are no posts until it is believed (CRAWLING.md 4.33).
_TRIES = 3


class TelegramSettings(KindSettings):
    """One public channel."""

    base_url: str = Field("https://t.me", pattern=r"^https?://", description="The server to ask.")
    channel: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{2,31}$", description="The channel's name, without @.")


class ChannelPlan:
    """Walks from the newest page back to what is known."""

    def __init__(self, source: str, settings: TelegramSettings) -> None:
        self.source = source
        self.page = f"{settings.base_url.rstrip('/')}/s/{settings.channel}"

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The newest page, or the older one that an unfinished walk still owes."""
        return walk.begin(state, self.page)

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The walk's place. An empty answer keeps it and ends this crawl: Telegram throttles that way."""
        problem = next(iter(page.problems), "")
        if problem.startswith("disabled:"):
            raise SourceError(self.source, problem, permanent=True)
        if problem.startswith("empty_or_throttled:"):
            return self._after_nothing(ask, state)
        return walk.onward(ask, {key: value for key, value in state.items() if key != "empty"}, page)

    def _after_nothing(self, ask: Ask, state: Mapping[str, Any]) -> Step:
        tries = walk.number(state.get("empty")) + 1
        if ask.turn == "older" and tries >= _TRIES:  # the channel begins here
            return Step(state=walk.finished({key: value for key, value in state.items() if key != "empty"}))
        return Step(state={**state, "empty": tries})
