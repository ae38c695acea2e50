"""Models of an installation: kept, compared, served, and the way back. Decisions as rows, calibration, why."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import NOW

from claimwatch.errors import ConfigError
from claimwatch.records import Action, Claim, Decision, Stance, Verdict
from classifier.calibration import apply_curve, calibrated, fit_curves
from classifier.challenge import Comparison, as_markdown, contest, enough
from classifier.decided import decided_rows
from classifier.frozen import is_frozen, split
from classifier.heads import WORDS, Heads, Linear, features_of, save_heads
from classifier.model import Opinion
from classifier.registry import Registry
from classifier.rows import Row, corpus
from classifier.serving import shipped_folder
from classifier.why import TowerSay, _place, words_that_decided


def model(folder: Path, **card: object) -> Path:
    """A folder with a small model that opens."""
    line = Linear(np.zeros((1, 4), np.float32), np.zeros(1, np.float32))
    save_heads(Heads(false=line, scope=None, stance=None, card={"version": folder.name, **card}), folder)
    return folder


def opinions(scores: list[float], threshold: float = 0.5) -> list[Opinion]:
    return [
        Opinion(on_topic=True, p_false=one, stance=Stance.REPEATS, stage="encoder", flag=one >= threshold)
        for one in scores
    ]


def rows(labels: list[bool], **changes: object) -> list[Row]:
    return [
        replace(Row(id=str(n), text=str(n), positive=label, cluster=str(n), in_scope=True), **changes)  # type: ignore[arg-type]
        for n, label in enumerate(labels)
    ]


def decision(number: int, action: Action, text: str, **changes: object) -> Decision:
    values: dict[str, object] = {
        "id": number, "card": f"c{number}", "number": 1, "action": action, "claim": None, "user": 1,
        "at": NOW + timedelta(minutes=number), "reason": "", "post": "p", "text_hash": f"hash of {text}", "text": text,
        "language": "vi", "model": "m", "p_false": 0.9, "flag": True,
    }  # fmt: skip
    return Decision(**(values | changes))  # type: ignore[arg-type]


class TestRegistry:
    def test_without_a_promotion_the_shipped_model_is_served(self, tmp_path: Path) -> None:
        registry = Registry(tmp_path)
        assert registry.serving() == shipped_folder()
        assert [one.name for one in registry.entries() if one.serving] == [shipped_folder().name]
        with pytest.raises(ConfigError, match="nothing to go back to"):
            registry.rollback()

    def test_a_promoted_model_is_served_until_it_is_rolled_back(self, tmp_path: Path) -> None:
        registry = Registry(tmp_path / "data")
        first, second = (registry.adopt(model(tmp_path / name)) for name in ("first", "second"))
        registry.serve(first.name)
        registry.serve(second.name)
        assert Registry(tmp_path / "data").serving() == second.folder
        assert (registry.rollback(), registry.serving()) == ("first", first.folder)
        assert registry.rollback() == shipped_folder().name
        assert {one.name for one in registry.entries()} >= {"first", "second"}

    def test_what_does_not_open_is_never_adopted(self, tmp_path: Path) -> None:
        (tmp_path / "broken").mkdir()
        with pytest.raises(ConfigError, match="no usable model"):
            Registry(tmp_path / "data").adopt(tmp_path / "broken")

    def test_nothing_kept_is_overwritten(self, tmp_path: Path) -> None:
        registry = Registry(tmp_path / "data")
        registry.adopt(model(tmp_path / "one"))
        other = model(tmp_path / "elsewhere" / "one")
        with pytest.raises(ConfigError, match="already kept"):
            registry.adopt(other)
        assert registry.adopt(registry.folder / "one").folder == registry.folder / "one"

    def test_a_served_model_that_is_gone_or_a_damaged_pointer_is_one_clear_line(self, tmp_path: Path) -> None:
        registry = Registry(tmp_path)
        registry.folder.mkdir()
        pointer = registry.folder / "serving.json"
        pointer.write_text(json.dumps({"serving": "gone", "before": []}), encoding="utf-8")
        with pytest.raises(ConfigError, match="there is no model 'gone'"):
            registry.serving()
        pointer.write_text("{", encoding="utf-8")
        with pytest.raises(ConfigError, match=r"serving\.json: cannot be read: delete it"):
            registry.serving()


class TestFrozen:
    def test_claims_are_wholly_inside_or_wholly_outside(self) -> None:
        outside, inside = split(corpus())
        assert not {row.claim for row in outside if row.claim} & {row.claim for row in inside if row.claim}
        assert 0.05 < len(inside) / len(outside) < 0.5
        assert any(row.positive for row in inside)

    def test_the_rule_never_moves_a_claim(self) -> None:
        named = {name: is_frozen(Row(id="1", text="", positive=True, cluster=name)) for name in ("a", "b", "c", "d")}
        assert named == {
            name: is_frozen(Row(id="2", text="x", positive=False, cluster=name, lang="en")) for name in named
        }


class TestContest:
    labels = ([True] * 30) + ([False] * 70)
    good = ([0.8] * 28 + [0.3] * 2) + ([0.2] * 66 + [0.7] * 4)

    def test_the_same_opinions_are_no_worse(self) -> None:
        found = contest("frozen", rows(self.labels), opinions(self.good), opinions(self.good))
        assert not found.lost
        assert all(one.difference == (0, 0, 0) for one in found.differences)

    def test_a_challenger_that_ranks_worse_loses_and_the_champion_in_its_place_would_not(self) -> None:
        bad = [0.5 + (n * 7 % 10) / 25 for n in range(100)]
        here, there = opinions(self.good), opinions(bad)
        assert contest("frozen", rows(self.labels), here, there).lost
        assert not contest("frozen", rows(self.labels), there, here).lost

    def test_flagging_what_is_out_of_scope_loses_whatever_the_ranking(self) -> None:
        mixed = rows(self.labels)
        political = [replace(one, in_scope=False) if not one.positive else one for one in mixed]
        loud = [replace(one, flag=True) for one in opinions(self.good)]
        found = contest("frozen", political, opinions(self.good), loud)
        assert {one.figure for one in found.differences if one.decides and one.worse} == {"flagged_out_of_scope"}

    def test_few_rows_or_one_label_tell_nothing(self) -> None:
        assert not enough(rows([True] * 100))
        assert not enough(rows([True, False] * 10))
        assert enough(rows([True, False] * 15))

    def test_rows_that_decide_nothing_pass_nobody(self) -> None:
        one = contest("frozen", rows([True] * 20), opinions([0.9] * 20), opinions([0.1] * 20))
        assert not any(each.figure == "auc" for each in one.differences)
        assert not Comparison(champion="old", challenger="new", contests=()).passed

    def test_the_comparison_reads_as_a_page_with_its_rule(self) -> None:
        one = contest("frozen", rows(self.labels), opinions(self.good), opinions(self.good), note="A note.")
        page = as_markdown(Comparison(champion="old", challenger="new", contests=(one,), notes=("Few.",)))
        assert page.startswith("# new against old")
        assert all(part in page for part in ("| auc |", "A note.", "- Few.", "## The rule", "paired bootstrap"))


class TestDecided:
    def test_each_action_gives_its_label_and_stance(self) -> None:
        made = [
            decision(1, Action.REPEATS, "a", claim="garlic"),
            decision(2, Action.NEW_CLAIM, "b", claim="new"),
            decision(3, Action.REFUTES, "c"),
            decision(4, Action.ASKS, "d"),
            decision(5, Action.NOT_HEALTH, "e"),
            decision(6, Action.REPEATS, "f", claim="washing"),
            decision(7, Action.SKIP, "g"),
        ]
        known = {"washing": Claim(id="washing", statement={"en": "Washing hands helps"}, verdict=Verdict.TRUE)}
        found = decided_rows(made, known)
        assert [(row.text, row.positive, row.stance, row.in_scope) for row in found.rows] == [
            ("a", True, Stance.REPEATS, True),
            ("b", True, Stance.REPEATS, True),
            ("c", False, Stance.REFUTES, True),
            ("d", False, Stance.ASKS, True),
            ("e", False, Stance.OTHER, False),
            ("f", False, Stance.REPEATS, True),
        ]
        assert found.skipped == 1

    def test_a_text_counts_once_by_its_newest_decision_that_stands(self) -> None:
        made = [
            decision(1, Action.REPEATS, "a"),
            decision(2, Action.ASKS, "a"),
            decision(3, Action.NOT_HEALTH, "a"),
            decision(4, Action.UNDO, "a", undoes=3),
            decision(5, Action.REPEATS, "", text_hash="emptied"),
        ]
        found = decided_rows(made, {})
        assert [row.stance for row in found.rows] == [Stance.ASKS]
        assert (found.undone, found.superseded, found.emptied, found.skipped) == (1, 1, 1, 1)

    def test_the_newest_quarter_is_held_back(self) -> None:
        found = decided_rows([decision(n, Action.ASKS, f"text {n}") for n in range(1, 41)], {})
        older, newest = found.older_and_newest()
        assert (len(older), [row.text for row in newest]) == (30, [f"text {n}" for n in range(31, 41)])
        assert [row.text for row in found.after(older[-1].created_at)] == [row.text for row in newest]
        assert len(found.after(None)) == 40


class TestCalibration:
    def test_each_language_with_rows_enough_gets_its_curve(self) -> None:
        chance = np.random.default_rng(1)
        raw = chance.normal(size=1200).astype(np.float32)
        languages = ["vi"] * 600 + ["en"] * 550 + ["fr"] * 50
        shift = np.where(np.array(languages) == "vi", 1.5, -1.5)
        truth = chance.random(1200) < 1 / (1 + np.exp(-(2 * raw + shift)))
        curves = fit_curves(raw, truth, languages, [str(n) for n in range(1200)])
        assert set(curves) == {"vi", "en"}
        middle = {name: float(apply_curve(curve, np.zeros(1, np.float32))[0]) for name, curve in curves.items()}
        assert middle["vi"] == pytest.approx(0.82, abs=0.08)
        assert middle["en"] == pytest.approx(0.18, abs=0.08)
        assert all(set(curve["held_out_loss"]) == {"platt", "isotonic"} for curve in curves.values())

    def test_a_crooked_truth_is_followed_by_the_isotonic_curve(self) -> None:
        chance = np.random.default_rng(2)
        raw = chance.uniform(-3, 3, size=3000).astype(np.float32)
        truth = chance.random(3000) < np.where(raw < 0, 0.05, np.where(raw < 2, 0.5, 0.98))
        curve = fit_curves(raw, truth, ["vi"] * 3000, [str(n) for n in range(3000)])["vi"]
        assert curve["kind"] == "isotonic"
        said = apply_curve(curve, np.linspace(-3, 3, 50, dtype=np.float32))
        assert np.all(np.diff(said) >= 0)
        assert json.loads(json.dumps(curve)) == curve

    def test_a_card_without_curves_is_scored_as_before(self) -> None:
        raw = np.array([-1, 0, 2], np.float32)
        said = calibrated({"calibration": [2.0, 1.0]}, raw, ["a", "b", "c"])
        assert said == pytest.approx(1 / (1 + np.exp(-(2 * raw + 1))), abs=1e-6)


class TestWhy:
    def test_the_words_with_the_largest_weights_are_named_as_the_text_writes_them(self) -> None:
        weights = weighing({"toi": 2.0, "chua khoi": 6.0, "khong": -5.0})
        assert words_that_decided(weights, "Tỏi sống chữa khỏi, không sai") == ["chữa khỏi", "Tỏi"]
        assert words_that_decided(weights, "🙏") == []

    def test_words_that_speak_against_are_never_named_and_few_are(self) -> None:
        weights = weighing({f"word{n}": 1.0 + n for n in range(20)} | {"khong": -9.0})
        text = " không ".join(f"word{n}" for n in range(20))
        assert words_that_decided(weights, text) == ["word19", "word18", "word17", "word16"]

    def test_the_tuned_layers_have_their_share_of_the_say(self) -> None:
        weights, text = weighing({"garlic": 1.0}), "garlic cures covid, friends"
        tower = [0.0, 0.1, 3.0, -1.0]
        assert words_that_decided(weights, text, TowerSay(tower, 1.0)) == ["cures covid"]
        assert words_that_decided(weights, text, TowerSay(tower, 0.5)) == ["garlic cures covid"]
        assert words_that_decided(weights, text, TowerSay(tower, 0.0)) == ["garlic"]

    def test_words_are_named_as_they_are_written_and_not_across_a_stop(self) -> None:
        weights = weighing({"covid": 1.0, "19": 1.0, "gone": 3.0, "tear": 2.0, "it": 2.0, "have": 2.0})
        assert words_that_decided(weights, '"COVID-19 gone", they say') == ["COVID-19 gone"]
        assert words_that_decided(weights, "they tear it. I have seen") == ["tear it", "have"]
        assert words_that_decided(weights, "they tear it. Have you seen") == ["tear it", "Have"]

    def test_a_tower_that_counts_other_words_has_no_say(self) -> None:
        weights = weighing({"garlic": 1.0})
        assert words_that_decided(weights, "garlic cures", TowerSay([9.0], 1.0)) == ["garlic"]

    def test_places_are_those_of_the_heads(self) -> None:
        text = "garlic cures covid friends"
        features = features_of(np.zeros((1, 2), np.float32), [text])
        words = text.split()
        terms = [*words, *(f"{one} {after}" for one, after in pairwise(words))]
        assert set(features.indices.tolist()) == {_place(term, WORDS) + 2 for term in terms}


def weighing(terms: dict[str, float]) -> np.ndarray:
    """Weights of hashed words that know these terms alone."""
    weights = np.zeros(WORDS, np.float32)
    for term, weight in terms.items():
        weights[_place(term, WORDS)] = weight
    return weights
