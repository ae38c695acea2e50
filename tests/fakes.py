"""A model that tells from plain words, so that a test of the stages states what it is told."""

from collections.abc import Callable, Sequence

from claimwatch.records import Claim, Stance
from classifier.model import Nearest, Opinion


class WordModel:
    """`garlic` makes a text false and near the claim garlic-cure; `fake` makes it a refutation, `?` a question."""

    encoder = "words"

    def __init__(self, version: str = "words-1") -> None:
        self.version = version
        self.judged: list[str] = []
        self.claims: list[str] = []
        self.thresholds = {"p_false": 0.5}

    def learn_claims(self, claims: Sequence[Claim]) -> None:
        self.claims = [claim.id for claim in claims]

    def judge(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> list[Opinion]:
        self.judged += texts
        if progress:
            progress(len(texts))
        return [self._opinion(text) for text in texts]

    def match_vectors(self, vectors: Sequence[bytes], claims: Sequence[str]) -> list[tuple[Nearest, ...]]:
        return [() for _ in vectors]

    def _opinion(self, text: str) -> Opinion:
        false = "garlic" in text.lower()
        stance = Stance.REFUTES if "fake" in text else Stance.ASKS if "?" in text else Stance.REPEATS
        near = Nearest(claim="garlic-cure", version=1, similarity=0.95, confirmed=True, phrasing="garlic cures covid")
        return Opinion(
            on_topic=false,
            p_false=0.9 if false else 0.1,
            stance=stance if false else Stance.OTHER,
            stage="encoder",
            flag=false and stance is Stance.REPEATS,
            hinges=false and stance is Stance.REPEATS,
            nearest=(near,) if false else (),
            similarity=0.95 if false else 0.2,
            vector=b"\x01\x02",
        )
