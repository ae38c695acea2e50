"""How a channel is asked: its newest page, and back from there to the posts known before."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from claimwatch.errors import SourceError
from crawlers.page import Page
from crawlers.plan import Ask, KindSettings, Step

#: How often a page may say that there are no posts until it is believed (CRAWLING.md 4.33).
_TRIES = 3


class TelegramSettings(KindSettings):
    """One public channel."""

    base_url: str = Field("https://t.me", pattern=r"^https?://", description="The server to ask.")
    channel: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{2,31}$", description="The channel's name, without @.")


class ChannelPlan:
    """Walks from the newest page back to what is known; only a finished walk moves the mark of the known."""

    def __init__(self, source: str, settings: TelegramSettings) -> None:
        self.source = source
        self.page = f"{settings.base_url.rstrip('/')}/s/{settings.channel}"

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The newest page, or the older one that an unfinished walk still owes."""
        older = state.get("older")
        return Ask(url=str(older), turn="older") if older else Ask(url=self.page)

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The walk's place. An empty answer keeps it and ends this crawl: Telegram throttles that way."""
        problem = next(iter(page.problems), "")
        if problem.startswith("disabled:"):
            raise SourceError(self.source, problem, permanent=True)
        if problem.startswith("empty_or_throttled:"):
            return self._after_nothing(ask, state)
        kept = {key: value for key, value in state.items() if key not in ("older", "empty")}
        reached = max(_number(page.watermark.get("newest_id")), _number(kept.get("reached")))
        kept |= {"reached": reached} if reached else {}
        met = _number(page.watermark.get("oldest_id")) <= _number(kept.get("newest"))
        if page.next and page.next != ask.url and not met:
            return Step(state=kept | {"older": page.next}, ask=Ask(url=page.next, turn="older"))
        return Step(state=_finished(kept))

    def _after_nothing(self, ask: Ask, state: Mapping[str, Any]) -> Step:
        tries = _number(state.get("empty")) + 1
        if ask.turn == "older" and tries >= _TRIES:
            return Step(state=_finished(state))  # the channel begins here
        return Step(state={**state, "empty": tries})


def _finished(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state once a walk met what was known: all up to the newest post it saw is kept."""
    newest = max(_number(state.get("newest")), _number(state.get("reached")))
    rest = {key: value for key, value in state.items() if key not in ("older", "reached", "empty")}
    return rest | ({"newest": newest} if newest else {})


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0
