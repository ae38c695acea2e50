"""The small edits by which a post becomes a copy, or a refutation in nearly the same words."""

import re
from collections.abc import Callable

from claimwatch.text.fold import unmarked


def edited(text: str, edit: str) -> str:
    """The text after an edit such as `exact`, `emoji 🙏`, `end nha`, `swap OLD -> NEW`. Raises ValueError on others."""
    name, _, detail = edit.partition(" ")
    if name not in _EDITS:
        raise ValueError(f"no such edit: {edit!r}")
    return _EDITS[name](text, detail)


def _marks(text: str, _: str) -> str:
    return text.rstrip(".!") + "!!!"


def _bare(text: str, _: str) -> str:
    return unmarked(text)


def _last(text: str, word: str) -> str:
    return re.sub(r"\w+(?=\W*$)", word, text)


def _swap(text: str, change: str) -> str:
    old, arrow, new = change.partition(" -> ")
    if not arrow or text.count(old) != 1:
        raise ValueError(f"cannot swap {change!r}")
    return text.replace(old, new)


_EDITS: dict[str, Callable[[str, str], str]] = {
    "exact": lambda text, _: text,
    "emoji": lambda text, emoji: f"{text} {emoji}",
    "marks": _marks,
    "bare": _bare,
    "shout": lambda text, _: text.upper(),
    "end": lambda text, words: f"{text.rstrip('.!')} {words}",
    "last": _last,
    "label": lambda text, words: f"{words}: {text}",
    "swap": _swap,
}
