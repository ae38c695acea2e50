"""The words and figures of a report in one language. English is written in the code, others in locale/."""

from datetime import date
from functools import cache
from gettext import NullTranslations
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from claimwatch.catalogue import read_catalogue

#: Languages a report can be written in, the first one first.
LANGUAGES = ("vi", "en")
LOCALES = Path(__file__).with_name("locale")
#: A percentage of fewer than this says more than the numbers do.
_PERCENT_FROM = 20
#: Whose dates and numbers a language writes.
_LOCALES = {"vi": "vi_VN", "en": "en_GB"}
_SHORT_DAY = {"vi": "EEE d/M", "en": "EEE d MMM"}


class Words:
    """Says things in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = Locale.parse(_LOCALES[language])
        self._said = _catalogue(language)

    def say(self, text: str, **values: object) -> str:
        """A text with its values filled in."""
        return self._said.gettext(text) % values

    def count(self, one: str, many: str, n: int, **values: object) -> str:
        """A text that depends on a number, filled in as `%(n)s`."""
        return self._said.ngettext(one, many, n) % {"n": self.number(n), **values}

    def number(self, n: float) -> str:
        """12,345 or 12.345; of a fraction three digits at most."""
        return str(format_decimal(n, locale=self._locale))

    def of(self, part: int, whole: int) -> str:
        """A part beside its whole, with the percentage where the whole is large enough to bear one."""
        if not whole:
            return self.number(0)
        both = self.say("%(part)s of %(whole)s", part=self.number(part), whole=self.number(whole))
        return f"{both} ({self.percent(part, whole)})" if whole >= _PERCENT_FROM else both

    def percent(self, part: int, whole: int) -> str:
        """A percentage with at most one decimal."""
        return str(format_percent(part / whole, "#,##0.#%", locale=self._locale))

    def change(self, now: int, before: int) -> tuple[str, ...]:
        """From one number to another: the difference, and how many times as many; nothing where both are none."""
        if not before:
            return (self.say("new"),) if now else ()
        sign = "+" if now > before else "−" if now < before else "±"
        times = format_decimal(now / before, "0.0#", locale=self._locale)
        return (f"{sign}{self.number(abs(now - before))}", f"×{times}")

    def between(self, low: int, high: int) -> str:
        """A number, or a range where it is not known exactly."""
        return self.number(low) if low == high else f"{self.number(low)}–{self.number(high)}"

    def day(self, day: str) -> str:
        """A day (ISO) as charts and tables show it."""
        return str(format_date(date.fromisoformat(day), _SHORT_DAY[self.language], locale=self._locale))

    def long_day(self, day: str) -> str:
        """A day (ISO) with its month and year in full."""
        return str(format_date(date.fromisoformat(day), "long", locale=self._locale))

    def language_name(self, code: str) -> str:
        """A language by its name, else its code."""
        return str(self._locale.languages.get(code, code or "?"))


@cache
def _catalogue(language: str) -> NullTranslations:
    return read_catalogue(LOCALES / language / "LC_MESSAGES" / "reports.po", language)
