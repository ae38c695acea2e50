"""The two languages of the pages: messages, numbers and dates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent

from claimwatch.catalogue import read_catalogue

#: Every language the pages speak, by its own name.
LANGUAGES: Mapping[str, str] = {"vi": "Tiếng Việt", "en": "English"}
_DAY = {"vi": "d/M/y", "en": "d MMM y"}
_FOLDER = Path(__file__).with_name("locale")


@dataclass(frozen=True, slots=True)
class Language:
    """One language in one timezone."""

    code: str
    zone: ZoneInfo

    @property
    def gettext(self) -> Callable[[str], str]:
        """Translates a message."""
        return messages(self.code).gettext

    @property
    def ngettext(self) -> Callable[[str, str, int], str]:
        """Translates a message that depends on a number."""
        return messages(self.code).ngettext

    def number(self, value: float, digits: int = 0) -> str:
        """A number with so many digits after the point."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return str(format_decimal(value, format=pattern, locale=self._locale))

    def percent(self, share: float) -> str:
        """A share of 1 as whole percents; what is short of 1 is never told as 100%."""
        told = min(share, 0.99) if share < 1 else share
        return str(format_percent(told, format="#,##0%", locale=self._locale))

    def day(self, day: date) -> str:
        """A calendar day."""
        return str(format_date(day, _DAY[self.code], locale=self._locale))

    def short_day(self, day: date) -> str:
        """Day and month in figures, for the labels of a chart."""
        return str(format_date(day, _DAY[self.code].removesuffix("/y").removesuffix(" y"), locale=self._locale))

    def moment(self, at: datetime) -> str:
        """An instant on the desk's own clock."""
        return str(format_datetime(at, f"{_DAY[self.code]} HH:mm", tzinfo=self.zone, locale=self._locale))

    def span(self, start: datetime, end: datetime) -> str:
        """How long it is between two instants, in one unit."""
        return str(format_timedelta(end - start, locale=self._locale, threshold=1.2))

    def name_of(self, code: str) -> str:
        """What a language code is called; "" for a text too short to tell."""
        if code in {"", "und"}:
            return self.gettext("language unknown")
        return str(self._locale.languages.get(code, code))

    def said(self, texts: Mapping[str, str]) -> str:
        """The text in this language, else in one that there is."""
        return texts.get(self.spoken(texts), "")

    def spoken(self, texts: Mapping[str, str]) -> str:
        """The language that `said` answers in."""
        given = [code for code in (self.code, *LANGUAGES, *texts) if texts.get(code)]
        return given[0] if given else self.code

    @property
    def _locale(self) -> Locale:
        return Locale(self.code)


@cache
def messages(code: str) -> NullTranslations:
    """The catalogue of a language, made from its .po file; English is what the code says."""
    return read_catalogue(_FOLDER / code / "LC_MESSAGES" / "review_ui.po", code)
