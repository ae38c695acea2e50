"""A report reads well in both languages from its body alone, whatever stands in it."""

import csv
import json
import re
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from report_samples import busy_numbers, make_body, make_claim, make_numbers

from reports.numbers import Answers, ResponseCounts, SourceContext, SourceCounts, Spread, Statuses, body_of
from reports.render import REPORT_CSS, render_csv, render_html, render_inner, render_json
from reports.sentences import bottom_line, cautions
from reports.words import LANGUAGES, Words

both_languages = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def busy() -> dict[str, Any]:
    return body_of(busy_numbers(), version=1)


def told(body: dict[str, Any], language: str = "en") -> list[str]:
    return bottom_line(body, Words(language))


class TestBottomLine:
    def test_an_empty_week_reads_well(self) -> None:
        assert told(make_body()) == [
            "No posts were collected (0 the week before).",
            "No known claim was seen repeated.",
            "No response is overdue.",
        ]
        assert told(make_body(), "vi") == [
            "Không thu thập được bài nào (tuần trước: 0).",
            "Không thấy tuyên bố đã biết nào được lặp lại.",
            "Không có phản hồi nào quá hạn.",
        ]

    def test_one_post_of_one_claim_reads_well(self) -> None:
        late = ResponseCounts(begun={}, done={}, open=1, overdue=1)
        body = make_body(make_claim("garlic"), posts=Statuses(decided=1), before=Statuses(passed=1), responses=late)
        assert told(body) == [
            "1 post was collected (1 the week before).",
            "The claim repeated most was “Statement garlic”: 1 post (0 the week before; confirmed by a person: 1).",
            "1 claim was repeated, still without a published correction; 1 response is overdue.",
        ]

    def test_one_corrected_claim_reads_well(self) -> None:
        body = make_body(make_claim(answers=Answers(done=1, corrections=1)), posts=Statuses(decided=1))
        assert told(body)[2] == "1 claim was repeated, with a published correction; no response is overdue."

    def test_a_busy_week_reads_well(self, busy: dict[str, Any]) -> None:
        assert told(busy) == [
            "11,347 posts were collected (10,222 the week before).",
            (
                "The claim repeated most was “Raw garlic every morning cures COVID-19”: 90 posts"
                " (15 the week before; confirmed by a person: 60)."
            ),
            "12 claims were repeated, 8 of them with a published correction; 1 response is overdue.",
        ]

    def test_a_claim_only_refuted_is_not_called_repeated(self) -> None:
        body = make_body(make_claim(spread=Spread(), before=Spread(decided=3)), posts=Statuses(decided=4))
        assert told(body)[1] == "No known claim was seen repeated."

    def test_thin_coverage_is_said_at_the_top(self) -> None:
        known = {
            name: SourceContext(expected=expected, enabled=True, attention="", runs=7, failed=0)
            for name, expected in (("thin", 11), ("half", 10), ("free", 0))
        }
        given = tuple(SourceCounts(source=name, days=(5, 0, 0, 0, 0, 0, 0)) for name in known)
        (line,) = cautions(make_body(sources=given, known_sources=known), Words("en"))
        assert line.startswith("1 source gave less than half of the posts expected of it (of 2 with an expectation)")


class TestPage:
    @both_languages
    def test_the_page_needs_nothing_else(self, busy: dict[str, Any], language: str) -> None:
        page = render_html(busy, language)
        assert page.startswith("<!doctype html>")
        assert f'<html lang="{language}">' in page
        assert not re.search(r"<script|<link|<img|url\(|@import| style=", page)

    @both_languages
    def test_the_inside_has_no_style_of_its_own(self, busy: dict[str, Any], language: str) -> None:
        inner = render_inner(busy, language)
        assert not re.search(r"<style| style=|<html|<main", inner)
        names = {name for value in re.findall(r'(?:class|id)="([^"]*)"', inner) for name in value.split()}
        assert {name.partition("-")[0] for name in names} == {"cw"}
        classes = {name for value in re.findall(r'class="([^"]*)"', inner) for name in value.split()}
        assert {".cw-report-chart", ".cw-report-bar-now"} <= {f".{name}" for name in classes}
        assert ".cw-report-chart" in REPORT_CSS

    @both_languages
    def test_what_strangers_wrote_is_escaped(self, language: str) -> None:
        evil = '<script>alert("x")</script>'
        known = {"<b>s</b>": SourceContext(expected=9, enabled=True, attention=evil, runs=0, failed=0)}
        body = make_body(
            make_claim("garlic"),
            statements={"garlic": {"vi": evil, "en": evil}},
            known_sources=known,
            posts=Statuses(decided=1),
        )
        body["context"]["desk"] = evil
        page = render_html(body, language)
        assert "<script" not in page
        assert "<b>" not in page
        assert page.count("&lt;script&gt;") >= 5

    @both_languages
    def test_every_chart_has_its_figures_in_a_table(self, busy: dict[str, Any], language: str) -> None:
        page = html.fromstring(render_html(busy, language))
        for section in page.xpath("//section[.//*[name()='svg']]"):
            cells = " ".join(section.xpath(".//table//text()"))
            for figure in section.xpath(".//*[@class='cw-report-value']/text()"):
                assert figure.split()[0] in cells
        assert len(page.xpath("//*[name()='svg'][@role='img'][@aria-label]")) == 3
        assert len(page.xpath("//table[not(caption)]")) == 0

    @both_languages
    def test_an_empty_week_has_no_charts_and_no_ratios(self, language: str) -> None:
        page = render_html(make_body(), language)
        assert "<svg" not in page
        assert "×" not in page
        assert "%" not in html.fromstring(page).xpath("string(//article)")

    def test_confirmed_and_awaiting_posts_stand_apart(self) -> None:
        one = make_claim(spread=Spread(decided=20, flagged=14), before=Spread(decided=12))
        text = html.fromstring(render_inner(make_body(one, posts=Statuses(decided=40)), "en")).xpath("string(//tbody)")
        assert re.sub(r"\s+", " ", text).startswith(
            " 1. Statement garlicfalse · harm 2 of 4 34confirmed: 20awaiting: 14 12+22×2.83 34 0 / 0 / 0 0 / 0"
        )

    def test_accounts_are_a_range_where_two_quarters_meet(self) -> None:
        body = make_body(make_claim(spread=Spread(decided=30)), posts=Statuses(decided=30))
        body["context"]["claims"]["garlic"]["accounts"] = [18, 23]
        assert "18–23" in render_inner(body, "en")

    def test_a_statement_missing_in_one_language_is_shown_in_the_other(self) -> None:
        body = make_body(make_claim(), statements={"garlic": {"vi": "Tỏi chữa bệnh."}}, posts=Statuses(decided=1))
        assert "Tỏi chữa bệnh" in told(body)[1]
        body["context"]["claims"]["garlic"]["statement"] = {}
        assert "“garlic”" in told(body)[1]

    def test_days_without_posts_are_named_where_some_were_expected_daily(self) -> None:
        known = {
            name: SourceContext(expected=expected, enabled=True, attention="", runs=0, failed=0)
            for name, expected in (("daily", 70), ("weekly", 3))
        }
        given = (SourceCounts(source="daily", days=(9, 9, 9, 0, 9, 9, 9)),)
        page = html.fromstring(render_inner(make_body(sources=given, known_sources=known), "en"))
        daily, weekly = page.xpath("//section[@aria-labelledby='cw-report-sources']//tbody/tr")
        assert daily.xpath("td[3]/text() | td[3]/small/text()") == ["1", "Thu 12 Nov"]
        assert weekly.xpath("td[3]//text()")[0].strip() == "–"

    def test_a_preview_and_a_correction_say_what_they_are(self) -> None:
        numbers = make_numbers()
        assert "Preview: not published" in render_html(body_of(numbers, version=0), "en")
        corrected = render_html(body_of(numbers, version=2, replaces="c0ffee" + "0" * 58), "en")
        assert "version 2" in corrected
        assert "c0ffee000000…" in corrected

    def test_a_long_statement_is_cut_in_the_chart_and_whole_in_the_table(self) -> None:
        long = "Rất dài " * 40 + "hết."
        body = make_body(make_claim(), statements={"garlic": {"vi": long}}, posts=Statuses(decided=1))
        page = html.fromstring(render_inner(body, "vi"))
        (label,) = page.xpath("//*[@class='cw-report-label'][starts-with(., '1.')]/text()")
        assert len(label) < 100
        assert "hết." in page.xpath("string(//tbody)")


class TestFigures:
    def test_anyone_can_check_the_hash_in_the_json(self, busy: dict[str, Any]) -> None:
        given = json.loads(render_json(busy))
        counts = json.dumps(given["counts"], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        assert given["hash"] == sha256(counts.encode()).hexdigest()
        assert {name: part for name, part in given.items() if name != "hash"} == busy

    def test_the_csv_holds_every_claim_and_adds_up(self, busy: dict[str, Any]) -> None:
        rows = list(csv.DictReader(StringIO(render_csv(busy))))
        days = sum(int(row["value"]) for row in rows if (row["table"], row["measure"]) == ("days", "posts"))
        assert days == 11347
        claims = {row["row"]: row["value"] for row in rows if (row["table"], row["measure"]) == ("claims", "confirmed")}
        assert (len(claims), claims["claim-00"]) == (12, "60")

    def test_a_name_in_the_csv_is_never_a_formula(self) -> None:
        known = {"=1+1": SourceContext(expected=0, enabled=True, attention="", runs=0, failed=0)}
        assert "sources,'=1+1,posts,0" in render_csv(make_body(known_sources=known))

    def test_a_percentage_needs_a_whole_that_bears_it(self) -> None:
        words = Words("vi")
        assert [words.of(1, 3), words.of(34, 1204), words.of(0, 0)] == ["1 trên 3", "34 trên 1.204 (2,8%)", "0"]

    def test_changes_carry_sign_and_ratio(self) -> None:
        words = Words("en")
        assert words.change(34, 12) == ("+22", "×2.83")
        assert words.change(6, 12) == ("−6", "×0.5")
        assert words.change(5, 5) == ("±0", "×1.0")
        assert (words.change(5, 0), words.change(0, 0)) == (("new",), ())


def test_an_unknown_language_falls_back_to_english() -> None:
    assert '<html lang="en">' in render_html(make_body(), "fr")


def test_the_style_loads_nothing() -> None:
    assert not re.search(r"url\(|@import", REPORT_CSS)
    assert Path(__file__).parent.parent.joinpath("reports/templates/report.css").read_text("utf-8") == REPORT_CSS
