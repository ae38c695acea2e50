"""The model that is served: encoder, heads and claim matching together."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from claimwatch.errors import ConfigError
from claimwatch.records import Claim, Stance
from claimwatch.settings import Classify
from claimwatch.text.language import language_of
from classifier.adapter import open_tower
from classifier.encoder import Encoder, Tower
from classifier.fidelity import Progress, int8_holds
from classifier.gate import Gate
from classifier.heads import LETTERS, WORDS, Floats, Heads, Scores, load_heads
from classifier.limits import limits_of
from classifier.match import ClaimIndex, Limits, Sight, pack, unpack
from classifier.model import Nearest, Opinion
from classifier.remembered import remembered
from classifier.why import TowerSay, words_that_decided

#: Trained on the project's own corpus and shipped with it.
SHIPPED = Path(__file__).with_name("models")
#: Words; a shorter text never confirms a claim: "tỏi chữa covid" is a search as often as a statement.
_SHORT = 5


class HeadModel:
    """Linear heads on the frozen encoder, and its fine-tuned tower where there is one.

    Deterministic for one version on float32.
    """

    def __init__(self, encoder: Encoder, heads: Heads, chosen: Classify, tower: Tower | None = None) -> None:
        self._encoder, self._heads, self._tower = encoder, heads, tower
        card = heads.card
        self._threshold = chosen.threshold if chosen.threshold is not None else float(card["threshold"])
        self._scope = float(card["scope_threshold"])
        self._lead = float(card.get("lead", 0.0))
        self._share = float(card.get("tower", {}).get("share", 0.0))
        self._limits = {
            language: Limits(
                suggest=chosen.suggest if chosen.suggest is not None else one.suggest,
                confirm=chosen.confirm if chosen.confirm is not None else one.confirm,
            )
            for language, one in limits_of(card).items()
        }
        words = heads.false.weights[0, encoder.dimensions : encoder.dimensions + WORDS]
        self._words = words if heads.idf is None else words * heads.idf[:WORDS]
        self._gate: Gate | None = None
        seen = encoder.dimensions + WORDS + LETTERS  # an older model's gate, which saw less, is left out
        if heads.gate is not None and heads.idf is not None and heads.gate.weights.shape[1] == seen:
            self._gate = Gate(linear=heads.gate, idf=heads.idf, threshold=float(card["gate"]["threshold"]))
        self._gated = chosen.gate and self._gate is not None
        self._by_vector = replace(self._limits[""], suggest=float(card.get("suggest_by_vector", card["suggest"])))
        self._sight = Sight(lens=heads.lens, idf=heads.idf)
        self._index = ClaimIndex([], self._remembered)
        self._known = ""

    @property
    def version(self) -> str:
        """Weights, thresholds and encoder: another of these is another opinion."""
        made = f"{self._heads.card['version']}|{self.encoder}|{self._threshold}|{self._limits}"
        made += "|gate" if self._gated else ""
        return f"{self._heads.card['version']}-{hashlib.sha256(made.encode()).hexdigest()[:8]}"

    @property
    def encoder(self) -> str:
        """The encoder whose vectors are kept."""
        return self._encoder.name

    @property
    def thresholds(self) -> dict[str, float]:
        """Every limit a score is held against, by name."""
        limits: dict[str, float] = {}
        for language, one in self._limits.items():
            of = f".{language}" if language else ""
            limits |= {f"suggest{of}": one.suggest, f"confirm{of}": one.confirm}
        return {"p_false": self._threshold, "scope": self._scope, "lead": self._lead, **limits}

    def learn_claims(self, claims: Sequence[Claim]) -> None:
        """Encode the claims' phrasings that are new here, unless these very claims are known."""
        known = hashlib.sha256(repr([(claim.id, claim.version) for claim in claims]).encode()).hexdigest()
        if known != self._known:
            self._index, self._known = ClaimIndex(claims, self._remembered, sight=self._sight), known

    def _remembered(self, texts: Sequence[str]) -> Floats:
        return remembered(self._encoder, texts)

    def judge(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> list[Opinion]:
        """One opinion per text, in order. What the gate turns away is not read any further."""
        if not texts:
            return []
        if self._gate is None or not self._gated:
            return self._judged(texts, progress)
        scores = self._gate.scores(texts, self._encoder.glance(texts))
        passes = self._gate.passes(scores)
        if progress is not None:
            progress(int((~passes).sum()))
        read = iter(self._judged([text for text, goes in zip(texts, passes, strict=True) if goes], progress))
        return [
            next(read) if goes else self._turned_away(float(score)) for score, goes in zip(scores, passes, strict=True)
        ]

    def turned_away(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which texts its gate would not let the encoder read, also where the settings leave the gate out."""
        if self._gate is None or not texts:
            return np.zeros(len(texts), bool)
        return ~self._gate.passes(self._gate.scores(texts, self._encoder.glance(texts)))

    def _turned_away(self, score: float) -> Opinion:
        """The gate's own low score: its probability, as a share of the lowest that is flagged."""
        p_false = round(score * self._threshold, 4)
        stance = Stance.OTHER if self._heads.stance else None
        return Opinion(on_topic=False, p_false=p_false, stance=stance, stage="gate", flag=False)

    def _judged(self, texts: Sequence[str], progress: Callable[[int], None] | None) -> list[Opinion]:
        if not texts:
            return []
        vectors, tuned, by_token = self._read(texts, progress)
        scores = self._heads.score(vectors, texts, tuned)
        limits = [self._limits_of(text) for text in texts]
        near = self._index.nearest(vectors, limits, texts=texts)
        packed = pack(vectors)
        return [
            replace(
                self._opinion(scores, number, near[number], packed[number]),
                nearest=_matches(near[number], limits[number], text, scores.stance[number]),
                why=self._why(near[number], text, by_token[number] if by_token else None),
            )
            for number, text in enumerate(texts)
        ]

    def _read(
        self, texts: Sequence[str], progress: Callable[[int], None] | None
    ) -> tuple[Floats, Floats | None, list[Floats]]:
        """As `Encoder.encode_with`, also where there is no tower."""
        if self._tower is None:
            return self._encoder.encode(texts, progress), None, []
        return self._encoder.encode_with(self._tower, texts, progress)

    def match_vectors(self, vectors: Sequence[bytes], claims: Sequence[str]) -> list[tuple[Nearest, ...]]:
        """The matches of kept vectors among these claims: suggestions, for a vector does not tell a text's stance."""
        if not vectors:
            return []
        limits = self._by_vector
        near = self._index.nearest(unpack(vectors), [limits] * len(vectors), among=set(claims))
        return [_suggested(found, limits) for found in near]

    def _limits_of(self, text: str) -> Limits:
        return self._limits.get(language_of(text), self._limits[""])

    def _opinion(self, scores: Scores, number: int, near: list[Nearest], packed: bytes) -> Opinion:
        p_false, stance = round(float(scores.false[number]), 4), scores.stance[number]
        on_topic = bool(scores.scope[number] >= self._scope)
        repeats = stance is None or (stance is Stance.REPEATS and bool(scores.lead[number] >= self._lead))
        hinges = on_topic and repeats
        return Opinion(
            on_topic=on_topic,
            p_false=p_false,
            stance=stance,
            stage="encoder",
            flag=hinges and p_false >= self._threshold,
            hinges=hinges,
            similarity=near[0].similarity if near else 0.0,
            vector=packed,
        )

    def _why(self, near: Sequence[Nearest], text: str, by_token: Floats | None) -> str:
        """The closest phrasing, then the words that decided, a line each."""
        tower = TowerSay(self._encoder.by_word(text, by_token), self._share) if by_token is not None else None
        return "\n".join([near[0].phrasing if near else "", *words_that_decided(self._words, text, tower)])


def _matches(near: Sequence[Nearest], limits: Limits, text: str, stance: Stance | None) -> tuple[Nearest, ...]:
    """The nearest claims; confirmed only where the text is read as repeating, and is long enough to say a claim.

    A refutation of a claim lies as close to it as a repetition, so a model that tells no stance confirms nothing.
    """
    if stance is Stance.REPEATS and len(text.split()) >= _SHORT:
        return _above(near, limits)
    return _suggested(near, limits)


def _suggested(near: Sequence[Nearest], limits: Limits) -> tuple[Nearest, ...]:
    return tuple(replace(one, confirmed=False) for one in _above(near, limits))


def _above(near: Sequence[Nearest], limits: Limits) -> tuple[Nearest, ...]:
    return tuple(one for one in near if one.similarity >= limits.suggest)


def open_model(
    cache: Path, chosen: Classify, *, folder: Path | None = None, progress: Progress = lambda *_: None
) -> HeadModel:
    """The model of a folder, else the shipped one, on the encoder in the cache. ConfigError says what is missing.

    Where the settings leave the variant open and this machine's is int8, the model runs in it only if it loses hardly
    anything by it; that is tried once, for half a minute or two, of which `progress` hears.
    """
    folder = folder or shipped_folder()
    heads = load_heads(folder)

    def opened(variant: str, *, gate: bool = False) -> HeadModel:
        changed = chosen.model_copy(update={"variant": variant, "gate": gate})
        return _assembled(open_encoder(cache, changed), heads, folder, changed, cache)

    encoder = open_encoder(cache, chosen)
    tried = chosen.variant == "auto" and encoder.variant == "int8"
    if tried and not int8_holds(folder, encoder.home, opened, heads.card, progress):
        return opened("float32", gate=chosen.gate)
    return _assembled(encoder, heads, folder, chosen, cache)


def _assembled(encoder: Encoder, heads: Heads, folder: Path, chosen: Classify, cache: Path) -> HeadModel:
    if heads.false.weights.shape[1] <= encoder.dimensions:
        raise ConfigError(f"{folder}: this model was trained on another encoder: train it again")
    heard = heads.card.get("tower", {}).get("share", 0.0) > 0
    tower = open_tower(folder, encoder, cache, chosen.threads) if heard else None
    return HeadModel(encoder, heads, chosen, tower)


def open_encoder(cache: Path, chosen: Classify) -> Encoder:
    """The encoder in the cache, in the variant that the settings choose."""
    variant = None if chosen.variant == "auto" else chosen.variant
    return Encoder.open(cache / "encoder", variant=variant, threads=chosen.threads)


def shipped_folder() -> Path:
    """The newest model that comes with claimwatch."""
    versions = sorted(path for path in SHIPPED.iterdir() if (path / "model.json").exists()) if SHIPPED.exists() else []
    if not versions:
        raise ConfigError("claimwatch came without a model: train one with `claimwatch train`")
    return versions[-1]
