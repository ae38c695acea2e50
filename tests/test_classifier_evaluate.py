"""Figures with their intervals, against values worked out by hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from claimwatch.records import Stance
from classifier.evaluate import ap, evaluate, flag_shares, gate_shares
from classifier.rows import Row


def rows(labels: Sequence[bool | None], lang: str = "vi") -> list[Row]:
    return [Row(id=str(n), text="a", positive=label, lang=lang, cluster=str(n)) for n, label in enumerate(labels)]


def test_figures_are_those_of_their_definitions() -> None:
    found = evaluate(rows([True, False, True, False]), [0.9, 0.8, 0.7, 0.1], threshold=0.75)
    assert (found["n"], found["positives"]) == (4, 2)
    assert found["auc"][0] == 0.75
    assert found["ap"][0] == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)
    assert found["f1"][0] == 0.5
    assert found["weighted_f1"][0] == 0.5
    assert found["flagged"][0] == 0.5
    assert found["recall_at"]["0.2"][0] == 0.5


def test_a_sure_and_right_model_is_calibrated_and_a_sure_and_wrong_one_is_not() -> None:
    labels = [True] * 10 + [False] * 10
    assert evaluate(rows(labels), [1.0] * 10 + [0.0] * 10, threshold=0.5)["ece"][0] == 0.0
    assert evaluate(rows(labels), [0.0] * 10 + [1.0] * 10, threshold=0.5)["ece"][0] == 1.0


def test_an_interval_holds_its_value_and_narrows_with_more_rows() -> None:
    chance = np.random.default_rng(3)

    def width(count: int) -> float:
        labels = [bool(label) for label in chance.integers(2, size=count)]
        scores = [0.4 * label + 0.6 * float(chance.random()) for label in labels]
        value, low, high = evaluate(rows(labels), scores, threshold=0.5)["auc"]
        assert low <= value <= high
        return float(high - low)

    assert width(800) < width(50)


def test_rows_without_a_label_are_left_out_and_one_class_has_no_auc() -> None:
    found = evaluate(rows([True, None, True]), [0.5, 0.1, 0.5], threshold=0.5)
    assert (found["n"], found["auc"]) == (2, None)


def test_languages_and_slices_are_reported_apart() -> None:
    both = rows([True, False] * 15) + rows([True, False] * 15, lang="en")
    found = evaluate(both, [0.9, 0.1] * 30, threshold=0.5)["by"]
    assert set(found["lang"]) == {"vi", "en"}
    assert found["lang"]["vi"]["n"] == 30
    assert found["slice"] == {}


def test_registers_and_slices_are_reported_in_each_language_too() -> None:
    typed = [replace(row, register="no_diacritics", kind="news") for row in rows([True, False] * 10)]
    both = typed + [replace(row, lang="en", kind="news") for row in rows([True] * 20)]
    found = evaluate(both, [0.9, 0.1] * 10 + [0.9] * 20, threshold=0.5)["by"]
    assert {name: set(found[name]) for name in ("register", "lang_register", "lang_slice")} == {
        "register": {"no_diacritics"},
        "lang_register": {"vi no_diacritics"},
        "lang_slice": {"vi news", "en news"},
    }
    assert found["register"]["no_diacritics"]["auc"][0] == 1.0
    assert set(evaluate(both, [0.5] * 40, threshold=0.5, by=["lang"])["by"]) == {"lang"}


def test_stances_are_judged_where_they_are_known() -> None:
    known = [Stance.REPEATS, Stance.REPEATS, Stance.ASKS, None]
    labelled = [replace(row, stance=one) for row, one in zip(rows([True, True, False, False]), known, strict=True)]
    said = [Stance.REPEATS, Stance.ASKS, Stance.ASKS, Stance.OTHER]
    found = evaluate(labelled, [0.5] * 4, threshold=0.5, stances=said)
    assert found["stance_f1"][0] == pytest.approx(2 / 3, abs=1e-4)
    assert "stance_f1" not in evaluate(labelled, [0.5] * 4, threshold=0.5)


def test_copies_are_drawn_together() -> None:
    alone = rows([True, False] * 40)
    copied = [Row(id=r.id, text="a", positive=r.positive, cluster=str(n // 20)) for n, r in enumerate(alone)]
    scores = [0.6, 0.4] * 39 + [0.1, 0.9]
    spread = {name: evaluate(some, scores, threshold=0.5)["auc"] for name, some in (("a", alone), ("c", copied))}
    assert spread["c"][2] - spread["c"][1] != spread["a"][2] - spread["a"][1]


def test_average_precision_is_that_of_the_library_ties_too() -> None:
    from sklearn.metrics import average_precision_score

    chance = np.random.default_rng(4)
    for digits in (1, 3):
        truth, scores = chance.random(200) < 0.3, np.round(chance.random(200), digits)
        assert ap(truth, scores) == pytest.approx(average_precision_score(truth, scores))


def test_flags_are_shares_of_each_kind_and_stance_with_their_interval() -> None:
    made = [replace(row, kind="news" if number < 6 else "talk") for number, row in enumerate(rows([True] * 8))]
    made[0] = replace(made[0], stance=Stance.REFUTES)
    found = flag_shares(made, [True, True, True, False, False, False, False, False])
    assert found["kind"]["news"] == {"n": 6, "share": [0.5, 0.1876, 0.8124]}
    assert found["kind"]["talk"]["share"][0] == 0.0
    assert found["stance"] == {"refutes": {"n": 1, "share": [1.0, 0.2065, 1.0]}}


def test_the_gate_loses_what_is_true_and_would_be_flagged() -> None:
    made = rows([True, True, True, False])
    found = gate_shares(made, [True, True, False, True], [True, False, True, True])
    assert found["turned_away"]["share"][0] == 0.75
    assert (found["recall_lost"]["n"], found["recall_lost"]["share"][0]) == (3, 0.3333)
    assert gate_shares(rows([False]), [True], [True])["recall_lost"] == {"n": 0, "share": None}
