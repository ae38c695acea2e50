"""The corpus is no riddle of single words: counting words does not tell who repeats a claim it has not seen."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from classifier.rows import Row, corpus

_FOLDS = 5


def fold_of(row: Row) -> int:
    """The fold of a row: that of its claim, or of its own where it is about none."""
    return hashlib.sha256((row.claim or row.id).encode()).digest()[0] % _FOLDS


def auc_of_counting_words(rows: Sequence[Row], strength: float) -> float:
    """AUC of TF-IDF with logistic regression, every row scored by a model that never met its claim."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    folds = np.array([fold_of(row) for row in rows])
    positive = np.array([row.positive is True for row in rows])
    texts = np.array([row.text for row in rows], dtype=object)
    scores = np.zeros(len(rows))
    for fold in range(_FOLDS):
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+|[?!]")
        model = LogisticRegression(C=strength, max_iter=500, class_weight="balanced")
        model.fit(words.fit_transform(texts[folds != fold]), positive[folds != fold])
        scores[folds == fold] = model.predict_proba(words.transform(texts[folds == fold]))[:, 1]
    return float(roc_auc_score(positive, scores))


@pytest.mark.parametrize("strength", [1, 10])
def test_counting_words_stays_under_ninety_on_claims_it_has_not_seen(strength: float) -> None:
    auc = auc_of_counting_words(corpus(), strength)
    print(f"TF-IDF and logistic regression, C={strength}, claim-disjoint: AUC {auc:.3f}")
    assert 0.7 < auc < 0.9


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_it_does_so_in_each_language(lang: str) -> None:
    assert auc_of_counting_words([row for row in corpus() if row.lang == lang], 1) < 0.9
