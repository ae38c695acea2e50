"""Other wordings of a text that leave its meaning: as people type without marks, in teen code, with slips."""

import re

import numpy as np

from claimwatch.text.fold import unmarked

#: What young Vietnamese write for common words.
_TEEN_CODE = {
    "không": ("k", "ko", "hok", "hong"),
    "được": ("dc", "đc"),
    "biết": ("bít", "bt"),
    "gì": ("j", "zì"),
    "rồi": ("r", "ròi", "rùi"),
    "mọi người": ("mn", "mng"),
    "vậy": ("z", "zậy"),
    "với": ("vs", "vs"),
    "những": ("nhữg", "~"),
    "người": ("ng", "ngừi"),
    "cũng": ("cx", "cũg"),
    "bây giờ": ("bi h", "bgio"),
    "như thế nào": ("ntn",),
    "trong": ("trog",),
    "nhưng": ("nhg",),
    "em": ("e",),
    "anh": ("a",),
    "chị": ("c",),
    "you": ("u",),
    "your": ("ur",),
    "are": ("r",),
    "because": ("cuz", "bc"),
    "please": ("pls", "plz"),
    "people": ("ppl",),
    "to": ("2",),
    "for": ("4",),
    "with": ("w/",),
    "and": ("n", "&"),
}
_COMMON = re.compile(r"(?<!\w)(" + "|".join(sorted(_TEEN_CODE, key=len, reverse=True)) + r")(?!\w)", re.IGNORECASE)
_SLIPS = 0.04  #: of letters


def teen_code(text: str, chance: np.random.Generator) -> str:
    """In lower case, with most common words shortened."""

    def shorter(found: re.Match[str]) -> str:
        forms = _TEEN_CODE[found.group().lower()]
        return forms[chance.integers(len(forms))] if chance.random() < 0.8 else found.group()

    return _COMMON.sub(shorter, text.lower())


def slipped(text: str, chance: np.random.Generator) -> str:
    """With letters left out, doubled or swapped, about one in 25."""
    letters = list(text)
    for place in range(len(letters) - 1):
        if letters[place].isalpha() and chance.random() < _SLIPS:
            here, after = letters[place : place + 2]
            letters[place : place + 2] = [("", after), (here + here, after), (after, here)][chance.integers(3)]
    return "".join(letters)


def altered(text: str, chance: np.random.Generator) -> str:
    """One other wording: six times in ten unmarked, else in teen code, with slips, or both."""
    kind = chance.random()
    if kind < 0.6:
        return unmarked(text).lower() if chance.random() < 0.5 else unmarked(text)
    if kind < 0.8:
        return teen_code(text, chance)
    if kind < 0.9:
        return slipped(text, chance)
    return slipped(teen_code(text, chance), chance)
