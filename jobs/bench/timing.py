"""Times of one operation on several sides, taken in turn so that whatever else the machine does hits all alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Side:
    """The seconds that one side took, one per round."""

    seconds: list[float] = field(default_factory=list)

    def at(self, share: float) -> float:
        """The seconds that this share of the rounds stayed within (nearest rank)."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def median(self) -> float:
        """Seconds of the middle round."""
        return self.at(0.5)

    @property
    def p95(self) -> float:
        """Seconds that 95 of 100 rounds stayed within."""
        return self.at(0.95)


def in_turns(sides: Mapping[str, Callable[[int], object]], rounds: Sequence[int]) -> dict[str, Side]:
    """Each round on every side, which begins with another side each time; the rounds' numbers are handed over."""
    found = {name: Side() for name in sides}
    names = list(sides)
    for turn, number in enumerate(rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            begun = time.perf_counter()
            sides[name](number)
            found[name].seconds.append(time.perf_counter() - begun)
    return found
