"""Texts reduced to bare words, so that spelling, case and marks no longer matter."""

import hashlib
import re
import unicodedata

from claimwatch.text.normalise import WORD, CharacterTable, nfc, tidy, visible

_MARKS = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_BETWEEN_WORDS = re.compile(rf"[^{WORD}]|_")
#: Letters with a stroke have no mark to take off. All three look the same in capitals.
_STROKES = str.maketrans({"đ": "d", "ð": "d", "ɖ": "d"})


def _folded(char: str) -> str:
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    letters = unicodedata.normalize("NFC", _MARKS.sub("", apart)).translate(_STROKES)
    return _BETWEEN_WORDS.sub(" ", letters)


_FOLDED = CharacterTable(_folded)


def fold(text: str) -> str:
    """Lower-case words without diacritics or punctuation, one space between them."""
    return " ".join(visible(text).translate(_FOLDED).split())


def unmarked(text: str) -> str:
    """The same text without diacritics, đ included: what a phone without a Vietnamese keyboard types."""
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return nfc("".join(sign for sign in apart if not unicodedata.combining(sign)))


def text_hash(text: str) -> str:
    """The same 32 hex digits for all texts that fold alike; wordless texts are told apart by their signs."""
    return hashlib.sha256((fold(text) or tidy(text)).encode()).hexdigest()[:32]


def slot_of(text_hash: str) -> int:
    """The share of the work, 0 to 255, that a text hash belongs to."""
    return int(text_hash[-2:], 16)


def search_terms(query: str) -> list[str]:
    """The words to look up for what a user typed."""
    return fold(query).split()
