"""One spelling for one text: composed letters, no hidden characters, plain line ends."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

#: What a word is made of, for use inside [] of a regular expression: `\w` lacks the vowel signs that stand
#: behind their letter in Indic, South-East Asian, Arabic and Hebrew script.
WORD = (
    r"\w\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0971-\u0e4e"
    r"\u0eb0-\u0ecd\u0f71-\u0f84\u102b-\u103e\u1780-\u17d3"
)
_PICTURE = r"\u2190-\u2bff\U0001f000-\U0001faff"
_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_SURROGATES = r"\ud800-\udfff"
#: Control and format characters that no reader sees, all but the joiner, which emoji need.
_UNSEEN = (
    r"\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200c\u200e\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_HIDDEN = re.compile(rf"[{_UNSEEN}]+")
_ODD = re.compile(rf"[\r\v\f\u2028\u2029\u200d{_SURROGATES}{_UNSEEN}]")  # what most texts have none of
_JOINER = re.compile(rf"(?<![{_PICTURE}\ufe0f])\u200d|\u200d(?![{_PICTURE}])")
_PILE = re.compile(r"[^\w\s\x00-\x7f]{31,}")
_LINES = re.compile(r"\n\n\n+")


class CharacterTable(dict[int, str]):
    """A table for `str.translate` that works a character out when it is first met."""

    def __init__(self, work_out: Callable[[str], str]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, code: int) -> str:
        self[code] = self._work_out(chr(code))
        return self[code]


def nfc(text: str) -> str:
    """The composed form. More than 30 marks piled on one letter are cut: sorting them takes quadratic time."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _PILE.sub(_cut_pile, text))


@lru_cache(maxsize=8)  # each step of a text's way asks it of the same words
def visible(text: str) -> str:
    """The text as a reader sees it: composed, without hidden characters, lines ended by LF alone. Never raises."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    if _ODD.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        text = _HIDDEN.sub("", _LINE_ENDS.sub("\n", text))
        text = _JOINER.sub("", text)
    return nfc(text)


def tidy(text: str) -> str:
    """The text as a reader sees it, without needless white space: one space, at most one empty line. Never raises."""
    lines = "\n".join(" ".join(line.split()) for line in visible(text).split("\n"))
    return _LINES.sub("\n\n", lines).strip()


def _cut_pile(found: re.Match[str]) -> str:
    kept: list[str] = []
    piled = 0
    for char in found[0]:
        piled = piled + 1 if unicodedata.combining(char) else 0
        if piled <= 30:  # the longest run that Unicode's stream-safe format allows
            kept.append(char)
    return "".join(kept)
