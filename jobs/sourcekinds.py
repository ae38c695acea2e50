"""The kinds of source as the pages may ask about them; what crawls need is imported when somebody first does."""

from collections.abc import Mapping

from claimwatch.desk import Desk
from claimwatch.records import Source
from claimwatch.sourceforms import KindForm, Trial


class CrawledKinds:
    """Answers from the crawlers' own code."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def forms(self, language: str) -> tuple[KindForm, ...]:
        """The form of every kind."""
        from crawlers.forms import forms

        return forms(language)

    def faults(self, source: Source, language: str) -> Mapping[str, str]:
        """What is wrong with a source's settings, by setting."""
        from crawlers.forms import faults_of

        return faults_of(source, language)

    def host(self, source: Source) -> str:
        """The source's host as the rate-limit book names it."""
        from crawlers.forms import host_of

        return host_of(source)

    def in_words(self, line: str, language: str) -> str:
        """What a crawl noted, for people to read."""
        from crawlers.wording import in_words

        return in_words(line, language)

    def try_out(self, source: Source) -> Trial:
        """Ask the source for its first page and keep nothing."""
        from crawlers.dryrun import try_source

        return try_source(self._desk, source)
