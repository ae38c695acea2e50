"""Texts without what names or reaches a person."""

import re
from collections.abc import Collection

from claimwatch.text.links import link_placeholder, without_bare_links, without_full_links
from claimwatch.text.names import (
    bare_names,
    handles_in,
    names_mail_provider,
    without_handles,
    without_mentions,
    without_names,
)
from claimwatch.text.normalise import visible
from claimwatch.text.numbers import without_numbers
from claimwatch.text.spans import PLACEHOLDER, lookalike

_LINK = re.compile(r"\[link ([^\[\]\s]*)\]")
#: What every link, handle, mention and number that a step looks for has at least one of, and half of all texts lack.
_SIGNS = re.compile(r"[@/:(\[{<]|\.(?i:[a-z]{2})|(?:[0-9]\W{0,3}){6}")
_PASSES = 10  # what a placeholder cuts apart may read anew; two passes settle real texts


def scrub(text: str, known: Collection[str] = ()) -> str:
    """The text with `[user]`, `[phone]`, `[email]`, `[id]`, `[card]` and `[link DOMAIN]` for what names a person.

    `known` are the names met beside the post; handles that the text itself mentions go wherever they stand. Scrubbing
    twice changes nothing more.
    """
    names = bare_names({*known, *handles_in(text)})
    text = visible(text)
    if "[link " in text:
        text = _LINK.sub(lambda found: link_placeholder(found[1], names), text)
    for _ in range(_PASSES):
        scrubbed = "".join(_scrub_piece(piece, names) for piece in PLACEHOLDER.split(text))
        if scrubbed == text:
            break
        text = scrubbed
    return text


def _scrub_piece(piece: str, names: frozenset[str]) -> str:
    """One stretch between placeholders; those that one step leaves, the next steps do not touch."""
    if len(piece) < 2 or PLACEHOLDER.fullmatch(piece):
        return piece
    if not (_SIGNS.search(lookalike(piece)) or names_mail_provider(piece)):
        return without_names(piece, names)  # no other step finds anything in it
    for step in (
        lambda part: without_full_links(part, names),
        without_handles,
        lambda part: without_bare_links(part, names),
        lambda part: without_names(part, names),
        without_mentions,
        without_numbers,
    ):
        parts = PLACEHOLDER.split(piece) if "[" in piece else [piece]
        piece = "".join(part if PLACEHOLDER.fullmatch(part) else step(part) for part in parts if part)
    return piece
