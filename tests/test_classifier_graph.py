"""The graph computes what BERT computes: checked against a plain numpy forward pass."""

from math import erf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from classifier.base_file import BaseModel, Floats, load_base
from classifier.encoder import open_session
from classifier.graph import write_graph
from tiny_model import TINY_BASE


@pytest.fixture(scope="module", name="base")
def _base() -> BaseModel:
    return load_base(TINY_BASE, None)


@pytest.fixture(scope="module", name="session")
def _session(base: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return open_session(write_graph(base.weights, base.shape, tmp_path_factory.mktemp("graph")), threads=1)


def _run(session: Any, rows: list[list[int]], width: int) -> Floats:
    ids = np.array([row + [1] * (width - len(row)) for row in rows], np.int64)
    mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows], np.int64)
    (found,) = session.run(["embedding"], {"input_ids": ids, "attention_mask": mask})
    return np.asarray(found, np.float32)


class _Bert:
    """A forward pass for one text, written for reading."""

    def __init__(self, base: BaseModel) -> None:
        self._weights = base.weights
        self._shape = base.shape

    def vector(self, ids: list[int]) -> NDArray[np.float64]:
        """The unit vector of one text's ids."""
        found = self._weights["embeddings.word_embeddings.weight"][ids].astype(np.float64)
        found += self._weights["embeddings.position_embeddings.weight"][: len(ids)]
        found += self._weights["embeddings.token_type_embeddings.weight"][0]
        hidden = self._norm(found, "embeddings")
        for layer in range(self._shape.layers):
            hidden = self._layer(hidden, f"encoder.layer.{layer}")
        mean: NDArray[np.float64] = hidden.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _layer(self, hidden: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        hidden = self._norm(hidden + self._attend(hidden, name), f"{name}.attention.output")
        wide = self._linear(hidden, f"{name}.intermediate.dense")
        wide *= 0.5 * (1 + np.vectorize(erf)(wide / np.sqrt(2)))
        return self._norm(hidden + self._linear(wide, f"{name}.output.dense"), f"{name}.output")

    def _attend(self, hidden: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        query, key, value = (self._linear(hidden, f"{name}.attention.self.{p}") for p in ("query", "key", "value"))
        size = self._shape.hidden // self._shape.heads
        parts = []
        for start in range(0, self._shape.hidden, size):
            head = slice(start, start + size)
            scores = np.exp(query[:, head] @ key[:, head].T / np.sqrt(size))
            parts.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, head])
        return self._linear(np.concatenate(parts, axis=1), f"{name}.attention.output.dense")

    def _linear(self, value: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        out: NDArray[np.float64] = value @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return out

    def _norm(self, value: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        centred = value - value.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + self._shape.epsilon)
        out: NDArray[np.float64] = (
            scaled * self._weights[f"{name}.LayerNorm.weight"] + self._weights[f"{name}.LayerNorm.bias"]
        )
        return out


def test_a_vector_equals_the_plain_forward_pass(base: BaseModel, session: Any) -> None:
    texts = [[0, 40, 900, 17, 2], [0, 2], [0, *range(10, 140), 2]]
    for ids in texts:
        assert np.allclose(_run(session, [ids], len(ids))[0], _Bert(base).vector(ids), atol=1e-5)


def test_padding_changes_nothing(session: Any) -> None:
    short, long = [0, 40, 900, 17, 2], [0, *range(30, 90), 2]
    together = _run(session, [short, long], 80)
    assert np.allclose(together[0], _run(session, [short], 5)[0], atol=1e-5)
    assert np.allclose(together[1], _run(session, [long], 62)[0], atol=1e-5)


def test_vectors_have_length_one(session: Any) -> None:
    assert np.allclose(np.linalg.norm(_run(session, [[0, 5, 2], [0, 2]], 3), axis=1), 1, atol=1e-5)


def test_large_weights_stay_out_of_the_graph_file(base: BaseModel, tmp_path: Path) -> None:
    file = write_graph(base.weights, base.shape, tmp_path)
    words = base.weights["embeddings.word_embeddings.weight"]
    assert file.stat().st_size < words.nbytes < (tmp_path / "weights.bin").stat().st_size
