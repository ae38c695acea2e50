"""Every text of the report is said in every language, with the values it was given."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from reports.words import LOCALES, Words

REPORTS = LOCALES.parent
KEYWORDS = {"say": None, "count": (1, 2)}


def said() -> set[str | tuple[str, ...]]:
    """The texts in the code and the templates."""
    found: set[str | tuple[str, ...]] = set()
    files = [(file, "python") for file in REPORTS.rglob("*.py")]
    files += [(file, "jinja2.ext:babel_extract") for file in (REPORTS / "templates").glob("*.html")]
    for file, method in files:
        with file.open("rb") as source:
            found |= {text for _, text, _, _ in extract(method, source, keywords=KEYWORDS)}
    return found


def catalogue(file: Path) -> Catalog:
    with file.open("rb") as texts:
        return read_po(texts, locale=file.parts[-3])


@pytest.mark.parametrize("file", sorted(LOCALES.rglob("*.po")), ids=lambda file: file.parts[-3])
def test_every_text_is_translated_and_nothing_else(file: Path) -> None:
    texts = {one.id: one for one in catalogue(file) if one.id}
    assert texts.keys() == said()
    assert [one.id for one in texts.values() if one.fuzzy or not all(_forms(one.string))] == []


@pytest.mark.parametrize("file", sorted(LOCALES.rglob("*.po")), ids=lambda file: file.parts[-3])
def test_a_translation_uses_only_the_values_of_its_text(file: Path) -> None:
    for one in catalogue(file):
        known = {name for form in _forms(one.id) for name in re.findall(r"%\((\w+)\)s", form)}
        for form in _forms(one.string) if one.id else []:
            assert set(re.findall(r"%\((\w+)\)s", form)) <= known
            assert form.count("%") == len(re.findall(r"%\(\w+\)s", form))


def test_numbers_follow_the_language() -> None:
    assert (Words("vi").number(12345), Words("en").number(12345)) == ("12.345", "12,345")


def test_days_and_languages_have_names() -> None:
    assert [Words("vi").day("2026-11-09"), Words("en").day("2026-11-09")] == ["Th 2 9/11", "Mon 9 Nov"]
    assert [Words("en").long_day("2026-11-09"), Words("vi").language_name("en")] == ["9 November 2026", "Tiếng Anh"]
    assert Words("en").language_name("xx") == "xx"


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text or "",) if isinstance(text, str | None) else tuple(text)
