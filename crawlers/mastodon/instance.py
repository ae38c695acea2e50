"""What a Mastodon server says of itself: which timelines it opens to everybody."""

from typing import Any

_FEEDS = ("live_feeds", "hashtag_feeds", "trending_link_feeds")
#: From the most open to the most closed. A word we do not know counts as closed.
_OPENNESS = ("public", "authenticated", "disabled")


def is_instance(answer: dict[str, Any]) -> bool:
    """Whether the answer is the server's own description, of either version of the interface."""
    return "version" in answer and bool({"configuration", "registrations", "stats", "urls"} & answer.keys())


def access_of(answer: dict[str, Any]) -> tuple[dict[str, str], str]:
    """Per feed the most closed word said of its parts, and the problem that names the answer."""
    configuration = answer.get("configuration")
    said = configuration.get("timelines_access") if isinstance(configuration, dict) else None
    access = {feed: _most_closed(said.get(feed)) for feed in _FEEDS} if isinstance(said, dict) else {}
    access = {feed: word for feed, word in access.items() if word}
    return access, _problem(access)


def _most_closed(said: object) -> str:
    words = said.values() if isinstance(said, dict) else [said]
    known = [word for word in words if isinstance(word, str) and word]
    return max(known, key=lambda word: _OPENNESS.index(word) if word in _OPENNESS else len(_OPENNESS), default="")


def _problem(access: dict[str, str]) -> str:
    live, hashtags = access.get("live_feeds", "public"), access.get("hashtag_feeds", "public")
    rest = "hashtags are open" if hashtags == "public" else f"hashtags are {hashtags}"
    if live == "authenticated":
        return f"login_needed: the live timelines are for signed-in users; {rest}"
    if live != "public":
        return f"disabled: the live timelines are {live}; {rest}"
    if hashtags != "public":
        return f"disabled: {rest}; the live timelines are open"
    return "instance: the server's description, no posts"
