"""The gate: what is plainly not about health goes no further, and hardly a repeated claim is lost."""

import numpy as np

from classifier.frozen import split
from classifier.gate import LOST, Gate, fit_gate
from classifier.heads import WORDS, Linear
from classifier.rows import Row, corpus


def test_a_gate_learnt_on_the_corpus_keeps_unseen_claims_and_turns_strangers_away() -> None:
    learnt, unseen = split(corpus())
    fitted = fit_gate(learnt, 1)
    assert fitted is not None
    gate, figures = fitted
    assert figures["recall_kept"] >= 1 - LOST - 1e-3
    kept = gate.passes(gate.scores([row.text for row in unseen if row.positive]))
    assert kept.mean() > 0.97
    outside = gate.passes(gate.scores([row.text for row in unseen if row.in_scope is False]))
    assert outside.mean() < 0.7


def test_a_text_of_a_few_words_always_passes() -> None:
    gate = Gate(words=Linear(np.zeros((1, WORDS), np.float32), np.array([-9.0], np.float32)), threshold=0.5)
    scores = gate.scores(["", "tỏi", "tối nay đá bóng ở sân"])
    assert gate.passes(scores).tolist() == [True, True, False]


def test_rows_of_one_scope_give_no_gate() -> None:
    rows = [Row(id=str(n), text=f"a b c {n}", positive=bool(n % 2), in_scope=True, cluster=str(n)) for n in range(300)]
    assert fit_gate(rows, 1) is None
