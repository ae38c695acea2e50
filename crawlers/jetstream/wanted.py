"""Which posts of the stream are kept: those with a chosen word, and those that resemble a claim's phrasing."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from claimwatch.text.fold import fold

#: Share of a phrasing's words that a post must have to resemble it.
_SHARE = 0.75
#: Phrasings of fewer words resemble too much.
_FEWEST = 3


class Wanted:
    """Tells by the words alone, without regard to case and diacritics. Fast: it sees every post there is."""

    def __init__(self, words: Iterable[str], phrasings: Iterable[str]) -> None:
        self._words = tuple(f" {fold(word)} " for word in words if fold(word))
        self._needed: dict[int, int] = {}
        self._holders: dict[str, list[int]] = defaultdict(list)
        for number, phrasing in enumerate(phrasings):
            said = set(fold(phrasing).split())
            if len(said) >= _FEWEST:
                self._needed[number] = max(_FEWEST, round(len(said) * _SHARE))
                for word in said:
                    self._holders[word].append(number)

    def __bool__(self) -> bool:
        """Whether anything at all can be wanted."""
        return bool(self._words or self._needed)

    def keeps(self, text: str) -> bool:
        """Whether a post that says this is kept."""
        folded = f" {fold(text)} "
        if any(word in folded for word in self._words):
            return True
        shared = Counter(number for word in set(folded.split()) for number in self._holders.get(word, ()))
        return any(count >= self._needed[number] for number, count in shared.items())
