"""The gate: what is plainly not about health goes no further, and hardly a repeated claim is lost."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from claimwatch.settings import Classify
from classifier.encoder import Encoder
from classifier.frozen import split
from classifier.gate import LOST, Gate, Teacher, fit_gate
from classifier.heads import LETTERS, WORDS, Linear, idf_of
from classifier.rows import Row, corpus
from classifier.serving import open_encoder
from tiny_model import tiny_encoder_folder


@pytest.mark.encoder
def test_a_gate_learnt_on_the_corpus_keeps_unseen_claims_and_turns_strangers_away(home: dict[str, str]) -> None:
    encoder = open_encoder(Path(home["CLAIMWATCH_CACHE"]), Classify())
    learnt, unseen = split(corpus())
    texts = [row.text for row in learnt]
    fitted = fit_gate(learnt, encoder.glance(texts), idf_of(texts), 1, knowing(learnt))
    assert fitted is not None
    gate, figures = fitted
    assert 0 < figures["recall_lost"] <= LOST

    def passing(texts: list[str]) -> float:
        return float(gate.passes(gate.scores(texts, encoder.glance(texts))).mean())

    assert passing([row.text for row in unseen if row.positive]) > 0.97
    assert passing([row.text for row in unseen if row.in_scope is False]) < 0.55


def test_a_glance_is_the_mean_of_the_first_layer_and_blind_to_order(tmp_path: Path) -> None:
    encoder = Encoder.open(tiny_encoder_folder(tmp_path))
    one, other, empty = encoder.glance(["tỏi chữa covid", "covid chữa tỏi", ""])
    assert np.allclose(one, other, atol=1e-6)
    assert np.allclose([np.linalg.norm(one), np.linalg.norm(empty)], 1, atol=1e-5)
    assert encoder.glance([]).shape == (0, encoder.dimensions)


def test_a_text_of_a_few_words_always_passes() -> None:
    blind = Linear(np.zeros((1, 8 + WORDS + LETTERS), np.float32), np.array([-9.0], np.float32))
    gate = Gate(linear=blind, idf=np.ones(WORDS + LETTERS, np.float32), threshold=0.5)
    scores = gate.scores(["", "tỏi", "tối nay đá bóng ở sân"], np.zeros((3, 8), np.float32))
    assert gate.passes(scores).tolist() == [True, True, False]


def test_rows_of_one_scope_give_no_gate() -> None:
    rows = [Row(id=str(n), text=f"a b c {n}", positive=bool(n % 2), in_scope=True, cluster=str(n)) for n in range(300)]
    glances, idf = np.zeros((300, 8), np.float32), np.ones(WORDS + LETTERS, np.float32)
    assert fit_gate(rows, glances, idf, 1, knowing(rows)) is None


def test_a_repeat_that_the_model_misses_anyway_does_not_hold_the_gate_open() -> None:
    """Of the repeats some speak like other talk; the threshold minds them only where the model would flag them."""

    def row(text: str, *, positive: bool) -> Row:
        return Row(id=text, text=text, positive=positive, in_scope=positive, cluster=text)

    plain = [row(f"vaccine gây vô sinh chuyện số {n}", positive=True) for n in range(150)]
    odd = [row(f"trận bóng tối nay hay quá {n}", positive=True) for n in range(20)]
    other = [row(f"trận bóng hôm qua dở quá {n}", positive=False) for n in range(150)]
    rows = [*plain, *odd, *other]
    glances, idf = np.zeros((len(rows), 8), np.float32), idf_of([one.text for one in rows])
    judged = {number: number < len(plain) for number in range(len(rows))}
    teacher = knowing(rows)
    heard, missed = (fit_gate(rows, glances, idf, 1, one) for one in (teacher, replace(teacher, flagged=judged)))
    assert heard is not None
    assert missed is not None
    assert missed[0].threshold > heard[0].threshold
    assert missed[1]["recall_lost"] <= LOST


def test_a_gate_says_what_its_teacher_says_where_that_is_not_the_label() -> None:
    """Every second post of the market is about health by its label; the teacher holds all of them for other talk."""
    rows = [
        Row(id=text, text=text, positive=about, in_scope=about or n % 2 == 0, cluster=text)
        for n in range(200)
        for about, text in ((True, f"vaccine gây vô sinh chuyện số {n}"), (False, f"chợ hôm nay đông quá {n}"))
    ]
    glances, idf = np.zeros((len(rows), 8), np.float32), idf_of([one.text for one in rows])
    scope = np.array([0.95 if row.positive else 0.1 for row in rows], np.float32)
    fitted = fit_gate(rows, glances, idf, 1, Teacher(scope=scope))
    assert fitted is not None
    said = fitted[0].scores(["chợ chiều nay đông quá trời", "vaccine gây vô sinh thật đó"], glances[:2])
    assert said[0] < 0.3
    assert said[1] > 0.7


def knowing(rows: list[Row]) -> Teacher:
    """A model that says of every row what its label says."""
    return Teacher(scope=np.array([row.in_scope is not False for row in rows], np.float32))
