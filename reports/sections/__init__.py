"""The sections of a report: each a heading, a chart where one helps, and tables with every figure of the chart."""

from reports.layout import Section
from reports.sections.claims import claims_section
from reports.sections.drift import drift_section
from reports.sections.posts import posts_section
from reports.sections.sources import sources_section
from reports.sections.work import decisions_section, responses_section
from reports.sentences import Body
from reports.words import Words


def sections(body: Body, words: Words) -> list[Section]:
    """Every section after the bottom line, in the order of reading."""
    parts = (claims_section, posts_section, decisions_section, responses_section, sources_section, drift_section)
    return [found for part in parts if (found := part(body, words))]
