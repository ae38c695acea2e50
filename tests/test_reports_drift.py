"""Drift beside the week's counts: told where beyond the bound, never part of what is hashed."""

from dataclasses import replace

import pytest
from report_samples import make_body, make_numbers

from claimwatch.desk import Desk
from claimwatch.drift import Drift
from claimwatch.ledger import scores
from claimwatch.ledger.scores import Scored
from reports.drift import drift_sentences
from reports.numbers import body_of, content_hash
from reports.render import render_html, render_json
from reports.sections.drift import drift_section
from reports.sentences import cautions
from reports.weekly import week_numbers
from reports.words import Words

MOVED = Drift(what="scores", language="vi", psi=0.412, p=0.0001, now=1200, before=5100, beyond=True)
STAYED = replace(MOVED, language="en", psi=0.03, beyond=False)
DECIDED = replace(MOVED, what="decisions", language="", now=80)


def body_with(*drifts: Drift) -> dict[str, object]:
    numbers = make_numbers()
    return body_of(replace(numbers, context=replace(numbers.context, drift=drifts)), version=1)


@pytest.mark.parametrize(
    ("language", "scores_moved", "decided_otherwise"),
    [
        ("en", "The scores of Vietnamese texts are spread otherwise", "The team decided otherwise"),
        ("vi", "Điểm của các bài Tiếng Việt phân bố khác", "Nhóm quyết định khác"),
    ],
)
def test_only_what_is_beyond_the_bound_is_told(language: str, scores_moved: str, decided_otherwise: str) -> None:
    told = drift_sentences(body_with(MOVED, STAYED, DECIDED), Words(language))
    assert [one.startswith(start) for one, start in zip(told, (scores_moved, decided_otherwise), strict=True)] == [
        True,
        True,
    ]
    assert scores_moved in render_html(body_with(MOVED), language)


@pytest.mark.parametrize(
    ("language", "title", "names"),
    [
        ("en", "Beside the four weeks before", ["scores of Vietnamese texts", "decisions by kind", "moved", "steady"]),
        ("vi", "So với bốn tuần trước", ["điểm của các bài Tiếng Việt", "quyết định theo loại", "thay đổi", "ổn định"]),
    ],
)
def test_every_comparison_is_shown_with_its_test_moved_or_not(language: str, title: str, names: list[str]) -> None:
    section = drift_section(body_with(MOVED, STAYED, DECIDED), Words(language))
    assert section is not None
    rows = [[cell.text for cell in row] for row in section.tables[0].rows]
    assert (section.title, rows[0][0], rows[2][0], rows[0][-1], rows[1][-1]) == (title, *names)
    page = render_html(body_with(MOVED, STAYED, DECIDED), language)
    assert all(one in page for one in (title, *names, Words(language).number(0.412)))


def test_a_week_that_could_not_be_compared_has_no_such_section() -> None:
    assert drift_section(body_with(), Words("en")) is None
    assert "Beside the four weeks before" not in render_html(body_with(), "en")


def test_the_fingerprint_does_not_cover_it() -> None:
    numbers = make_numbers()
    moved = replace(numbers, context=replace(numbers.context, drift=(MOVED,)))
    assert content_hash(moved) == content_hash(numbers)
    assert '"psi":0.412' in render_json(body_with(MOVED))


def test_a_report_from_before_drift_was_looked_for_still_renders() -> None:
    body = make_body()
    del body["context"]["drift"]
    assert cautions(body, Words("en")) == []
    assert "<article" in render_html(body, "en")


def test_a_week_carries_what_its_scores_did(desk: Desk) -> None:
    with desk.ledger.write() as db:
        for week, p_false in (("2026-W44", 0.1), ("2026-W45", 0.1), ("2026-W46", 0.9)):
            one = Scored(language="vi", p_false=p_false, hinges=True)
            scores.add(db, week, "weights-1", 0.5, [one] * 150)
    (found,) = week_numbers(desk, "2026-W46").context.drift
    assert (found.language, found.beyond, found.now, found.before) == ("vi", True, 150, 300)
