"""Text to token ids, as the base encoder was trained to read it: folded, then cut by its unigram model.

Written out here because the usual library takes 320 MB for this vocabulary, four times as much, and is no faster.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from claimwatch.errors import ConfigError

from .base_file import Vocabulary

_FILE = "tokenizer.json"
_SPACES = re.compile(" {2,}")
_SPACE = "▁"  # stands for the space before a word, inside pieces
#: Half characters, which a cut in broken JSON leaves behind.
_HALVES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
#: What an unknown character costs below the least likely piece, as SentencePiece has it.
_UNKNOWN_COST = 10.0
#: Words kept with their ids: most words of a post were met before.
_KEPT_WORDS = 1 << 15


class Tokenizer:
    """Token ids of texts, equal on every machine. Threads may share it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        scored = zip(vocabulary.pieces, vocabulary.scores, strict=True)
        # Marks such as </s> score 0 and are no pieces: a post that spells one out is ordinary text.
        self._pieces = {piece: (one, score) for one, (piece, score) in enumerate(scored) if score < 0}
        self._longest = max(map(len, self._pieces))
        self._unknown = (vocabulary.unk, min(vocabulary.scores) - _UNKNOWN_COST)
        self._table = {0: "", **_HALVES, **vocabulary.table}
        self._cut = lru_cache(_KEPT_WORDS)(self._word)

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """The tokenizer that `save` left in a folder."""
        try:
            kept = json.loads((folder / _FILE).read_text(encoding="utf-8"))
            kept["table"] = {int(point): text for point, text in kept["table"].items()}
            return cls(Vocabulary(**kept))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"{folder}: the encoder's tokenizer cannot be read ({error}): delete the folder, it is made again"
            ) from error

    def save(self, folder: Path) -> None:
        """Write what `load` reads."""
        kept = json.dumps(asdict(self._vocabulary), ensure_ascii=False)
        (folder / _FILE).write_text(kept, encoding="utf-8")

    def encode(self, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
        """The ids of each text between its start and end mark, cut to `max_tokens` with both."""
        return [self._ids(text, max_tokens) for text in texts]

    def counts(self, text: str) -> list[int]:
        """How many tokens each word of the text has that stands between blanks, its marks at start and end left out."""
        return [len(self._cut(word)) for word in self.normalise(text).split(" ")]

    def normalise(self, text: str) -> str:
        """The text as the model sees it: composed, compatibility forms folded, one space between words."""
        # Decomposed Vietnamese falls apart in this vocabulary, so it is composed first.
        folded = unicodedata.normalize("NFC", text).translate(self._table)
        return _SPACES.sub(" ", folded).strip(" ")

    def _ids(self, text: str, max_tokens: int) -> list[int]:
        room = max_tokens - 2
        ids: list[int] = []
        # No piece is longer than `_longest`: what lies beyond is not among the first tokens, and a book is not read.
        for word in self.normalise(text)[: max_tokens * self._longest].split(" "):
            if len(ids) >= room:
                break
            ids += self._cut(word)
        return [self._vocabulary.bos, *ids[:room], self._vocabulary.eos]

    def _word(self, word: str) -> tuple[int, ...]:
        """The likeliest way to cut one word, by dynamic programming over its characters."""
        if not word:
            return ()
        text = _SPACE + word
        best: list[tuple[float, int, int]] = [(0.0, 0, 0)] + [(-1e30, 0, 0)] * len(text)  # score, from, id
        for start in range(len(text)):
            until_here = best[start][0]
            for end in range(start + 1, min(start + self._longest, len(text)) + 1):
                found = self._pieces.get(text[start:end], self._unknown if end == start + 1 else None)
                if found is not None and until_here + found[1] > best[end][0]:
                    best[end] = (until_here + found[1], start, found[0])
        return self._walk_back(best)

    def _walk_back(self, best: Sequence[tuple[float, int, int]]) -> tuple[int, ...]:
        ids, at = [], len(best) - 1
        while at > 0:
            _, before, one = best[at]
            ids.append(one)
            at = before
        unk = self._vocabulary.unk
        runs = ((one, list(run)) for one, run in groupby(reversed(ids)))
        return tuple(one for known, run in runs for one in (run[:1] if known == unk else run))
