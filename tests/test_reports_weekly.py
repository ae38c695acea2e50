"""The week's numbers, counted on real stores."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW, at
from report_desk import MONDAY, Seen, add_claims, decide, put

from claimwatch.desk import Desk
from claimwatch.ledger import claims, counts, decisions, responses, runs, sources
from claimwatch.ledger.base import Ledger
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.projector import project_decisions
from claimwatch.records import Action, Source, Stance
from reports.numbers import Answers, Spread, StanceCounts, Statuses, content_hash
from reports.weekly import week_bounds, week_numbers

WEEK = "2026-W46"
#: Wednesday noon of that week.
MIDWEEK = datetime(2026, 11, 11, 5, tzinfo=UTC)


def test_a_week_begins_at_the_desks_own_midnight() -> None:
    start, end = week_bounds(WEEK, ZoneInfo("Asia/Ho_Chi_Minh"))
    assert (start, end - start) == (datetime(2026, 11, 8, 17, tzinfo=UTC), timedelta(days=7))


def test_a_week_in_which_clocks_change_is_not_168_hours_long() -> None:
    start, end = week_bounds("2026-W43", ZoneInfo("Europe/Paris"))
    assert end - start == timedelta(days=7, hours=1)


def test_an_empty_week_is_all_zeros(desk: Desk) -> None:
    counted = week_numbers(desk, WEEK).counts
    assert (counted.posts, counted.before, counted.claims, counted.sources) == (Statuses(), Statuses(), (), ())
    assert [one.day for one in counted.days] == [MONDAY + timedelta(days=n) for n in range(7)]


class TestSpread:
    def test_confirmed_and_awaiting_stand_apart_and_passed_never_counts(self, desk: Desk) -> None:
        add_claims(desk, "garlic")
        first, *_ = put(desk, Seen(name="a"), Seen(name="b"), Seen(name="c"), Seen(name="d", flag=False))
        put(desk, Seen(name="e", assessed=False))
        decide(desk, first, Action.REPEATS, MIDWEEK, claim="garlic")
        project_decisions(desk)
        counted = week_numbers(desk, WEEK).counts
        assert counted.posts == Statuses(new=1, passed=1, flagged=2, decided=1)
        assert counted.claims[0].spread == Spread(decided=1, flagged=2)
        assert (counted.claims[0].verdict, counted.claims[0].harm) == ("false", 3)

    def test_refutations_questions_and_reports_are_never_spread(self, desk: Desk) -> None:
        add_claims(desk, "garlic")
        refuted, *_ = put(
            desk,
            Seen(name="a"),
            Seen(name="b", stance=Stance.REFUTES, flag=False),
            Seen(name="c", stance=Stance.ASKS, flag=False),
            Seen(name="d", stance=Stance.REPORTS, flag=False),
        )
        decide(desk, refuted, Action.REFUTES, MIDWEEK, claim="garlic")
        project_decisions(desk)
        counted = week_numbers(desk, WEEK).counts
        assert counted.claims[0].spread == Spread()
        assert counted.claims[0].stances == counted.stances == StanceCounts(refutes=2, asks=1, reports=1)

    def test_each_week_is_set_beside_the_one_before(self, desk: Desk) -> None:
        put(desk, Seen(name="a"), Seen(name="b", day=MONDAY - timedelta(days=1)), Seen(name="c", claim="salt"))
        put(desk, Seen(name="d", claim="salt"), Seen(name="e", day=MONDAY + timedelta(days=7)))
        counted = week_numbers(desk, WEEK).counts
        assert [(one.claim, one.spread.posts, one.before.posts) for one in counted.claims] == [
            ("salt", 2, 0),
            ("garlic", 1, 1),
        ]
        assert counted.before == Statuses(flagged=1)

    def test_claims_of_one_size_stand_by_their_ids(self, desk: Desk) -> None:
        put(desk, Seen(name="a", claim="zinc"), Seen(name="b", claim="garlic"), Seen(name="c", claim="salt"))
        assert [one.claim for one in week_numbers(desk, WEEK).counts.claims] == ["garlic", "salt", "zinc"]

    def test_a_merged_claim_counts_with_the_one_it_joined(self, desk: Desk) -> None:
        add_claims(desk, "garlic", "onion")
        put(desk, Seen(name="a"), Seen(name="b", claim="onion", author="account-2"))
        with desk.ledger.write() as db:
            responses.add(db, responses.Plan(claim="onion", kind="watching"), MIDWEEK)
            claims.merge(db, "onion", "garlic", NOW)
        numbers = week_numbers(desk, WEEK)
        (one,) = numbers.counts.claims
        assert (one.claim, one.spread.posts, one.answers) == ("garlic", 2, Answers(open=1))
        assert numbers.context.claims["garlic"].accounts == (1, 2)

    def test_repeating_posts_without_a_known_claim_are_counted_too(self, desk: Desk) -> None:
        put(desk, Seen(name="a", claim=""))
        counted = week_numbers(desk, WEEK).counts
        assert (counted.unnamed, counted.claims) == (Spread(flagged=1), ())

    def test_languages_and_days_add_up(self, desk: Desk) -> None:
        sunday = MONDAY + timedelta(days=6)
        put(desk, Seen(name="a"), Seen(name="b", day=sunday, language="en"), Seen(name="c", flag=False))
        counted = week_numbers(desk, WEEK).counts
        assert [(one.language, one.posts, one.repeating) for one in counted.languages] == [("vi", 2, 1), ("en", 1, 1)]
        assert [one.posts.flagged + one.posts.passed for one in counted.days] == [2, 0, 0, 0, 0, 0, 1]


class TestAccounts:
    def test_accounts_are_counted_once(self, desk: Desk) -> None:
        put(desk, *[Seen(name=f"p{n}", author=f"account-{n % 3}") for n in range(9)])
        assert week_numbers(desk, WEEK).context.claims["garlic"].accounts == (3, 3)

    def test_a_week_that_straddles_a_quarter_gives_a_range(self, desk: Desk) -> None:
        monday = date(2026, 9, 28)
        put(desk, *[Seen(name=f"old{n}", author=f"q3-{n}", day=monday) for n in range(3)])
        put(desk, *[Seen(name=f"new{n}", author=f"q4-{n}", day=monday + timedelta(days=4)) for n in range(2)])
        assert week_numbers(desk, "2026-W40").context.claims["garlic"].accounts == (3, 5)

    def test_purged_posts_still_count_and_widen_the_accounts(self, desk: Desk) -> None:
        put(desk, Seen(name="a"), Seen(name="b", author="account-2"), Seen(name="c", stance=Stance.ASKS, flag=False))
        before = week_numbers(desk, WEEK)
        later = NOW + timedelta(days=60)
        with desk.ledger.write() as db:
            batch = counts.open_batch(db, later)
        rows = desk.posts.expire(later, batch=batch)
        with desk.ledger.write() as db:
            counts.commit_batch(db, batch, rows)
        assert desk.posts.sweep(batch, later) == 3
        after = week_numbers(desk, WEEK)
        assert after.counts == before.counts
        assert content_hash(after) == content_hash(before)
        assert (before.context.claims["garlic"].accounts, after.context.claims["garlic"].accounts) == ((2, 2), (1, 2))


class TestHash:
    def test_the_order_of_collecting_does_not_matter(self, desk: Desk, second_desk: Desk) -> None:
        seen = [Seen(name=f"p{n}", claim=("garlic", "salt")[n % 2], author=f"account-{n}") for n in range(7)]
        put(desk, *seen)
        for one in reversed(seen):
            put(second_desk, one)
        assert content_hash(week_numbers(desk, WEEK)) == content_hash(week_numbers(desk, WEEK))
        assert content_hash(week_numbers(desk, WEEK)) == content_hash(week_numbers(second_desk, WEEK))

    def test_scores_do_not_matter_and_posts_do(self, desk: Desk, second_desk: Desk) -> None:
        put(desk, Seen(name="a", p_false=0.7))
        put(second_desk, Seen(name="a", p_false=0.99))
        assert content_hash(week_numbers(desk, WEEK)) == content_hash(week_numbers(second_desk, WEEK))
        put(second_desk, Seen(name="b"))
        assert content_hash(week_numbers(desk, WEEK)) != content_hash(week_numbers(second_desk, WEEK))

    def test_the_time_of_counting_does_not_matter(self, desk: Desk) -> None:
        put(desk, Seen(name="a"))
        assert content_hash(week_numbers(at(desk, NOW + timedelta(days=9)), WEEK)) == content_hash(
            week_numbers(desk, WEEK)
        )


class TestWork:
    def test_decisions_are_counted_by_action_and_undone_ones_apart(self, desk: Desk) -> None:
        a, b, c = put(desk, Seen(name="a"), Seen(name="b"), Seen(name="c", flag=False))
        decide(desk, a, Action.REPEATS, MIDWEEK, claim="garlic")
        decide(desk, b, Action.NOT_HEALTH, MIDWEEK)
        decide(desk, c, Action.REPEATS, MIDWEEK, claim="garlic", flag=False)
        decide(desk, a, Action.SKIP, NOW)
        wrong = decide(desk, put(desk, Seen(name="d"))[0], Action.ASKS, MIDWEEK, claim="garlic")
        with desk.ledger.write() as db:
            decisions.undo(db, wrong.card, seen=1, user=wrong.user, now=NOW)
        made = week_numbers(desk, WEEK).counts.decisions
        assert made.made == {"asks": 1, "not_health": 1, "repeats": 2}
        assert made.undone == {"asks": 1}
        assert (made.settled, made.flagged, made.overturned, made.missed) == (3, 2, 1, 1)

    def test_the_wait_is_measured_on_cards_still_kept(self, desk: Desk) -> None:
        a, b = put(desk, Seen(name="a"), Seen(name="b"))
        decide(desk, a, Action.REPEATS, MIDWEEK, claim="garlic")
        decide(desk, b, Action.REPEATS, MIDWEEK, claim="garlic")
        desk.posts.forget([b.id], NOW)
        waiting = week_numbers(desk, WEEK).context.waiting
        assert (waiting.median, waiting.measured, waiting.cards) == (180, 1, 2)

    def test_responses_stand_as_at_the_weeks_end(self, desk: Desk) -> None:
        add_claims(desk, "garlic")
        put(desk, Seen(name="a"))
        plan = responses.Plan(claim="garlic", kind="correction_published", due=date(2026, 11, 15))
        with desk.ledger.write() as db:
            early = responses.add(db, plan, MIDWEEK - timedelta(days=20))
            responses.finish(db, early.id, MIDWEEK, link="https://example.org/answer")
            late = responses.add(db, plan, MIDWEEK)
            responses.finish(db, late.id, NOW, link="javascript:alert(1)")
            responses.add(db, plan, NOW)
        numbers = week_numbers(desk, WEEK)
        assert numbers.counts.responses.begun == {"correction_published": 1}
        assert numbers.counts.responses.done == {"correction_published": 1}
        assert (numbers.counts.responses.open, numbers.counts.responses.overdue) == (1, 1)
        assert numbers.counts.claims[0].answers == Answers(done=1, corrections=1, open=1, overdue=1)
        assert numbers.context.claims["garlic"].links == ("https://example.org/answer",)
        next_week = week_numbers(desk, "2026-W47").context.claims["garlic"]
        assert next_week.links == ("https://example.org/answer",)


class TestCoverage:
    def test_a_silent_source_is_listed_and_a_paused_silent_one_is_not(self, desk: Desk) -> None:
        with desk.ledger.write() as db:
            for name, enabled in (("quiet", True), ("off", False)):
                source = Source(name=name, kind="feed", settings={}, expected_per_week=70, enabled=enabled)
                sources.seed(db, [source])
        put(desk, Seen(name="a", source="import:archive"))
        numbers = week_numbers(desk, WEEK)
        assert [(one.source, one.days) for one in numbers.counts.sources] == [("import:archive", (1, 0, 0, 0, 0, 0, 0))]
        assert sorted(numbers.context.sources) == ["import:archive", "quiet"]
        assert numbers.context.sources["import:archive"].expected == 0

    def test_failed_runs_are_counted_beside_all_tried(self, desk: Desk) -> None:
        with desk.ledger.write() as db:
            sources.seed(db, [Source(name="who", kind="feed", settings={}, attention="403: refused")])
            for hours, status in ((0, "done"), (1, "failed"), (2, "failed"), (24 * 30, "failed")):
                started = MIDWEEK + timedelta(hours=hours)
                runs.finish(db, runs.start(db, "crawl", started, source="who"), started, status=status)
        who = week_numbers(desk, WEEK).context.sources["who"]
        assert (who.failed, who.runs, who.attention) == (2, 3, "403: refused")


@pytest.fixture
def second_desk(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """Another empty desk with the same settings."""
    folder = tmp_path / "second"
    opened = replace(desk, posts=SqlitePosts(folder / "posts.db"), ledger=Ledger.open(folder / "ledger.db"))
    yield opened
    opened.close()
