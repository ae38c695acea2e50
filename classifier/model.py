"""What a model promises the stages: an opinion on every text, whatever is inside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from claimwatch.records import Claim, Stance


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """A claim that a text is close to."""

    claim: str
    version: int
    similarity: float  #: to the nearest phrasing, 0 to 1
    confirmed: bool
    phrasing: str  #: the nearest one, for "why"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a model says of one text."""

    on_topic: bool
    p_false: float  #: calibrated, 0 to 1
    stance: Stance | None
    stage: str  #: gate or encoder
    flag: bool
    hinges: bool = False  #: topic and stance would let it be flagged: the threshold alone decides
    nearest: tuple[Nearest, ...] = ()  #: above the suggest threshold, nearest first
    similarity: float = 0.0  #: to the nearest claim, above the threshold or not
    vector: bytes | None = None
    why: str = ""  #: the closest phrasing, then the words that decided, a line each


class Model(Protocol):
    """Judges texts. Deterministic for one version."""

    @property
    def version(self) -> str:
        """Names the weights, the thresholds and the encoder."""
        ...

    @property
    def encoder(self) -> str:
        """Names the encoder whose vectors it keeps."""
        ...

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Every limit a score is held against, by name: p_false is the one from which a post is flagged."""
        ...

    def judge(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> list[Opinion]:
        """One opinion per text, in order, for every text, the empty one too."""
        ...

    def learn_claims(self, claims: Sequence[Claim]) -> None:
        """Take these claims as the ones to match from now on."""
        ...

    def match_vectors(self, vectors: Sequence[bytes], claims: Sequence[str]) -> list[tuple[Nearest, ...]]:
        """The matches of kept vectors among these claims only, for a claim that is new."""
        ...
