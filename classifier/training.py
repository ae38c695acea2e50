"""Training from rows to a model that can be served: vectors, heads, limits, card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from claimwatch.records import Claim
from classifier.encoder import Encoder
from classifier.heads import Heads
from classifier.limits import choose_limits
from classifier.rows import Row
from classifier.train import train_heads


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What to train on, and under which name."""

    rows: Sequence[Row]
    claims: Sequence[Claim]
    seed: int
    version: str
    about: Mapping[str, Any] = field(default_factory=dict)  #: for the card: what the rows were


def train_model(encoder: Encoder, wanted: Training, progress: Callable[[int], None] = lambda _: None) -> Heads:
    """Heads with a card that names version, encoder, thresholds and data."""
    vectors = encoder.encode([row.text for row in wanted.rows], progress)
    heads = train_heads(wanted.rows, vectors, seed=wanted.seed, progress=progress)
    limits = choose_limits(wanted.rows, vectors, wanted.claims, encoder.encode)
    card = {
        **wanted.about,
        **heads.card,
        "version": wanted.version,
        "encoder": encoder.name,
        "suggest": limits.suggest,
        "confirm": limits.confirm,
    }
    return replace(heads, card=card)
