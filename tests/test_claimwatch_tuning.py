"""Thresholds by the team's decisions: figures against values worked out by hand, drawn cards, drift."""

from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import NOW, at
from fakes import WordModel

from claimwatch.desk import Desk
from claimwatch.drift import chi_squared, drift_of, psi
from claimwatch.ledger import audits, decisions, scores, users
from claimwatch.ledger.audits import Audit, is_drawn, share_of
from claimwatch.ledger.decisions import Judgement
from claimwatch.ledger.scores import STEPS, Scored
from claimwatch.records import Action, Role
from claimwatch.text.fold import text_hash
from claimwatch.tuning import Curve, Point, Tuning, tune, wilson
from classifier.classify import classify_new_posts
from classifier.grouping import group_new_posts
from factories import make_post

MODEL = "weights-12345678"


def decide(desk: Desk, name: str, action: Action, p_false: float, *, flag: bool = True, **changes: object) -> None:
    """One decision on a card of its own."""
    with desk.ledger.write() as db:
        user = users.by_name(db, "mai") or users.add(db, "mai", "a long password", Role.MODERATOR, NOW)
        judged = Judgement(
            card=name, seen=0, action=action, user=user.id, post=name, text_hash=text_hash(name), text=name,
            language="vi", model=MODEL, p_false=p_false, flag=flag,
        )  # fmt: skip
        decisions.add(db, replace(judged, **changes), desk.now())  # type: ignore[arg-type]


def draw(desk: Desk, name: str, *, share: float = 0.1, hinges: bool = True) -> None:
    with desk.ledger.write() as db:
        audits.note(db, Audit(card=name, share=share, hinges=hinges, language="vi", at=NOW))


def count(desk: Desk, week: str, many: int, p_false: float, language: str = "vi") -> None:
    with desk.ledger.write() as db:
        one = Scored(language=language, p_false=p_false, hinges=True)
        scores.add(db, week, MODEL, 0.5, [one] * many)


def point(found: Tuning, threshold: float, language: str = "") -> Point:
    curve: Curve = next(one for one in found.curves if one.language == language)
    return next(one for one in curve.points if one.threshold == pytest.approx(threshold))


class TestWilson:
    def test_it_is_the_interval_of_the_textbook(self) -> None:
        assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Newcombe 1998, method 3
        assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)

    def test_nothing_seen_leaves_everything_possible(self) -> None:
        assert wilson(0, 0) == (0.0, 1.0)


class TestTune:
    def test_precision_is_the_share_of_flags_that_repeat_a_claim(self, desk: Desk) -> None:
        count(desk, "2026-W46", 10, 0.9)
        for n in range(6):
            decide(desk, f"right {n}", Action.REPEATS, 0.9)
        for n in range(4):
            decide(desk, f"wrong {n}", Action.NOT_HEALTH, 0.6)
        found = tune(desk)
        assert (found.model, found.threshold) == ("weights", 0.5)
        low, high = point(found, 0.5).precision, point(found, 0.75).precision
        assert low is not None
        assert high is not None
        assert (low.value, low.of) == (0.6, 10)
        assert (low.low, low.high) == pytest.approx(wilson(6, 10))
        assert (high.value, high.of) == (1.0, 6)

    def test_without_drawn_cards_recall_and_what_lies_below_stay_open(self, desk: Desk) -> None:
        count(desk, "2026-W46", 10, 0.9)
        decide(desk, "right", Action.REPEATS, 0.9)
        found = tune(desk)
        assert all(one.recall is None for one in found.curves[0].points)
        assert point(found, 0.3).precision is None
        assert point(found, 0.5).precision is not None

    def test_a_drawn_card_speaks_for_the_inverse_of_its_share(self, desk: Desk) -> None:
        count(desk, "2026-W46", 10, 0.9)
        for n in range(10):
            decide(desk, f"right {n}", Action.REPEATS, 0.9)
        for n in range(10):
            draw(desk, f"drawn {n}", share=0.1)
            decide(desk, f"drawn {n}", Action.REPEATS if n == 0 else Action.ASKS, 0.3, flag=False)
        found = tune(desk)
        missed = point(found, 0.5).recall
        assert missed is not None
        assert missed.value == pytest.approx(10 / (10 + 10))
        assert missed.low < missed.value < missed.high
        lower = point(found, 0.3)
        assert lower.recall is not None
        assert lower.precision is not None
        assert lower.recall.value == pytest.approx(1.0)
        assert lower.precision.value == pytest.approx(20 / 110)

    def test_what_stance_or_topic_hold_back_no_threshold_flags(self, desk: Desk) -> None:
        count(desk, "2026-W46", 10, 0.9)
        decide(desk, "right", Action.REPEATS, 0.9)
        draw(desk, "drawn", share=1.0, hinges=False)
        decide(desk, "drawn", Action.REPEATS, 0.7, flag=False)
        found = tune(desk)
        recall = point(found, 0.05).recall
        assert recall is not None
        assert recall.value == pytest.approx(0.5)

    def test_few_drawn_cards_without_a_find_leave_recall_wide(self, desk: Desk) -> None:
        count(desk, "2026-W46", 10, 0.9)
        for n in range(100):
            decide(desk, f"right {n}", Action.REPEATS, 0.9)
        for n in range(5):
            draw(desk, f"drawn {n}", share=0.01)
            decide(desk, f"drawn {n}", Action.ASKS, 0.1, flag=False)
        recall = point(tune(desk), 0.5).recall
        assert recall is not None
        assert (recall.value, recall.low < 0.5) == (1.0, True)

    def test_undone_decisions_and_those_of_another_model_are_left_out(self, desk: Desk) -> None:
        count(desk, "2026-W46", 10, 0.9)
        decide(desk, "old", Action.REPEATS, 0.9, model="older-12345678")
        decide(desk, "undone", Action.NOT_HEALTH, 0.9)
        with desk.ledger.write() as db:
            decisions.undo(db, "undone", seen=1, user=1, now=NOW)
        decide(desk, "plain", Action.ASKS, 0.2, flag=False)
        decide(desk, "right", Action.REPEATS, 0.9)
        found = tune(desk)
        assert (found.curves[0].decided, dict(found.left_out)) == (1, {"other_model": 1, "not_flagged": 1})
        assert found.curves[0].says_little

    def test_the_queue_is_the_mean_of_the_weeks_that_are_over(self, desk: Desk) -> None:
        for week, many in (("2026-W45", 10), ("2026-W46", 30), ("2026-W47", 999)):
            count(desk, week, many, 0.62)
            count(desk, week, many, 0.2, language="en")
        decide(desk, "right", Action.REPEATS, 0.9)
        found = tune(desk)
        assert found.weeks == ("2026-W46", "2026-W45")
        assert (point(found, 0.1).queue, point(found, 0.5).queue, point(found, 0.7).queue) == (40, 20, 0)
        assert point(found, 0.1, "vi").queue == 20

    def test_a_desk_without_decisions_has_no_curves(self, desk: Desk) -> None:
        assert tune(desk).curves == ()


class TestDrawing:
    def test_the_same_texts_are_drawn_everywhere_and_a_larger_share_draws_more(self) -> None:
        texts = [text_hash(f"text {n}") for n in range(2000)]
        small, large = ({text for text in texts if is_drawn(text, share)} for share in (0.05, 0.2))
        assert small < large
        assert (60 < len(small) < 140, 320 < len(large) < 480) == (True, True)
        assert not any(is_drawn(text, 0.0) for text in texts)
        assert all(is_drawn(text, 1.0) for text in texts)

    def test_the_share_of_a_day_follows_the_days_before_and_never_moves(self, desk: Desk) -> None:
        days = [NOW.date() + timedelta(days=n) for n in range(3)]
        with desk.ledger.write() as db:
            assert share_of(db, days[0], 3, met=40) == 3 / 1000
            assert share_of(db, days[1], 3, met=10) == 3 / 40
            assert share_of(db, days[1], 3, met=500) == 3 / 40
            assert share_of(db, days[2], 3, met=1) == 3 / 275

    def test_a_drawn_post_gets_a_card_that_is_known_as_drawn(self, desk: Desk) -> None:
        wanted = desk.settings.classify.model_copy(update={"audit_per_day": 1000})
        desk = replace(desk, settings=desk.settings.model_copy(update={"classify": wanted}))
        asks, other = make_post("does garlic help?"), make_post("good morning")
        desk.posts.add([asks, other], token="t")
        classify_new_posts(desk, WordModel())
        group_new_posts(desk, "test")
        with desk.ledger.read() as db:
            drawn = audits.every(db)
        assert [(one.card, one.share, one.hinges) for one in drawn.values()] == [(asks.id, 1.0, False)]
        assert [card.id for card in desk.posts.cards()] == [asks.id]
        assert not desk.posts.assessments([asks.id])[asks.id].flag
        assert tune(desk).waiting in ((), (asks.id,))

    def test_a_desk_that_wants_none_draws_none(self, desk: Desk) -> None:
        none = desk.settings.classify.model_copy(update={"audit_per_day": 0})
        desk = replace(desk, settings=desk.settings.model_copy(update={"classify": none}))
        desk.posts.add([make_post("does garlic help?")], token="t")
        classify_new_posts(desk, WordModel())
        group_new_posts(desk, "test")
        assert desk.posts.cards() == []


class TestScores:
    def test_a_pass_counts_each_text_once_in_the_week_of_its_post(self, desk: Desk) -> None:
        desk.posts.add([make_post("garlic cures it"), make_post("GARLIC cures it"), make_post("good day")], token="t")
        classify_new_posts(desk, WordModel("words-1"))
        with desk.ledger.read() as db:
            (week,) = scores.of_week(db, "2026-W47")
        assert (week.model, week.threshold, week.count) == ("words", 0.5, 2)
        assert week.texts["en"][STEPS - 2] == 1
        assert sum(week.hinging["en"]) == 1


class TestDrift:
    def test_the_index_and_the_test_are_those_of_their_definitions(self) -> None:
        from scipy.stats import chi2_contingency

        now, before = [30, 50, 20], [100, 100, 200]
        assert psi(before, before) == 0.0
        assert psi([5000, 5000], [9000, 1000]) == pytest.approx(0.4 * 1.6094 + 0.4 * 0.5878, abs=1e-3)
        assert chi_squared(now, before) == pytest.approx(chi2_contingency([now, before]).pvalue)
        assert chi_squared([7, 0], [9, 0]) == 1.0

    def test_scores_that_move_are_told_and_those_that_stay_are_not(self, desk: Desk) -> None:
        for week in ("2026-W42", "2026-W43", "2026-W44", "2026-W45"):
            for step in range(STEPS):
                count(desk, week, 20, step / STEPS)
                count(desk, week, 20, step / STEPS, language="en")
        for step in range(STEPS):
            count(desk, "2026-W46", 30 if step >= 10 else 2, step / STEPS)
            count(desk, "2026-W46", 11, step / STEPS, language="en")
        with desk.ledger.read() as db:
            found = {one.language: one for one in drift_of(db, "2026-W46", desk.settings.zone)}
        assert (found["vi"].beyond, found["en"].beyond) == (True, False)
        assert (found["vi"].now, found["vi"].before) == (320, 1600)
        assert found["en"].psi < 0.05

    def test_few_texts_are_not_compared(self, desk: Desk) -> None:
        count(desk, "2026-W45", 500, 0.1)
        count(desk, "2026-W46", 99, 0.9)
        with desk.ledger.read() as db:
            assert drift_of(db, "2026-W46", desk.settings.zone) == ()

    def test_a_team_that_decides_otherwise_is_told(self, desk: Desk) -> None:
        for n in range(60):
            decide(at(desk, NOW - timedelta(days=15)), f"before {n}", Action.REPEATS, 0.9)
            decide(desk, f"now {n}", Action.NOT_HEALTH, 0.9)
        with desk.ledger.read() as db:
            (found,) = drift_of(db, "2026-W47", desk.settings.zone)
        assert (found.what, found.beyond, found.now, found.before) == ("decisions", True, 60, 60)
