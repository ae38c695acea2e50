"""Sees which claim a text speaks of: vectors turned so that claims come apart, and the rare words two texts share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
#: How much shared words, and shared runs of letters, each count beside the vectors. On the corpus .4 and .6 were alike.
SHARED = 0.6
#: Of the scatter within claims, how much is replaced by its mean: few texts a claim tell little of 384 dimensions.
_RIDGE = 0.1
#: Directions kept. 150 and 250 were alike on the corpus.
_DIRECTIONS = 150
#: Claims with texts enough, below which nothing is learnt.
_FEWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """Linear discriminant analysis of the encoder's vectors, between claims and within them."""

    centre: Floats  #: [dimensions]
    turn: Floats  #: [dimensions, directions]

    def __call__(self, vectors: Floats) -> Floats:
        """The vectors [texts, dimensions] through the lens, of length 1 again [texts, directions]."""
        turned = (vectors - self.centre) @ self.turn
        return np.asarray(turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9), np.float32)


def fit_lens(vectors: Floats, claims: Sequence[str]) -> Lens | None:
    """A lens from the vectors [texts, dimensions] of texts whose claims are known; None where they are too few.

    A direction weighs by the root of the share of its scatter that lies between claims (Ioffe 2006).
    """
    from scipy.linalg import eigh

    named = np.array(claims)
    known, places, counts = np.unique(named, return_inverse=True, return_counts=True)
    if (counts > 1).sum() < _FEWEST:
        return None
    size = vectors.shape[1]
    centre = vectors.mean(axis=0)
    unit = vectors - centre
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-9)
    means = np.zeros((len(known), size))
    np.add.at(means, places, unit)
    means /= counts[:, None]
    apart = unit - means[places]
    within = apart.T @ apart / len(unit)
    within = (1 - _RIDGE) * within + _RIDGE * np.trace(within) / size * np.eye(size)
    values, directions = eigh(np.cov(means.T) + 1e-6 * np.eye(size), within)
    best = np.argsort(-values)[: min(_DIRECTIONS, size)]
    weights = np.sqrt(values[best] / (1 + values[best]))
    return Lens(centre=centre.astype(np.float32), turn=(directions[:, best] * weights).astype(np.float32))


def shared(here: tuple[Any, Any], there: tuple[Any, Any], alike: Floats) -> Floats:
    """Cosines `alike` [here, there], and what both sides' words and letters share, as one number from -1 to 1."""
    common = sum(np.asarray((one @ other.T).todense()) for one, other in zip(here, there, strict=True))
    return np.asarray((alike + SHARED * common) / (1 + 2 * SHARED), np.float32)
