"""Finds the claim that a text is closest to, among all phrasings of all claims."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from claimwatch.records import Claim
from classifier.heads import Floats
from classifier.model import Nearest

Encode = Callable[[Sequence[str]], Floats]
#: Claims shown with a post, at most.
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From which cosine a claim is suggested and from which it counts as confirmed."""

    suggest: float
    confirm: float


class ClaimIndex:
    """The vectors of every phrasing of a set of claims."""

    def __init__(self, claims: Sequence[Claim], encode: Encode) -> None:
        said = [(claim, text) for claim in claims for text in _phrasings(claim)]
        self._claims = {claim.id: claim for claim in claims}
        self._of = np.array([claim.id for claim, _ in said])
        self._phrasings = [text for _, text in said]
        self._vectors = encode(self._phrasings)

    def nearest(
        self, vectors: Floats, limits: Sequence[Limits], among: Collection[str] | None = None
    ) -> list[list[Nearest]]:
        """The claims nearest to each vector [texts, dimensions], above its suggest limit, nearest first.

        The nearest claim of all comes first even below the limit, so that its similarity can be told; callers that
        keep matches look at `similarity`.
        """
        if not self._phrasings:
            return [[] for _ in vectors]
        similar = vectors @ self._vectors.T
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
                    similarity=round(value, 4),
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


def _phrasings(claim: Claim) -> list[str]:
    said = [*claim.statement.values(), *(text for texts in claim.phrasings.values() for text in texts)]
    return list(dict.fromkeys(said))


def _descending(similar: Floats) -> NDArray[np.int64]:
    return np.argsort(-similar, kind="stable")
