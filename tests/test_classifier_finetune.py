"""Fine-tuning: learns what the rows say, the same each time, and goes on where it was stopped."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="fine-tuning needs claimwatch[train]")
pytest.importorskip("peft", reason="fine-tuning needs claimwatch[train]")

from claimwatch.errors import ConfigError
from claimwatch.records import Stance
from claimwatch.settings import Classify
from classifier.encoder import Encoder
from classifier.finetune import _STEP_TOKENS, Recipe, Tuned, Tuner, _balances, _batches
from classifier.heads import STANCES
from classifier.rows import Row
from classifier.serving import open_model
from classifier.training import Training, held_out, save_model, tune_model, work
from tiny_model import LAYERS, tiny_encoder_folder

CURES = ("nước chanh", "tỏi", "gừng", "muối", "rượu", "mật ong", "trà", "sả", "dầu tràm", "chuối")
RECIPE = Recipe(rank=4, rate=5e-3, epochs=4, batch=8, longest=32)
WHOLE = replace(RECIPE, whole=True, layers=LAYERS)


def rows() -> list[Row]:
    """Ten claims: each said and denied, and posts about nothing of the kind."""
    made = []
    for number, cure in enumerate(CURES):
        for text, positive, stance in (
            (f"{cure} chữa khỏi covid", True, Stance.REPEATS),
            (f"uống {cure} là hết bệnh ngay", True, Stance.REPEATS),
            (f"{cure} không chữa được covid", False, Stance.REFUTES),
            (f"đừng tin uống {cure} là hết bệnh", False, Stance.REFUTES),
        ):
            made.append(
                Row(id=text, text=text, positive=positive, in_scope=True, stance=stance, cluster=cure, lang="vi")
            )
        other = f"trời mưa to quá {number}"
        made.append(Row(id=other, text=other, positive=False, in_scope=False, stance=Stance.OTHER, cluster=other))
    return made


@pytest.fixture(scope="module", name="cache")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    tiny_encoder_folder(cache / "encoder")
    return cache


@pytest.fixture(scope="module", name="encoder")
def _encoder(cache: Path) -> Encoder:
    return Encoder.open(cache / "encoder", threads=1)


def training(seed: int = 1) -> Training:
    return Training(rows=rows(), claims=[], seed=seed, version="tried")


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("recipe", [RECIPE, WHOLE], ids=["upper", "whole"])
def test_a_tuned_model_is_saved_opened_and_judges(
    encoder: Encoder, cache: Path, tmp_path: Path, recipe: Recipe
) -> None:
    save_model(tune_model(encoder, training(), tmp_path, recipe), tmp_path)
    assert not (tmp_path / "training.pt").exists()
    model = open_model(cache, Classify(threads=1), folder=tmp_path)
    said, other = model.judge(["gừng chữa khỏi covid", "trời mưa to quá"])
    assert 0 <= other.p_false < said.p_false <= 1
    assert losses(tmp_path)[-1] < losses(tmp_path)[0]


@pytest.mark.parametrize("recipe", [RECIPE, WHOLE], ids=["upper", "whole"])
def test_the_served_tower_says_what_the_trained_one_said(
    encoder: Encoder, cache: Path, tmp_path: Path, recipe: Recipe
) -> None:
    from classifier.adapter import open_tower, save_adapter

    tuned, held = tuner(encoder, tmp_path, recipe).run(), held_out(rows(), 1).tolist()
    assert tuned.adapter.start == recipe.start(LAYERS)
    save_adapter(tuned.adapter, tmp_path)
    _, served, _ = encoder.encode_with(open_tower(tmp_path, encoder, cache), [rows()[number].text for number in held])
    assert np.allclose(served, tuned.outputs, atol=0.03)


def test_the_same_seed_trains_the_same_adapter(encoder: Encoder, tmp_path: Path) -> None:
    first, _ = tuned_in(encoder, tmp_path / "a")
    again, _ = tuned_in(encoder, tmp_path / "b")
    assert np.array_equal(first.outputs, again.outputs)


def test_a_stopped_run_goes_on_to_the_same_end(encoder: Encoder, tmp_path: Path) -> None:
    whole, _ = tuned_in(encoder, tmp_path / "whole")
    stopped = 0

    def stop(more: int) -> None:
        nonlocal stopped
        stopped += more
        if stopped > 2.5 * len(rows()):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuner(encoder, tmp_path / "stopped").run(stop)
    assert len(losses(tmp_path / "stopped")) == 2
    rest = tuner(encoder, tmp_path / "stopped").run()
    assert np.array_equal(rest.outputs, whole.outputs)


def test_a_run_stopped_after_its_last_epoch_learns_nothing_anew(encoder: Encoder, tmp_path: Path) -> None:
    whole, _ = tuned_in(encoder, tmp_path)
    before = losses(tmp_path)
    told: list[int] = []
    again = tuner(encoder, tmp_path).run(told.append)
    assert len(told) == 1  # what was learnt before, at once
    assert told[0] == len(before) * (len(rows()) - len(held_out(rows(), 1)))
    assert (losses(tmp_path), np.array_equal(again.outputs, whole.outputs)) == (before, True)


def test_another_training_is_not_gone_on_with(encoder: Encoder, tmp_path: Path) -> None:
    def stop(_: int) -> None:
        if (tmp_path / "training.pt").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuner(encoder, tmp_path).run(stop)
    with pytest.raises(ConfigError, match="another training"):
        tuner(encoder, tmp_path, recipe=replace(RECIPE, rate=1e-4)).run()


def test_progress_adds_up_to_the_work_that_was_told(encoder: Encoder, tmp_path: Path) -> None:
    told: list[int] = []
    recipe = replace(RECIPE, patience=99)
    tune_model(encoder, training(), tmp_path, recipe, told.append)
    assert sum(told) == work(training(), recipe)


def test_rows_that_are_named_choose_the_epoch_and_are_never_learnt(encoder: Encoder, tmp_path: Path) -> None:
    valid = [replace(row, id=f"v{row.id}", cluster=f"v{row.cluster}") for row in rows()[:20]]
    wanted = replace(training(), valid=valid)
    assert wanted.held.tolist() == list(range(len(rows()), len(rows()) + 20))
    heads = tune_model(encoder, wanted, tmp_path, RECIPE)
    assert (heads.card["rows"], heads.card["tower"]["held"], heads.card["held_out"]["n"]) == (len(rows()), 20, 20)
    save_model(heads, tmp_path)
    assert "fine-tuned by lora" in (tmp_path / "README.md").read_text(encoding="utf-8").lower()


def test_a_rare_stance_weighs_more_than_a_common_one_and_one_never_met_as_much_as_the_mean() -> None:
    common, rare = STANCES.index(Stance.OTHER), STANCES.index(Stance.ASKS)
    weights = _balances(np.array([common] * 90 + [rare] * 10 + [-1] * 50)).numpy()
    assert weights[rare] == pytest.approx(np.sqrt(5))
    assert weights[common] == pytest.approx(np.sqrt(50 / 90))
    assert weights[STANCES.index(Stance.REFUTES)] == 1.0


def test_other_wordings_may_be_made_to_say_the_same(encoder: Encoder, tmp_path: Path) -> None:
    plain = tuner(encoder, tmp_path / "plain", recipe=replace(RECIPE, consistency=0.0)).run()
    close, _ = tuned_in(encoder, tmp_path / "close")
    assert losses(tmp_path / "close")[-1] < losses(tmp_path / "close")[0]
    assert not np.array_equal(close.outputs, plain.outputs)


def test_a_row_of_more_weight_is_learnt_better(encoder: Encoder, tmp_path: Path) -> None:
    """The same text stands there twice, with either label: the heavier one is believed."""
    heavy = replace(rows()[0], weight=9.0)
    light = replace(heavy, id="again", positive=False, stance=Stance.REFUTES, weight=1.0)
    said = {}
    for name, (one, other) in {"as said": (heavy, light), "turned": (light, heavy)}.items():
        first = replace(one, weight=heavy.weight), replace(other, weight=light.weight)
        made = [*first, *rows()[1:]]
        said[name] = tuned_on(encoder, tmp_path / name, made)
    assert said["as said"] > said["turned"]


def test_long_texts_come_in_smaller_batches_and_every_row_comes_once() -> None:
    lengths = np.random.default_rng(2).integers(1, 193, 500)
    batches = list(_batches(np.arange(500), lengths, 64, np.random.default_rng(1)))
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    assert max(map(len, batches)) == 64
    assert max(len(batch) * lengths[batch].max() for batch in batches) <= _STEP_TOKENS
    assert [len(one) for one in _batches(np.arange(3), np.array([9000, 1, 9000]), 64, np.random.default_rng(1))]


def test_held_out_rows_share_no_claim_with_the_learnt() -> None:
    made = rows()
    held = set(held_out(made, 1).tolist())
    learnt = {row.cluster for number, row in enumerate(made) if number not in held}
    assert held
    assert not {made[number].cluster for number in held} & learnt


def tuner(encoder: Encoder, folder: Path, recipe: Recipe = RECIPE) -> Tuner:
    from classifier.finetune import Lesson
    from classifier.graph import read_layers

    made = rows()
    _, states = encoder.fork([row.text for row in made], recipe.longest, at=recipe.fed)
    lesson = Lesson(rows=made, states=states, twins=states, held=held_out(made, 1))
    weights = read_layers(encoder.float32, encoder.shape, recipe.start(LAYERS))
    return Tuner(lesson, weights, encoder.shape, recipe=recipe, seed=1, folder=folder)


def tuned_on(encoder: Encoder, folder: Path, made: list[Row]) -> float:
    """What a run on these rows says of the first one's falsity."""
    save_model(tune_model(encoder, replace(training(), rows=made), folder, RECIPE), folder)
    return open_model(encoder.home.parent.parent, Classify(threads=1), folder=folder).judge([made[0].text])[0].p_false


def tuned_in(encoder: Encoder, folder: Path) -> tuple[Tuned, list[int]]:
    return tuner(encoder, folder).run(), held_out(rows(), 1).tolist()
