"""Synthetic posts of any number, the same for the same seed: their words follow Zipf's law, nothing in them is real."""

import itertools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from claimwatch.posts.base import Kept
from claimwatch.records import Assessment, Card, Match, Post, Stance
from claimwatch.text.fold import slot_of, text_hash

#: The instant at which a synthetic desk stands.
NOW = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
#: Days that the posts are spread over.
SPAN = 56
SOURCES = tuple(f"bench-{n:02d}" for n in range(20))
CLAIMS = tuple(f"bench-claim-{n:02d}" for n in range(56))
MODEL = "bench"
#: The share of posts that are flagged.
FLAGGED = 0.05
_WORDS = 12_700  #: distinct syllables; SERVERS.md measured with as many
_LENGTH = 30  #: syllables of the median post
_ACCOUNTS = 50_000
_BLOCK = 1_000

# fmt: off
_ONSETS = [
    "b", "c", "ch", "d", "đ", "g", "gh", "h", "k", "kh", "l", "m", "n", "ng", "nh", "p", "ph", "qu", "r", "s", "t",
    "th", "tr", "v", "x",
]
_VOWELS = [
    "a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y", "ia", "iê", "oa", "oe", "ua", "uô", "ưa", "ươ",
]
_TONES = ["", "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"]
_CODAS = ["", "c", "ch", "m", "n", "ng", "nh", "p", "t", "i", "u"]
# fmt: on


def vocabulary() -> list[str]:
    """Syllables that look like Vietnamese, the most frequent first."""
    parts = itertools.product(_ONSETS, _VOWELS, _TONES, _CODAS)
    every = sorted({unicodedata.normalize("NFC", "".join(letters)) for letters in parts})
    order = np.random.default_rng(7).permutation(len(every))
    return [every[n] for n in order[:_WORDS]]


@dataclass(frozen=True, slots=True)
class Zipf:
    """Draws ranks, the first being the most frequent: P(rank) is proportional to 1/rank (Zipf 1949)."""

    cumulative: NDArray[np.float64]

    @classmethod
    def of(cls, size: int) -> "Zipf":
        """Over so many ranks."""
        weights = 1.0 / np.arange(1, size + 1)
        return cls(np.cumsum(weights / weights.sum()))

    def draw(self, random: np.random.Generator, count: int) -> NDArray[np.int64]:
        """So many ranks, from 0."""
        return np.searchsorted(self.cumulative, random.random(count)).clip(max=len(self.cumulative) - 1)


def made_posts(start: int, stop: int) -> Iterator[Post]:
    """Posts number `start` up to, not including, `stop`; a post is the same in every range that holds it."""
    words, syllables = vocabulary(), Zipf.of(_WORDS)
    for block in range(start // _BLOCK, -(-stop // _BLOCK)):
        random = np.random.default_rng([11, block])
        lengths = random.lognormal(np.log(_LENGTH), 0.6, _BLOCK).clip(4, 400).astype(int)
        drawn = iter(np.split(syllables.draw(random, int(lengths.sum())), np.cumsum(lengths)[:-1]))
        ages = random.random(_BLOCK) * SPAN * 86_400
        people = random.integers(_ACCOUNTS, size=_BLOCK)
        places = random.integers(len(SOURCES), size=_BLOCK)
        for at, ranks in enumerate(drawn):
            number = block * _BLOCK + at
            if start <= number < stop:
                text = " ".join(words[rank] for rank in ranks)
                yield _post(number, text, float(ages[at]), int(people[at]), int(places[at]))


def _post(number: int, text: str, age: float, person: int, place: int) -> Post:
    created = (NOW - timedelta(seconds=age)).replace(microsecond=0)
    collected = created + timedelta(minutes=20)
    digest = text_hash(text)
    id_ = f"mastodon:{number * 0x9E3779B97F4A7C15 % 2**64:016x}"
    return Post(
        id=id_,
        source=SOURCES[place],
        platform="mastodon",
        created_at=created,
        collected_at=collected,
        first_seen=collected,
        day=created.date(),
        language="en" if number % 5 == 0 else "vi",
        title="",
        text=text,
        text_hash=digest,
        author_key=f"{person:08x}",
        bands=tuple(f"{digest[at : at + 8]}" for at in range(0, 32, 8)),
        slot=slot_of(digest),
        expires_at=NOW + timedelta(days=30),
    )


def is_flagged(post: Post) -> bool:
    """Whether the synthetic model flagged it: one in twenty, told from its id."""
    return int(post.id[-8:], 16) % 1_000 < 1_000 * FLAGGED


def claim_of(post: Post) -> str:
    """The claim that a flagged post repeats; few claims have most posts."""
    share = int(post.id[-12:-8], 16) / 65_536
    return CLAIMS[int(len(CLAIMS) * share**3)]


def kept(post: Post) -> Kept:
    """The post as a store keeps it once it is assessed and placed."""
    flag = is_flagged(post)
    said = Assessment(
        post=post.id,
        text_hash=post.text_hash,
        model=MODEL,
        on_topic=flag,
        p_false=0.9 if flag else 0.05,
        stance=Stance.REPEATS if flag else Stance.OTHER,
        stage="encoder" if flag else "gate",
        flag=flag,
    )
    match = Match(
        post=post.id,
        text_hash=post.text_hash,
        claim=claim_of(post),
        claim_version=1,
        similarity=0.93,
        confirmed=True,
    )
    return Kept(
        post=replace(post, group=post.id),
        assessments=(said,),
        matches=((MODEL, match),) if flag else (),
        writes=((post.source, "page", "stored"),),
    )


def card(post: Post) -> Card:
    """The open card of a flagged post that has no copies."""
    priority = 1 + int(post.id[-6:], 16) / 2**24 * 30
    return Card(
        id=post.id,
        head=post.id,
        claim=claim_of(post),
        claim_similarity=0.93,
        posts=1,
        accounts=1,
        engagement=0,
        reach=1.6,
        growth=1.0,
        harm=2,
        p_false=0.9,
        priority=priority,
        language=post.language,
        model=MODEL,
        opened_at=post.collected_at,
        updated_at=post.collected_at,
    )
