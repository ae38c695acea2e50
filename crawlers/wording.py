"""What crawls say to operators, in the language of whoever reads it. English is what the code says."""

import re
from functools import cache
from gettext import NullTranslations
from pathlib import Path

from claimwatch.catalogue import read_catalogue

_FOLDER = Path(__file__).with_name("locale")
#: Status and code, which programs sort by, before what a person reads.
_LINE = re.compile(r"(?:(?P<status>\d{3}): )?(?:[a-z][a-z_]*: )?(?P<said>.+)", re.DOTALL)
_VALUE = re.compile(r"%\\\((\w+)\\\)s")


def say(text: str, language: str) -> str:
    """A text of the code in this language."""
    return _catalogue(language).gettext(text) if text else ""


def in_words(line: str, language: str) -> str:
    """A line that a crawl noted, such as `404: not_found: the server knows no such thing`, for people to read."""
    found = _LINE.fullmatch(line)
    if found is None:
        return line
    said = _filled(found["said"], language)
    return f"{said} ({found['status']})" if found["status"] else said


def _filled(said: str, language: str) -> str:
    """A sentence, or one whose values stand in it already."""
    known = say(said, language)
    if known != said:
        return known
    for pattern, translation in _sentences(language):
        if found := pattern.fullmatch(said):
            return translation % found.groupdict()
    return said


@cache
def _catalogue(language: str) -> NullTranslations:
    return read_catalogue(_FOLDER / language / "LC_MESSAGES" / "crawlers.po", language)


@cache
def _sentences(language: str) -> list[tuple[re.Pattern[str], str]]:
    """The sentences with values in them: how each looks with any, and its translation. The longest is tried first."""
    known: dict[str, str] = vars(_catalogue(language)).get("_catalog", {})
    texts = sorted((text for text in known if "%(" in text), key=lambda text: (-len(text), text))
    return [(_pattern(text), known[text]) for text in texts]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(_VALUE.sub(r"(?P<\1>.+?)", re.escape(text)), re.DOTALL)
