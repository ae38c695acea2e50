"""Short texts made from longer ones: excerpts, ids of new claims, words to search by."""

import re
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import urlsplit

from claimwatch.records import Claim, Post
from claimwatch.text.fold import fold, search_terms


def excerpt(text: str, length: int = 220) -> str:
    """The beginning of a text on one line, cut between words."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    head, _, _ = line[:length].rpartition(" ")
    return f"{head or line[:length]}…"


def opening(post: Post, length: int = 220) -> str:
    """The beginning of a post."""
    return excerpt(whole_text(post), length)


def whole_text(post: Post) -> str:
    """What a post says: its title, unless the text repeats it, and its text."""
    return post.text if post.text.startswith(post.title) else f"{post.title} · {post.text}"


def new_id(statement: str, taken: Collection[str]) -> str:
    """An id for a new claim, made from its statement and not taken yet."""
    slug = re.sub(r"[^a-z0-9]+", "-", fold(statement))[:60].strip("-")
    slug = slug if len(slug) >= 3 else "claim"
    return next(one for one in _numbered(slug) if one not in taken)


def matching(claims: Iterable[Claim], words: str) -> list[Claim]:
    """Claims that hold all the words in their statements, phrasings or id."""
    wanted = search_terms(words)
    return [claim for claim in claims if _holds(claim, wanted)]


def web_link(url: str | None) -> str | None:
    """The link if a browser may follow it: http and https only."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def _holds(claim: Claim, wanted: list[str]) -> bool:
    phrasings = [text for texts in claim.phrasings.values() for text in texts]
    text = fold(" ".join([claim.id, *claim.statement.values(), *phrasings]))
    return all(word in text for word in wanted)


def _numbered(slug: str) -> Iterator[str]:
    yield slug
    number = 2
    while True:
        yield f"{slug}-{number}"
        number += 1
