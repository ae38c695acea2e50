"""Whether a model may be served in bytes: measured once, on posts that it never learnt."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from claimwatch.records import Stance
from classifier.fidelity import Fidelity, int8_holds, measured
from classifier.frozen import digest, split
from classifier.model import Opinion
from classifier.rows import corpus

TRUTH = {row.text: bool(row.positive) for row in split(corpus())[1]}


class Judge:
    """Says the truth of a post, but the contrary of one in so many."""

    def __init__(self, wrong: int) -> None:
        self.wrong, self.asked = wrong, 0

    def judge(self, texts: Sequence[str], progress: Callable[[int], None]) -> list[Opinion]:
        """One opinion a text."""
        self.asked += 1
        for _ in texts:
            progress(1)
        chance = np.random.default_rng(1).random(len(texts))
        scores = [
            float(TRUTH[text] != bool(self.wrong and number % self.wrong == 0)) + chance[number] / 10
            for number, text in enumerate(texts)
        ]
        return [
            Opinion(on_topic=True, p_false=score / 2, stance=Stance.OTHER, stage="encoder", flag=False)
            for score in scores
        ]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.json").write_text("{}", encoding="utf-8")
    return folder


def test_two_that_say_the_same_are_alike_and_one_that_errs_is_not() -> None:
    alike = measured({"float32": Judge(0), "int8": Judge(0)}.__getitem__, {})  # type: ignore[arg-type]
    assert alike.holds
    assert alike.float32 == alike.int8 == (1.0, 1.0)
    assert alike.rows == len(split(corpus())[1])
    astray = measured({"float32": Judge(0), "int8": Judge(50)}.__getitem__, {})  # type: ignore[arg-type]
    assert not astray.holds


def test_what_the_card_tells_of_these_very_rows_is_not_measured_again() -> None:
    told = {"of": digest(split(corpus())[1]), "auc": [0.9, 0.8, 0.95], "ap": [0.7, 0.6, 0.8]}
    judges = {"float32": Judge(0), "int8": Judge(0)}
    found = measured(judges.__getitem__, {"frozen_set": told})  # type: ignore[arg-type]
    assert (found.float32, found.int8, judges["float32"].asked) == ((0.9, 0.7), (1.0, 1.0), 0)
    of_others = {"frozen_set": {**told, "of": digest(split(corpus())[1][1:])}}
    found = measured(judges.__getitem__, of_others)  # type: ignore[arg-type]
    assert (found.float32, judges["float32"].asked) == ((1.0, 1.0), 1)


def test_both_passes_tell_how_far_they_are() -> None:
    told: list[tuple[str, int, int]] = []
    count = len(split(corpus())[1])
    judges = {"float32": Judge(0), "int8": Judge(0)}
    measured(judges.__getitem__, {}, lambda *step: told.append(step))  # type: ignore[arg-type]
    assert (told[0], told[-1], len(told)) == (("float32", 1, count), ("int8", count, count), 2 * count)


def test_a_loss_in_either_figure_is_a_loss() -> None:
    assert Fidelity(rows=9, float32=(0.95, 0.9), int8=(0.947, 0.897)).holds
    assert not Fidelity(rows=9, float32=(0.95, 0.9), int8=(0.9469, 0.9)).holds
    assert not Fidelity(rows=9, float32=(0.95, 0.9), int8=(0.95, 0.8969)).holds


def test_it_is_measured_once_for_a_model_and_again_for_a_changed_one(folder: Path, tmp_path: Path) -> None:
    judges = {"float32": Judge(0), "int8": Judge(50)}
    for _ in range(2):
        assert not int8_holds(folder, tmp_path / "home", judges.__getitem__, {})  # type: ignore[arg-type]
    assert judges["int8"].asked == 1
    (folder / "model.json").write_text('{"threshold": 0.6}', encoding="utf-8")
    assert not int8_holds(folder, tmp_path / "home", judges.__getitem__, {})  # type: ignore[arg-type]
    assert judges["int8"].asked == 2
    notes = [json.loads(file.read_text()) for file in (tmp_path / "home/fidelity").glob("*.json")]
    assert [note["holds"] for note in notes] == [False, False]
