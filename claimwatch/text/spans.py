"""Finding spans behind look-alike characters, and putting placeholders in their place."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from claimwatch.text.normalise import CharacterTable

#: What stands where something personal stood. Links keep their registrable domain.
PLACEHOLDER = re.compile(r"(\[(?:user|phone|email|id|card|link|link [a-z0-9.-]{1,253})\])")
#: From where to where a placeholder goes, and which.
Span = tuple[int, int, str]
Decide = Callable[[re.Match[str]], Span | None]
Rule = tuple[re.Pattern[str], Decide]


def _plain_twin(char: str) -> str:
    twin = unicodedata.normalize("NFKC", char)
    if len(twin) == 1 and " " <= twin <= "~":
        return twin
    if char == "\t" or unicodedata.category(char) == "Zs":
        return " "
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    return "-" if char in "\u2010\u2011\u2012\u2013\u2212" else char


def _bare_letter(char: str) -> str:
    letter = unicodedata.normalize("NFKD", char)[0].casefold()[0]
    return "d" if letter in "đðɖ" else letter


_TWINS = CharacterTable(_plain_twin)
_BARE = CharacterTable(_bare_letter)
#: What most texts consist of, so far as it looks like nothing else: Latin letters, marks, quotes.
_COMMON = "".join(
    char
    for char in map(chr, (*range(0x250), *range(0x300, 0x370), *range(0x1E00, 0x1F00), *range(0x2018, 0x2027)))
    if _plain_twin(char) == char
)
_UNCOMMON = re.compile(f"[^{re.escape(_COMMON)}]")


def whole(placeholder: str) -> Decide:
    """Puts the placeholder where the match stands."""
    return lambda found: (found.start(), found.end(), placeholder)


@lru_cache(maxsize=8)  # each step of a scrub asks it of the same words
def lookalike(text: str) -> str:
    """The text with full-width, styled and foreign digits, letters, signs and spaces in plain ones, same length."""
    return text.translate(_TWINS) if _UNCOMMON.search(text) else text


def bare(text: str) -> str:
    """The text in lower case without diacritics, same length."""
    return text.lower().replace("\t", " ") if text.isascii() else lookalike(text).translate(_BARE)


def replace(text: str, rules: Sequence[Rule]) -> str:
    """Apply the rules in turn. They read the look-alike text; a match that is refused is searched inside."""
    seen = lookalike(text)
    for pattern, decide in rules:
        spans = _spans(seen, pattern, decide)
        if spans:
            text = cut(text, spans)
            seen = lookalike(text)
    return text


def cut(text: str, spans: Iterable[Span]) -> str:
    """The text with a placeholder for each span; the spans come in order."""
    parts: list[str] = []
    done = 0
    for start, end, placeholder in spans:
        parts += (text[done:start], placeholder)
        done = end
    return "".join((*parts, text[done:]))


def _spans(seen: str, pattern: re.Pattern[str], decide: Decide) -> list[Span]:
    spans: list[Span] = []
    at = 0
    while found := pattern.search(seen, at):
        span = decide(found)
        at = found.start() + 1 if span is None else span[1]
        if span is not None:
            spans.append(span)
    return spans
