"""Turns a page into HTML: one Jinja environment per language."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from review_ui.labels import TABLES
from review_ui.languages import LANGUAGES, Language
from review_ui.pages import BUTTONS, Frame, Page
from review_ui.words import excerpt, web_link

FOLDER = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")


class Templates:
    """The templates in every language of the pages."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.languages = {code: Language(code, zone) for code in LANGUAGES}
        self._environments = {code: environment(language) for code, language in self.languages.items()}
        files = sorted(STATIC.iterdir())
        self.version = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]

    def html(self, page: Page, frame: Frame) -> str:
        """The page in the frame's language."""
        assert is_dataclass(page)
        values = {field.name: getattr(page, field.name) for field in fields(page)}
        return self._environments[frame.language].get_template(page.template).render(**values, frame=frame)


def environment(language: Language) -> Environment:
    """An environment that escapes everything and refuses names nobody gave."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension
        language.gettext, language.ngettext, newstyle=True
    )
    made.filters |= _filters(language)
    made.globals |= {"buttons": BUTTONS, "languages_spoken": LANGUAGES}
    return made


def _filters(language: Language) -> dict[str, Callable[..., Any]]:
    named: dict[str, Callable[..., Any]] = {
        "number": language.number,
        "percent": language.percent,
        "day": language.day,
        "short_day": language.short_day,
        "moment": language.moment,
        "span": language.span,
        "name_of": language.name_of,
        "said": language.said,
        "spoken": language.spoken,
        "excerpt": excerpt,
        "web_link": web_link,
    }
    return named | {name: _labelled(table, language) for name, table in TABLES.items()}


def _labelled(table: Mapping[object, str], language: Language) -> Callable[[Any], str]:
    def label(value: Any) -> str:
        """The word for a value; the value itself where an older or newer desk wrote another."""
        message = table.get("" if value is None else value)
        return language.gettext(message) if message else str(value)

    return label
