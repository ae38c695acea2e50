"""Finds the claim that a text is closest to, among all phrasings of all claims."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.records import Claim
from classifier.heads import Floats, terms_of
from classifier.lens import Lens, shared
from classifier.model import Nearest

Encode = Callable[[Sequence[str]], Floats]
#: Claims shown with a post, at most.
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What of two texts is compared: vectors, through a lens if there is one, and then their words and letters, too."""

    lens: Lens | None = None
    idf: Floats | None = None  #: rarity of each hashed word and run of letters

    def vectors(self, vectors: Floats) -> Floats:
        """Of length 1 each, through the lens where there is one."""
        return vectors if self.lens is None else self.lens(vectors)

    def words(self, texts: Sequence[str]) -> tuple[Any, Any] | None:
        """Weighted words and letters of texts, sparse; None where only vectors count."""
        return None if self.lens is None or self.idf is None else terms_of(texts, self.idf)


PLAIN = Sight()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From which similarity a claim is suggested and from which it counts as confirmed."""

    suggest: float
    confirm: float


class ClaimIndex:
    """Every phrasing of a set of claims: its vector, through the lens where there is one, and its words."""

    def __init__(self, claims: Sequence[Claim], encode: Encode, *, sight: Sight = PLAIN) -> None:
        said = [(claim, text) for claim in claims for text in phrasings(claim)]
        self._claims = {claim.id: claim for claim in claims}
        self._of = np.array([claim.id for claim, _ in said])
        self._phrasings = [text for _, text in said]
        self._sight = sight
        self._vectors = sight.vectors(encode(self._phrasings))
        self._words = sight.words(self._phrasings)

    def nearest(
        self,
        vectors: Floats,
        limits: Sequence[Limits],
        *,
        texts: Sequence[str] | None = None,
        among: Collection[str] | None = None,
    ) -> list[list[Nearest]]:
        """The claims nearest to each vector [texts, dimensions], above its suggest limit, nearest first.

        With `texts` shared words count too, where the index sees them; without, only vectors do.

        The nearest claim of all comes first even below the limit, so that its similarity can be told; callers that
        keep matches look at `similarity`.
        """
        if not self._phrasings or not len(vectors):
            return [[] for _ in vectors]
        similar = self._sight.vectors(vectors) @ self._vectors.T
        if texts is not None and self._words is not None and self._sight.idf is not None:
            similar = shared(terms_of(texts, self._sight.idf), self._words, similar)
        if among is not None:
            similar[:, ~np.isin(self._of, list(among))] = -1.0
        return [self._best(row, its) for row, its in zip(similar, limits, strict=True)]

    def _best(self, similar: Floats, limits: Limits) -> list[Nearest]:
        found: dict[str, Nearest] = {}
        for place in _descending(similar):
            value, claim = float(similar[place]), self._claims[str(self._of[place])]
            if len(found) == _SHOWN or (found and value < limits.suggest):
                break
            if claim.id not in found:
                found[claim.id] = Nearest(
                    claim=claim.id,
                    version=claim.version,
                    similarity=round(max(value, 0.0), 4),
                    confirmed=value >= limits.confirm,
                    phrasing=self._phrasings[place],
                )
        return list(found.values())


def pack(vectors: Floats) -> list[bytes]:
    """Unit vectors as int8, one byte a dimension: cosines move by less than 0.01."""
    return [row.tobytes() for row in np.clip(np.rint(vectors * 127), -127, 127).astype(np.int8)]


def unpack(packed: Sequence[bytes]) -> Floats:
    """Packed vectors as unit vectors [texts, dimensions] again."""
    rows = np.array([np.frombuffer(one, dtype=np.int8) for one in packed], dtype=np.float32)
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit


def phrasings(claim: Claim) -> list[str]:
    """Statement and phrasings in every language, each once."""
    said = [*claim.statement.values(), *(text for texts in claim.phrasings.values() for text in texts)]
    return list(dict.fromkeys(said))


def _descending(similar: Floats) -> NDArray[np.int64]:
    return np.argsort(-similar, kind="stable")
