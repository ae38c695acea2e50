"""A conversation as Bluesky shows it, as one list: nested posts (getPostThread) or rows (getPostThreadV2)."""

from collections.abc import Iterator, Mapping
from typing import Any

from crawlers.bluesky.shape import kind_of, object_of, objects_of

#: What stands in the place of a post that is not shown, and what that makes it for us.
_MISSING = {
    "notFoundPost": "deleted",
    "threadItemNotFound": "deleted",
    "blockedPost": "blocked",
    "threadItemBlocked": "blocked",
    "threadItemNoUnauthenticated": "opted_out",
}


def is_node(answer: Mapping[str, Any]) -> bool:
    """Whether this is one post of a conversation, with what is above and below it, or the gap it left."""
    return missing_reason(answer) is not None or (
        isinstance(answer.get("post"), Mapping)
        and (kind_of(answer) == "threadViewPost" or bool({"replies", "parent"} & answer.keys()))
    )


def missing_reason(node: Mapping[str, Any]) -> str | None:
    """Why a post of the conversation is not shown, as one word; None where it is."""
    kind = kind_of(node) or kind_of(object_of(node, "value"))
    if kind in _MISSING:
        return _MISSING[kind]
    if node.get("notFound") is True:
        return "deleted"
    return "blocked" if node.get("blocked") is True else None


def nodes_of(thread: object) -> Iterator[Mapping[str, Any]]:
    """The conversation from its top: posts above, the post asked for, answers. No depth is too deep."""
    if isinstance(thread, list):
        yield from (each for each in thread if isinstance(each, Mapping))
        return
    above: list[Mapping[str, Any]] = []
    node = thread
    while isinstance(node, Mapping):
        above.append(node)
        node = node.get("parent")
    yield from reversed(above[1:])
    waiting = above[:1]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(list(objects_of(node, "replies")))
