"""The heads on the frozen encoder: scope, falsity within the scope, and stance. Plain linear models."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.errors import ConfigError
from claimwatch.records import Stance
from claimwatch.text.fold import fold
from classifier.calibration import calibrated
from classifier.lens import Lens

Floats = NDArray[np.float32]

#: Hashed word features beside the vector: a frozen vector hardly sees "không" or "tin giả", words do.
WORDS = 1 << 15
#: Hashed runs of letters, for spellings and endings; only in models with an `idf`.
LETTERS = 1 << 17
#: Weight of the vector against the words; both are L2-normalised. Chosen by cross-validation on the corpus.
VECTOR_WEIGHT = 3.0
STANCES = tuple(Stance)


@dataclass(frozen=True, slots=True)
class Linear:
    """One linear model: weights [outputs, features] and bias [outputs]."""

    weights: Floats
    bias: Floats

    def __call__(self, features: Any) -> Floats:
        """Scores [texts, outputs]; features may be sparse."""
        return np.asarray(features @ self.weights.T + self.bias, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What the heads say of each text."""

    scope: Floats  #: [texts] probability of being about health
    false: Floats  #: [texts] calibrated probability of repeating a false claim
    stance: list[Stance | None]
    lead: Floats  #: [texts] as by `lead_of`


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """The trained part of a model, with its card."""

    false: Linear
    scope: Linear | None  #: None: trained on rows of the scope alone
    stance: Linear | None  #: None: trained on rows without a stance
    gate: Linear | None = None  #: the cheap look before the encoder, over glance, words and letters; None: no gate
    idf: Floats | None = None  #: [WORDS + LETTERS] rarity of each term; None: older models, plain words alone
    lens: Lens | None = None  #: what claims are matched through; None: older models, the encoder's own vectors
    card: Mapping[str, Any] = field(default_factory=dict)  #: version, thresholds, calibration, data, figures

    def score(self, vectors: Floats, texts: Sequence[str], tuned: Floats | None = None) -> Scores:
        """Scores of texts with their vectors [texts, dimensions] and, for a fine-tuned model, its tower's outputs."""
        said = logits_of(self, features_of(vectors, texts, self.idf))
        if tuned is not None:
            said = blend(said, tuned, float(self.card["tower"]["share"]))
        raw, scope = joint(said.false, said.scope)
        stances = said.stance.argmax(axis=1) if said.stance is not None else None
        return Scores(
            scope=scope,
            false=calibrated(self.card, raw, texts),
            stance=[STANCES[best] for best in stances] if stances is not None else [None] * len(texts),
            lead=lead_of(said.stance, len(texts)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Logits:
    """What is said of texts before any calibration. None: never learnt."""

    false: Floats  #: [texts], within the scope
    scope: Floats | None  #: [texts]
    stance: Floats | None  #: [texts, stances]


def logits_of(heads: Heads, features: Any) -> Logits:
    """What the linear heads say of features [texts, dimensions + WORDS]."""
    return Logits(
        false=heads.false(features)[:, 0],
        scope=heads.scope(features)[:, 0] if heads.scope else None,
        stance=heads.stance(features) if heads.stance else None,
    )


def blend(linear: Logits, tuned: Floats, share: float) -> Logits:
    """The mean of both: `share` of the tower's outputs [texts, 2 + stances], the rest of the linear heads'."""

    def mixed(one: Floats | None, other: Floats) -> Floats | None:
        return None if one is None else np.asarray((1 - share) * one + share * other, np.float32)

    return Logits(
        false=np.asarray((1 - share) * linear.false + share * tuned[:, 0], np.float32),
        scope=mixed(linear.scope, tuned[:, 1]),
        stance=mixed(linear.stance, tuned[:, 2:]),
    )


def lead_of(stances: Floats | None, count: int) -> Floats:
    """By how much the logit of repeating leads that of every other stance [count]; endless where none was learnt."""
    if stances is None:
        return np.full(count, np.inf, np.float32)
    repeats = STANCES.index(Stance.REPEATS)
    return np.asarray(stances[:, repeats] - np.delete(stances, repeats, axis=1).max(axis=1), np.float32)


def raw_false(heads: Heads, features: Any) -> tuple[Floats, Floats]:
    """The linear heads' uncalibrated logit of P(scope) x P(false | scope), and P(scope), each [texts]."""
    said = logits_of(heads, features)
    return joint(said.false, said.scope)


def joint(false: Floats, scope: Floats | None) -> tuple[Floats, Floats]:
    """The logit of P(scope) x P(false | scope), and P(scope), each [texts]."""
    within = sigmoid(false)
    inside = sigmoid(scope) if scope is not None else np.ones_like(within)
    both = np.clip(within * inside, 1e-6, 1 - 1e-6)
    return np.log(both / (1 - both)), inside


def features_of(vectors: Floats, texts: Sequence[str], idf: Floats | None = None) -> Any:
    """Vector, hashed words and, with an `idf`, hashed letters side by side, sparse [texts, features]."""
    from scipy import sparse

    lead = sparse.csr_matrix(vectors * VECTOR_WEIGHT)
    if idf is None:
        return sparse.hstack([lead, words_of(texts)], format="csr", dtype=np.float32)
    return sparse.hstack([lead, *terms_of(texts, idf)], format="csr", dtype=np.float32)


def terms_of(texts: Sequence[str], idf: Floats) -> tuple[Any, Any]:
    """Hashed words [texts, WORDS] and runs of letters [texts, LETTERS] weighed by rarity, each text at length 1."""
    words, letters = _counted(texts)
    return _weighted(words, idf[:WORDS]), _weighted(letters, idf[WORDS:])


def words_of(texts: Sequence[str]) -> Any:
    """Hashed words and pairs of neighbours, without diacritics, each text at length 1, sparse [texts, WORDS]."""
    return _hasher().transform([fold(text) for text in texts])


def idf_of(texts: Sequence[str]) -> Floats:
    """ln((1 + texts) / (1 + texts with the term)) + 1 for each hashed term, as scikit-learn has it."""
    seen = [np.bincount(part.indices, minlength=part.shape[1]) for part in _counted(texts)]
    return np.asarray(np.log((1 + len(texts)) / (1 + np.concatenate(seen))) + 1, np.float32)


def _counted(texts: Sequence[str]) -> tuple[Any, Any]:
    words = _hasher(norm=None).transform([fold(text) for text in texts])
    return words, _letter_hasher().transform([text.lower() for text in texts])


def _weighted(counts: Any, idf: Floats) -> Any:
    """TF-IDF with (1 + ln count), each text at length 1."""
    from sklearn.preprocessing import normalize

    weighted = counts.copy()
    weighted.data = (1 + np.log(counts.data)) * idf[counts.indices]
    return normalize(weighted, copy=False)


def sigmoid(values: Floats) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)), dtype=np.float32)


def save_heads(heads: Heads, folder: Path) -> None:
    """Write weights (float16) and card."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    named = {"false": heads.false, "scope": heads.scope, "stance": heads.stance, "gate": heads.gate}
    tensors = {
        f"{name}.{part}": np.ascontiguousarray(getattr(head, part), dtype=np.float16)
        for name, head in named.items()
        if head
        for part in ("weights", "bias")
    }
    if heads.idf is not None:
        tensors["idf"] = heads.idf.astype(np.float16)
    if heads.lens is not None:
        tensors |= {
            "lens.centre": heads.lens.centre.astype(np.float16),
            "lens.turn": heads.lens.turn.astype(np.float16),
        }
    save_file(tensors, folder / "heads.safetensors")
    card = json.dumps(heads.card, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "model.json").write_text(card + "\n", encoding="utf-8")


def load_heads(folder: Path) -> Heads:
    """The heads of a folder that `save_heads` wrote. ConfigError where they are missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(folder / "heads.safetensors")
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, SafetensorError) as error:
        raise ConfigError(f"{folder}: holds no usable model: name the --out folder of `claimwatch train`") from error
    heads = {
        name: Linear(tensors[f"{name}.weights"].astype(np.float32), tensors[f"{name}.bias"].astype(np.float32))
        for name in ("false", "scope", "stance", "gate")
        if f"{name}.weights" in tensors
    }
    idf = tensors["idf"].astype(np.float32) if "idf" in tensors else None
    parts = {
        part: tensors[f"lens.{part}"].astype(np.float32) for part in ("centre", "turn") if f"lens.{part}" in tensors
    }
    return Heads(
        false=heads["false"],
        scope=heads.get("scope"),
        stance=heads.get("stance"),
        gate=heads.get("gate"),
        idf=idf,
        lens=Lens(**parts) if parts else None,
        card=card,
    )


@cache
def _hasher(norm: str | None = "l2") -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(n_features=WORDS, ngram_range=(1, 2), norm=norm, alternate_sign=False, dtype=np.float32)


@cache
def _letter_hasher() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        n_features=LETTERS,
        analyzer="char_wb",
        ngram_range=(2, 5),
        lowercase=False,
        norm=None,
        alternate_sign=False,
        dtype=np.float32,
    )
