"""The card beside a model tells people what it learnt, how good it was and what it must not be used for."""

from dataclasses import replace

import pytest

from claimwatch.records import Stance
from classifier.evaluate import evaluate, flag_shares
from classifier.model_card import as_markdown, brief
from classifier.rows import Row

BARE = {"version": "2026-x", "encoder": "e5/float32", "rows": 1200, "positives": 300, "seed": 4, "threshold": 0.3}


def figures() -> dict[str, object]:
    rows = [
        Row(id=str(n), text="a", positive=n % 2 == 0, lang="vi" if n < 20 else "en", cluster=str(n), stance=Stance.ASKS)
        for n in range(40)
    ]
    rows[0] = replace(rows[0], stance=Stance.REFUTES)
    scores = [0.8 if row.positive else 0.2 for row in rows]
    found = evaluate(rows, scores, threshold=0.5, stances=[Stance.ASKS] * 40)
    return brief(found, flag_shares(rows, [n < 4 for n in range(40)]))


def test_figures_are_told_whole_and_per_language_with_their_intervals_and_counts() -> None:
    told = as_markdown({**BARE, "held_out": figures()})
    assert "| | all | en | vi |" in told
    assert "| rows, positives | 40, 20 | 20, 10 | 20, 10 |" in told
    assert "| AUC | 1.000 (1.000 to 1.000) |" in told
    assert "refutes 1.000 (0.206 to 1.000) of 1" in told
    assert "Rows of claims not learnt from" in told


def test_what_was_learnt_is_told_with_its_counts() -> None:
    about = {"data": "rows.jsonl", "languages": {"vi": 1000, "en": 200}, "stances": {"repeats": 300}}
    told = as_markdown({**BARE, **about})
    assert "1,200 rows (rows.jsonl), 300 of them positive." in told
    assert "By language: vi 1,000, en 200." in told
    assert "None were measured" in told


@pytest.mark.parametrize(("data", "synthetic"), [("corpus", True), ("corpus and decisions", True), ("a.jsonl", False)])
def test_limits_are_told_and_that_the_corpus_is_synthetic(data: str, synthetic: bool) -> None:
    told = as_markdown({**BARE, "data": data})
    assert "It orders a queue for people." in told
    assert ("**synthetic**" in told) is synthetic


def test_how_it_was_tuned_is_told_and_whose_tower_it_has() -> None:
    recipe = {"rank": 16, "rate": 0.0007, "batch": 32}
    tuned = {"recipe": recipe, "tower": {"share": 0.4, "epochs": [{}, {}, {}]}}
    assert "rank 16, learning rate 0.0007, batches of 32; the best of 3 epochs" in as_markdown({**BARE, **tuned})
    assert "those of `older`" in as_markdown({**BARE, "tower_of": "older"})
