"""Words that turn a claim round: negations, and words that call it false."""

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import takewhile

from claimwatch.text.fold import fold
from claimwatch.text.normalise import WORD, visible

_WORDS = re.compile(rf"[{WORD}]+(?:['’ʼ][{WORD}]+)*")
_VIETNAMESE = (
    "không, chẳng, chả, chưa, chớ, đừng, đéo, hông, hổng, đâu có, làm gì có, không phải, sai, sai sự thật, sai lệch, "
    "giả, tin giả, giả mạo, tin đồn, đồn thổi, đồn đoán, tin vịt, bịa, bịa đặt, bác bỏ, phản bác, phủ nhận, "
    "đính chính, xuyên tạc, vô căn cứ, thất thiệt, thực hư, hoang tin, hoang đường, nhảm, nhảm nhí, lừa đảo, lừa bịp, "
    "cảnh giác, cấm, phi lý, vô lý, phản khoa học"
)
_PLAIN = (
    "ko, k, kh, khg, hok, hem, khong, not, no, never, none, neither, nor, without, cannot, nobody, nothing, stop, "
    "fake, fakenews, false, falsely, hoax, hoaxes, debunk, debunks, debunked, debunking, myth, myths, rumor, rumors, "
    "rumour, rumours, misinformation, disinformation, misleading, untrue, incorrect, wrong, lie, lies, scam, refute, "
    "refutes, refuted, deny, denies, denied, satire, fabricated, baseless, unfounded, unproven, fact check, "
    "factcheck, beware"
)
_CONTRACTED = re.compile(r"(?:ai|are|ca|could|did|do|does|had|has|have|is|should|was|were|wo|would)n['’ʼ]?t")
#: Other words that hold a cue's spelling: air, space, aviation, contents, use, effect.
_HARMLESS = "không khí, không gian, hàng không, nội dung, sử dụng, tác dụng, công dụng, áp dụng"
_LONGEST = 3  # words in a cue
#: Words beside each other compared one by one; longer stretches are compared as heaps, which takes linear time.
_MOST_PAIRS = 250_000


def differ_by_cue(a: str, b: str) -> bool:
    """Whether the words in which two texts differ hold a negation or a word that calls the claim false."""
    words_a, words_b = _words(a), _words(b)
    only_a, only_b = _differences([_key(word) for word in words_a], [_key(word) for word in words_b])
    return not (only_a.isdisjoint(_cue_places(words_a)) and only_b.isdisjoint(_cue_places(words_b)))


def _words(text: str) -> list[str]:
    return _WORDS.findall(visible(text).lower())


def _key(word: str) -> str:
    return fold(word).replace(" ", "")


def _cue_places(words: Sequence[str]) -> set[int]:
    """Where cues stand. A text without marks is read without them: its `dung` may be `đừng`."""
    keys = [_key(word) for word in words]
    with_marks = sum(map(str.__ne__, words, keys)) * 5 >= len(words)
    spelled = words if with_marks else keys
    harmless = _places(spelled, _spelled(_HARMLESS, with_marks=with_marks))
    contracted = {place for place, word in enumerate(words) if _CONTRACTED.fullmatch(word)}
    return _places(spelled, _cues(with_marks=with_marks)) - harmless | contracted


def _places(words: Sequence[str], phrases: frozenset[str]) -> set[int]:
    """Where any of the phrases stands."""
    places: set[int] = set()
    for start in range(len(words)):
        for end in range(start + 1, min(start + _LONGEST, len(words)) + 1):
            if " ".join(words[start:end]) in phrases:
                places.update(range(start, end))
    return places


@cache
def _spelled(phrases: str, *, with_marks: bool) -> frozenset[str]:
    return frozenset(phrase if with_marks else fold(phrase) for phrase in phrases.split(", "))


@cache
def _cues(*, with_marks: bool) -> frozenset[str]:
    vietnamese = _spelled(_VIETNAMESE, with_marks=with_marks)
    # Without marks `giả` is also `gia` (family, price, old); there it counts in `tin gia` alone.
    return (vietnamese if with_marks else vietnamese - {"gia"}) | _spelled(_PLAIN, with_marks=True)


def _differences(a: list[str], b: list[str]) -> tuple[set[int], set[int]]:
    """The places in each list that the other does not have."""
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    rest = zip(reversed(a[head:]), reversed(b[head:]), strict=False)
    tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], rest))
    middle_a, middle_b = range(head, len(a) - tail), range(head, len(b) - tail)
    if len(middle_a) * len(middle_b) > _MOST_PAIRS:
        heap_a, heap_b = (Counter(words[head : len(words) - tail]) for words in (a, b))
        return _unpaired(a, middle_a, heap_b), _unpaired(b, middle_b, heap_a)
    matcher = SequenceMatcher(None, a[head : len(a) - tail], b[head : len(b) - tail], autojunk=False)
    same = matcher.get_matching_blocks()
    shared_a = {head + block.a + n for block in same for n in range(block.size)}
    shared_b = {head + block.b + n for block in same for n in range(block.size)}
    return set(middle_a) - shared_a, set(middle_b) - shared_b


def _unpaired(words: list[str], places: range, others: Counter[str]) -> set[int]:
    left = others.copy()
    unpaired: set[int] = set()
    for place in places:
        if left[words[place]]:
            left[words[place]] -= 1
        else:
            unpaired.add(place)
    return unpaired
