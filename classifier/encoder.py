"""Texts to vectors, with ONNX Runtime and without torch."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.errors import ConfigError

from .base_file import Floats, Shape
from .graph import FORKED, open_words
from .tokenizer import Tokenizer

Halves = NDArray[np.float16]
#: What E5 was trained to see before a text that is compared with others of its kind.
PREFIX = "query: "
MAX_TOKENS = 256
#: Padded tokens of a batch. Measured on AVX2: 512 and 1,024 are alike, 2,048 takes 1.2 times as long, 4,096 1.7 times.
_BUDGET = 1024


class Encoder:
    """Gives each text a vector of length 1; texts of like meaning have a high dot product."""

    def __init__(self, name: str, tokenizer: Tokenizer, session: Any, home: Path, note: Mapping[str, Any]) -> None:
        #: Names base and variant, such as `e5-small-4bit/float32`; vectors of two names are not compared.
        self.name = name
        self.variant = name.rpartition("/")[2]
        self.key = str(note["key"])  #: of the base and the form of its graph
        self.shape = Shape(**note["shape"])
        self.home = home  #: its folder in the cache
        self.float32 = home / "float32"  #: the folder of the graph in full precision
        self.dimensions: int = session.get_outputs()[0].shape[1]
        self._tokenizer = tokenizer
        self._session = session
        self._words: Floats | None = None
        self._max_tokens = min(MAX_TOKENS, self.shape.positions)

    @classmethod
    def open(cls, folder: Path, *, variant: str | None = None, threads: int | None = None) -> "Encoder":
        """The encoder that `variants.build` left in a folder, in its chosen variant or the one named."""
        note = _read(folder / "variant.json")
        chosen = variant or note["chosen"]
        home = folder / note["key"]
        session = open_session(home / chosen / "model.onnx", threads)
        return cls(f"{note['name']}/{chosen}", Tokenizer.load(home / "tokenizer"), session, home, note)

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Floats:
        """One row per text, in order. `progress` is told how many more are done."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for rows, _, (found,) in self._passes(texts, ["embedding"], progress):
            vectors[rows] = found
        return vectors

    def encode_with(
        self, tower: "Tower", texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> tuple[Floats, Floats, list[Floats]]:
        """The vectors, and what the tower says of each text [texts, outputs], in one pass over what they share.

        Then, for each text, how much each of its tokens adds to the tower's first output [tokens].
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        said = np.empty((len(texts), tower.outputs), np.float32)
        by_token: list[Floats] = [np.empty(0, np.float32)] * len(texts)
        for rows, mask, (found, states) in self._passes(texts, ["embedding", tower.fed], progress):
            vectors[rows] = found
            said[rows], adding = tower(states, mask)
            for row, kept, whole in zip(rows, mask.sum(axis=1), adding, strict=True):
                by_token[row] = whole[: int(kept)]
        return vectors, said, by_token

    def by_word(self, text: str, by_token: Floats) -> list[float]:
        """How much each word between blanks adds beyond the text's mean token, from what its tokens add.

        Words beyond the last token that was read add nothing.
        """
        above = by_token - by_token.mean()
        ends = np.minimum(1 + np.cumsum([0, *self._tokenizer.counts(PREFIX + text)]), len(above) - 1)
        added = [float(above[start:end].sum()) for start, end in pairwise(ends)]
        return added[len(PREFIX.split()) :]

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """The tokens that are read of each text."""
        return [len(ids) for ids in self._ids(texts)]

    def glance(self, texts: Sequence[str]) -> Floats:
        """A vector of length 1 per text [texts, dimensions], from the tokens alone: the mean of the first layer's.

        A thousandth of the work of `encode`, and blind to word order.
        """
        if self._words is None:
            self._words = open_words(self.float32)
        found = np.empty((len(texts), self.dimensions), np.float32)
        for row, ids in enumerate(self._ids(texts)):
            found[row] = self._words[ids].mean(axis=0)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(lengths, 1e-6), np.float32)

    def fork(
        self, texts: Sequence[str], longest: int, progress: Callable[[int], None] | None = None, *, at: str = FORKED
    ) -> tuple[Floats, list[Halves]]:
        """The vectors, and each text's states [tokens, hidden], of `longest` tokens at most; `at` names which.

        The states are in half precision: what a tower is trained on.
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        states: list[Halves] = [np.empty((0, self.dimensions), np.float16)] * len(texts)
        for rows, mask, (found, of_all) in self._passes(texts, ["embedding", at], progress):
            vectors[rows] = found
            for row, kept, whole in zip(rows, mask.sum(axis=1), of_all, strict=True):
                states[row] = whole[: min(int(kept), longest)].astype(np.float16)
        return vectors, states

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return self._tokenizer.encode([PREFIX + text for text in texts], self._max_tokens)

    def _passes(
        self, texts: Sequence[str], wanted: list[str], progress: Callable[[int], None] | None
    ) -> Iterator[tuple[list[int], NDArray[np.int64], list[Floats]]]:
        """Batches of like length: the texts' numbers, their mask [batch, tokens], the outputs asked for."""
        ids = self._ids(texts)
        for rows in _batches([len(one) for one in ids]):
            tokens, mask = _padded([ids[row] for row in rows])
            yield rows, mask, self._session.run(wanted, {"input_ids": tokens, "attention_mask": mask})
            if progress is not None:
                progress(len(rows))


class Tower:
    """Fine-tuned layers with their outputs, fed by an encoder's lower ones or by what its first is given."""

    def __init__(self, session: Any) -> None:
        self.outputs: int = session.get_outputs()[0].shape[1]
        self.fed: str = session.get_inputs()[0].name  #: the encoder's output that it is given
        self._session = session

    def __call__(self, states: Floats, mask: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Scores [texts, outputs] of states [texts, tokens, hidden] with their mask [texts, tokens].

        And what each token adds to the first score [texts, tokens]: without its bias, that is their mean.
        """
        said, by_token = self._session.run(["outputs", "by_token"], {self.fed: states, "attention_mask": mask})
        return np.asarray(said, np.float32), np.asarray(by_token, np.float32)


def _padded(ids: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    size = (len(ids), max(map(len, ids)))
    tokens, mask = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for row, one in enumerate(ids):
        tokens[row, : len(one)] = one
        mask[row, : len(one)] = 1
    return tokens, mask


def open_session(model: Path, threads: int | None = None) -> Any:
    """An ONNX Runtime session on the processor; `threads` None takes every core this process may use."""
    import onnxruntime as ort
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf, NoSuchFile

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Base and tower take turns: threads of the one that spin for more work would hold the cores that the other needs
    # (measured: a text read by both took 1.5 times as long).
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except NoSuchFile as error:
        raise ConfigError(
            f"{model.parent}: this variant of the encoder was not built here: set classify.variant to auto, "
            "or run `claimwatch model build`"
        ) from error
    except (Fail, InvalidGraph, InvalidProtobuf) as error:
        raise ConfigError(f"{model.parent}: the encoder is damaged: delete the folder, it is made again") from error


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Row numbers in batches of like length, the longest first, so that memory is claimed once."""
    rows = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    while rows:
        size = max(1, _BUDGET // lengths[rows[0]])
        yield rows[:size]
        del rows[:size]


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: no encoder was built here ({error}): run `claimwatch model build`") from error
    return found
