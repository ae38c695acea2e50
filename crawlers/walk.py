"""A walk from a listing's newest page back to what is known. Only a finished walk moves the mark of the known."""

from collections.abc import Mapping
from typing import Any

from crawlers.page import Page
from crawlers.plan import Ask, Step

#: What a walk keeps: `newest` (all up to it is kept), `reached` (the newest seen on this walk), `older` (still owed).
_UNFINISHED = ("older", "reached")


def begin(state: Mapping[str, Any], newest_page: str) -> Ask:
    """The newest page, or the older one that an unfinished walk still owes."""
    older = state.get("older")
    return Ask(url=str(older), turn="older") if older else Ask(url=newest_page)


def onward(ask: Ask, state: Mapping[str, Any], page: Page, *, known_by: str = "oldest_id") -> Step:
    """The walk's place after a page. It ends where the page's mark `known_by` is no newer than what is known.

    Name `newest_id` where late posts turn up among older ones: the walk then ends at a page with nothing new on it.
    """
    reached = max(number(page.watermark.get("newest_id")), number(state.get("reached")))
    kept = {key: value for key, value in state.items() if key != "older"} | ({"reached": reached} if reached else {})
    met = number(page.watermark.get(known_by)) <= number(state.get("newest"))
    if page.next and page.next != ask.url and not met:
        return Step(state=kept | {"older": page.next}, ask=Ask(url=page.next, turn="older"))
    return Step(state=finished(kept))


def finished(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state once a walk is over: everything up to the newest post it saw is kept."""
    newest = max(number(state.get("newest")), number(state.get("reached")))
    rest = {key: value for key, value in state.items() if key not in _UNFINISHED}
    return rest | ({"newest": newest} if newest else {})


def number(value: object) -> int:
    """A count or an id of digits, 0 where there is none."""
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0
