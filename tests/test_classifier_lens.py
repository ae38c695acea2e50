"""The lens: texts of one claim come together, and words that both sides share count beside vectors."""

import numpy as np
import pytest
from numpy.typing import NDArray

from claimwatch.records import Claim
from classifier.heads import idf_of
from classifier.lens import Lens, fit_lens, shared
from classifier.match import ClaimIndex, Limits, Sight

SIZE, CLAIMS, TEXTS = 24, 40, 12
ANY = Limits(suggest=-2.0, confirm=2.0)


def scattered(seed: int, claims: int = CLAIMS) -> tuple[NDArray[np.float32], list[str]]:
    """Texts whose claim shows in four directions alone, while style moves them far in all the others."""
    chance = np.random.default_rng(seed)
    meant = np.repeat(np.random.default_rng(9).normal(size=(claims, SIZE)), TEXTS, axis=0) * ([1.0] * 4 + [0.0] * 20)
    style = chance.normal(size=meant.shape) * ([0.2] * 4 + [2.0] * 20)
    made = meant + style
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made.astype(np.float32), [f"claim-{number}" for number in range(claims) for _ in range(TEXTS)]


def right(vectors: NDArray[np.float32], known: NDArray[np.float32], claims: list[str]) -> float:
    """The share of vectors whose nearest known one is of the same claim."""
    nearest = (vectors @ known.T).argmax(axis=1)
    return float(np.mean([claims[one] == claims[place] for place, one in enumerate(nearest)]))


def test_through_the_lens_the_nearest_text_is_of_the_same_claim() -> None:
    known, claims = scattered(1)
    asked, _ = scattered(2)
    lens = fit_lens(known, claims)
    assert lens is not None
    assert np.allclose(np.linalg.norm(lens(asked), axis=1), 1, atol=1e-5)
    assert right(lens(asked), lens(known), claims) > right(asked, known, claims) + 0.3


def test_too_few_claims_give_no_lens() -> None:
    vectors, claims = scattered(1, claims=12)
    assert fit_lens(vectors, claims) is None
    assert fit_lens(vectors[::TEXTS], claims[::TEXTS]) is None


def test_shared_words_count_and_the_whole_stays_within_one() -> None:
    texts = ["tỏi sống chữa khỏi covid", "uống nước gừng nóng", "xe buýt hôm nay trễ giờ"]
    sight = Sight(lens=Lens(centre=np.zeros(3, np.float32), turn=np.eye(3, dtype=np.float32)), idf=idf_of(texts))
    terms = sight.words(texts)
    assert terms is not None
    found = shared(terms, terms, np.eye(3, dtype=np.float32))
    assert np.allclose(np.diag(found), 1, atol=1e-5)
    assert found[0, 1] < 0.2
    assert Sight(idf=sight.idf).words(texts) is None


@pytest.mark.parametrize("texts", [["tỏi sống chữa khỏi covid nha"], None])
def test_an_index_looks_at_words_where_it_is_given_texts(texts: list[str] | None) -> None:
    """By vectors alone the two claims lie alike; the words tell."""
    claims = [
        Claim(id="garlic", statement={"vi": "tỏi sống chữa khỏi covid"}),
        Claim(id="bus", statement={"vi": "xe buýt lây bệnh"}),
    ]
    idf = idf_of([text for claim in claims for text in claim.statement.values()])
    turned = Lens(centre=np.zeros(2, np.float32), turn=np.eye(2, dtype=np.float32))
    index = ClaimIndex(claims, lambda said: np.ones((len(said), 2), np.float32), sight=Sight(lens=turned, idf=idf))
    (near,) = index.nearest(np.ones((1, 2), np.float32), [ANY], texts=texts)
    similar = {one.claim: one.similarity for one in near}
    if texts:
        assert near[0].claim == "garlic"
        assert similar["garlic"] > similar["bus"] + 0.2
    else:
        assert similar == {"garlic": 1.0, "bus": 1.0}
