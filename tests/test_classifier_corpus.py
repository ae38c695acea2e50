"""The synthetic training corpus keeps its promises: sound rows, known claims, varied wording, both languages."""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from claimwatch.records import Stance
from classifier.frozen import split
from classifier.rows import corpus

ROOT = Path(__file__).parent.parent
FIELDS = {"id", "text", "lang", "positive", "in_scope", "stance", "claim", "kind", "register"}
OPTIONAL = {"pair"}
#: The one stance each kind of post has.
STANCE_OF = {
    "repeats": Stance.REPEATS,
    "refutes": Stance.REFUTES,
    "asks": Stance.ASKS,
    "reports": Stance.REPORTS,
    "health_news": Stance.REPORTS,
    "satire": Stance.OTHER,
    "experience": Stance.OTHER,
    "advice": Stance.OTHER,
    "policy_criticism": Stance.OTHER,
    "off_topic": Stance.OTHER,
}
#: How people write, in both languages.
REGISTERS = {
    "facebook", "forward", "comment", "headline", "news", "long_post", "teen_code", "emoji", "typos", "code_mixed",
}  # fmt: skip
#: How only those of one language write.
OWN_REGISTERS = {"vi": {"no_diacritics"}, "en": {"tweet", "lowercase", "hashtags"}}
HANDLE_OR_PHONE = re.compile(r"(?<!\w)@\w{2,}|\+?\d(?:[ .-]?\d){8,}")
Made = dict[str, Any]


@cache
def rows() -> tuple[Made, ...]:
    files = sorted((ROOT / "classifier" / "corpus").glob("*.jsonl"))
    return tuple(json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines())


@cache
def library() -> tuple[Made, ...]:
    files = sorted((ROOT / "config" / "claims").glob("*.yml"))
    return tuple(claim for file in files for claim in yaml.safe_load(file.read_text(encoding="utf-8")))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def having(problem: Callable[[Made], object]) -> list[str]:
    """The ids of the rows that have a problem; a failing test names them."""
    return [row["id"] for row in rows() if problem(row)]


def grouped(by: Callable[[Made], Any]) -> dict[Any, list[Made]]:
    """The rows by a key; those without one are left out."""
    found: dict[Any, list[Made]] = defaultdict(list)
    for row in rows():
        if (key := by(row)) is not None:
            found[key].append(row)
    return found


class TestRows:
    def test_every_row_has_all_fields_of_the_right_type(self) -> None:
        assert having(lambda row: set(row) - OPTIONAL != FIELDS) == []
        assert having(lambda row: not isinstance(row["positive"], bool) or not isinstance(row["in_scope"], bool)) == []
        texts = FIELDS - {"positive", "in_scope", "claim"}
        assert having(lambda row: not all(isinstance(row[name], str) for name in texts | (OPTIONAL & set(row)))) == []

    def test_every_text_is_composed_trimmed_and_not_empty(self) -> None:
        assert having(lambda row: not row["text"].strip() or row["text"] != row["text"].strip()) == []
        assert having(lambda row: not unicodedata.is_normalized("NFC", row["text"])) == []

    def test_ids_and_texts_are_unique_over_all_files(self) -> None:
        assert [name for name, n in Counter(row["id"] for row in rows()).items() if n > 1] == []
        assert [text for text, n in Counter(" ".join(words(row["text"])) for row in rows()).items() if n > 1] == []

    def test_every_id_begins_with_the_language_of_its_row(self) -> None:
        assert {row["lang"] for row in rows()} == {"en", "vi"}
        assert having(lambda row: not re.fullmatch(row["lang"] + r"-\d{4}", row["id"])) == []

    def test_no_post_holds_a_handle_or_a_phone_number(self) -> None:
        assert having(lambda row: HANDLE_OR_PHONE.search(row["text"])) == []

    def test_no_file_holds_more_than_two_thousand_rows(self) -> None:
        files = sorted((ROOT / "classifier" / "corpus").glob("*.jsonl"))
        assert [file.name for file in files if len(file.read_text(encoding="utf-8").splitlines()) > 2000] == []


class TestLabels:
    def test_every_kind_has_its_own_stance(self) -> None:
        assert having(lambda row: row["kind"] not in STANCE_OF) == []
        assert having(lambda row: row["stance"] != STANCE_OF[row["kind"]]) == []

    def test_a_row_is_positive_exactly_where_it_repeats(self) -> None:
        assert having(lambda row: row["positive"] != (row["stance"] == Stance.REPEATS)) == []

    def test_criticism_of_policy_is_never_positive(self) -> None:
        criticism = [row for row in rows() if row["kind"] == "policy_criticism"]
        assert len(criticism) >= 250
        assert [row["id"] for row in criticism if row["positive"]] == []

    def test_everything_but_other_talk_and_criticism_is_in_scope(self) -> None:
        assert having(lambda row: row["in_scope"] == (row["kind"] in {"off_topic", "policy_criticism"})) == []


class TestClaims:
    def test_the_library_holds_claims_enough_with_eight_phrasings_in_each_language(self) -> None:
        assert len(library()) >= 150
        few = [claim["id"] for claim in library() if min(len(claim["phrasings"][lang]) for lang in ("vi", "en")) < 8]
        assert few == []

    def test_every_claim_of_a_row_is_in_the_library(self) -> None:
        known = {claim["id"] for claim in library()}
        assert having(lambda row: row["claim"] is not None and row["claim"] not in known) == []

    @pytest.mark.parametrize("kind", ["repeats", "refutes", "asks", "reports"])
    def test_every_claim_of_the_library_is_met_in_every_way(self, kind: str) -> None:
        met = {row["claim"] for row in rows() if row["kind"] == kind}
        assert {claim["id"] for claim in library()} - met == set()

    def test_no_claim_is_on_both_sides_of_the_split(self) -> None:
        outside, inside = split(corpus())
        assert {row.claim for row in outside if row.claim}.isdisjoint({row.claim for row in inside if row.claim})
        assert 0.15 < len(inside) / len(rows()) < 0.35
        assert {row.kind for row in inside} == set(STANCE_OF)
        assert {row.lang for row in inside} == {"en", "vi"}


class TestPairs:
    def test_a_pair_repeats_refutes_asks_and_reports_one_claim_in_one_language(self) -> None:
        pairs = grouped(lambda row: row.get("pair"))
        kinds = ["asks", "refutes", "repeats", "reports"]
        assert [name for name, four in pairs.items() if sorted(row["kind"] for row in four) != kinds] == []
        assert [name for name, four in pairs.items() if len({(row["claim"], row["lang"]) for row in four}) > 1] == []

    def test_every_claim_of_the_library_has_a_pair(self) -> None:
        paired = {row["claim"] for row in rows() if row.get("pair")}
        assert {claim["id"] for claim in library()} - paired == set()

    def test_the_posts_of_a_pair_differ_from_each_other_by_at_most_five_words(self) -> None:
        pairs = grouped(lambda row: row.get("pair"))
        assert [name for name, four in pairs.items() if furthest(four) > 5] == []


def furthest(four: list[Made]) -> int:
    """By how many words the two posts of a pair differ that differ most."""
    plain = [[word.strip('.,:;?!"“”') for word in row["text"].lower().split()] for row in four]
    return max(words_apart(a, b) for a, b in combinations(plain, 2))


def words_apart(a: list[str], b: list[str]) -> int:
    """The words to change, add or leave out to make one text of the other (Levenshtein)."""
    above = list(range(len(b) + 1))
    for row, word in enumerate(a, 1):
        line = [row]
        for column, other in enumerate(b, 1):
            line.append(min(line[-1] + 1, above[column] + 1, above[column - 1] + (word != other)))
        above = line
    return above[-1]


class TestWording:
    @pytest.mark.parametrize("part", [slice(5), slice(-5, None)], ids=["opening", "ending"])
    def test_no_opening_or_ending_of_five_words_is_shared_by_more_than_three_posts(self, part: slice) -> None:
        alike = grouped(lambda row: " ".join(words(row["text"])[part]))
        shared = {frame: {row.get("pair") or row["id"] for row in those} for frame, those in alike.items()}
        assert [frame for frame, those in shared.items() if len(those) > 3] == []

    def test_no_eight_words_in_a_row_are_shared_by_more_than_three_posts(self) -> None:
        """Seven are: names of institutions, and phrases such as "they don't want you to know"."""
        holding: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for row in rows():
            text = words(row["text"])
            for run in zip(*(text[start:] for start in range(8)), strict=False):
                holding[run].add(row.get("pair") or row["id"])
        assert [" ".join(run) for run, those in holding.items() if len(those) > 3] == []

    def test_at_most_one_post_of_twenty_is_nearly_another(self) -> None:
        assert len(near_copies()) <= 0.05 * len(rows())

    @pytest.mark.parametrize("lang", ["vi", "en"])
    def test_posts_are_written_in_every_register(self, lang: str) -> None:
        known = REGISTERS | OWN_REGISTERS[lang]
        met = Counter(row["register"] for row in rows() if row["lang"] == lang)
        assert set(met) == known
        assert [register for register in REGISTERS if met[register] < 20] == []

    def test_posts_have_five_to_two_hundred_and_fifty_words(self) -> None:
        assert having(lambda row: not 5 <= len(row["text"].split()) <= 250) == []
        lengths = [len(row["text"].split()) for row in rows()]
        assert sum(length < 12 for length in lengths) > 0.1 * len(lengths)
        assert sum(length > 60 for length in lengths) > 0.05 * len(lengths)
        assert sum(length > 200 for length in lengths) >= 40

    def test_there_are_at_least_six_thousand_posts(self) -> None:
        assert len(rows()) >= 6000


def near_copies() -> set[str]:
    """The ids of posts that share over .6 of their word triples (Jaccard) with one of another pair."""
    texts = [words(row["text"]) for row in rows()]
    triples = [set(zip(text, text[1:], text[2:], strict=False)) for text in texts]
    holding: dict[tuple[str, ...], list[int]] = defaultdict(list)
    found = set()
    for here, own in enumerate(triples):
        for there, shared in Counter(chain.from_iterable(holding[triple] for triple in own)).items():
            if shared > 0.6 * (len(own) + len(triples[there]) - shared) and apart(rows()[here], rows()[there]):
                found |= {rows()[here]["id"], rows()[there]["id"]}
        for triple in own:
            holding[triple].append(here)
    return found


def apart(a: Made, b: Made) -> bool:
    """Whether two rows are not of one pair."""
    return a.get("pair") is None or a.get("pair") != b.get("pair")


class TestSecondLabels:
    """A random draw labelled again by readers who saw the text alone: the agreement is what the card says."""

    def test_three_hundred_posts_of_the_corpus_have_second_labels(self) -> None:
        assert len(second_labels()) == len({one["id"] for one in second_labels()}) == 300
        assert {one["id"] for one in second_labels()} <= {row["id"] for row in rows()}

    @pytest.mark.parametrize(
        ("title", "field"),
        [("stance", "stance"), ("kind", "kind"), ("positive", "positive"), ("in scope", "in_scope")],
    )
    def test_the_card_gives_the_agreement_that_the_labels_have(self, title: str, field: str) -> None:
        first = {row["id"]: str(row[field]) for row in rows()}
        pairs = [(first[one["id"]], str(one[field])) for one in second_labels()]
        card = (ROOT / "classifier" / "corpus" / "README.md").read_text(encoding="utf-8")
        told = re.search(rf"(?m)^\| {title} \| (\d+)(?: of 300)? \| (\.\d+) ", card)
        assert told
        assert told.groups() == (str(sum(a == b for a, b in pairs)), f"{kappa(pairs):.3f}".removeprefix("0"))


@cache
def second_labels() -> tuple[Made, ...]:
    file = ROOT / "classifier" / "corpus" / "checks" / "second-labels.jsonl"
    return tuple(json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())


def kappa(pairs: list[tuple[str, str]]) -> float:
    """Cohen's kappa (1960) of two labellings."""
    alike = sum(a == b for a, b in pairs) / len(pairs)
    firsts, seconds = (Counter(side) for side in zip(*pairs, strict=True))
    chance = sum(firsts[label] * seconds[label] for label in firsts) / len(pairs) ** 2
    return (alike - chance) / (1 - chance)


class TestCard:
    @pytest.mark.parametrize("field", ["kind", "register"])
    def test_the_card_gives_the_counts_of_the_files(self, field: str) -> None:
        card = (ROOT / "classifier" / "corpus" / "README.md").read_text(encoding="utf-8")
        told = {name: (vi, en) for name, vi, en in re.findall(r"(?m)^\| `(\w+)` \|.* (\d+) \| (\d+) \| \d+ \|$", card)}
        counts = Counter((row[field], row["lang"]) for row in rows())
        names = {row[field] for row in rows()}
        assert {name: told.get(name) for name in names} == {
            name: (str(counts[name, "vi"]), str(counts[name, "en"])) for name in names
        }
