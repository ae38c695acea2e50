"""Where the words of a search stand in a text, so that a page can show and mark them."""

import re
from collections.abc import Iterator

from claimwatch.text.fold import fold, search_terms
from claimwatch.text.normalise import WORD

#: From so many letters on, the last word of a search finds longer ones too that begin with it.
PREFIX = 3
_TOKEN = re.compile(rf"(?:(?!_)[{WORD}])+")
#: The share of a passage that stands before the first word found.
_BEFORE = 0.3

#: A piece of a text, and whether it is a word that was searched for.
Piece = tuple[str, bool]


def passage(text: str, words: str, length: int) -> list[Piece]:
    """About `length` characters of a text around the first word found, on one line, in pieces; cut between words."""
    line = " ".join(text.split())
    spans = list(found(line, words))
    start, end = _window(line, spans[0][0] if spans else 0, length)
    pieces: list[Piece] = [("…", False)] if start else []
    at = start
    for first, last in spans:
        if start <= first and last <= end:
            pieces += [(line[at:first], False), (line[first:last], True)]
            at = last
    pieces += [(line[at:end], False), ("…" if end < len(line) else "", False)]
    return [piece for piece in pieces if piece[0]]


def found(text: str, words: str) -> Iterator[tuple[int, int]]:
    """From where to where the words of a search stand in a text, with or without diacritics."""
    terms = search_terms(words)
    if not terms:
        return
    whole, last = set(terms), terms[-1]
    for token in _TOKEN.finditer(text):
        if any(word in whole or (len(last) >= PREFIX and word.startswith(last)) for word in fold(token[0]).split()):
            yield token.start(), token.end()


def _window(line: str, first: int, length: int) -> tuple[int, int]:
    """Where the passage begins and ends: the whole line where it is short enough."""
    if len(line) <= length:
        return 0, len(line)
    start = max(0, min(first - int(length * _BEFORE), len(line) - length))
    start = line.find(" ", start, first) + 1 if start and " " in line[start:first] else start
    end = min(len(line), start + length)
    if end < len(line):
        end = max(line.rfind(" ", start, end), min(first + 1, end)) if " " in line[start:end] else end
    return start, end
