"""The synthetic training corpus keeps its promises: sound rows, known claims, varied wording, both languages."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from claimwatch.records import Stance

ROOT = Path(__file__).parent.parent
FIELDS = {"id", "text", "lang", "positive", "in_scope", "stance", "claim", "kind", "register"}
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
HANDLE_OR_PHONE = re.compile(r"(?<!\w)@\w{2,}|\+?\d(?:[ .-]?\d){8,}")


@cache
def rows() -> tuple[dict[str, Any], ...]:
    files = sorted((ROOT / "classifier" / "corpus").glob("*.jsonl"))
    return tuple(json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines())


def ids_in(value: Any) -> set[str]:
    """Every `id` of a claim file, however its claims are nested."""
    if isinstance(value, list):
        return {name for item in value for name in ids_in(item)}
    if isinstance(value, dict):
        own = {value["id"]} if isinstance(value.get("id"), str) else set()
        return own | {name for item in value.values() for name in ids_in(item)}
    return set()


def known_claims() -> set[str]:
    files = sorted((ROOT / "config" / "claims").glob("*.yml"))
    return {name for file in files for name in ids_in(yaml.safe_load(file.read_text(encoding="utf-8")))}


def opening(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower())[:8])


def having(problem: Callable[[dict[str, Any]], object]) -> list[str]:
    """The ids of the rows that have a problem; a failing test names them."""
    return [row["id"] for row in rows() if problem(row)]


def test_every_row_has_all_fields_of_the_right_type() -> None:
    assert having(lambda row: set(row) != FIELDS) == []
    assert having(lambda row: not isinstance(row["positive"], bool) or not isinstance(row["in_scope"], bool)) == []
    assert (
        having(lambda row: not all(isinstance(row[name], str) for name in FIELDS - {"positive", "in_scope", "claim"}))
        == []
    )


def test_every_text_is_composed_trimmed_and_not_empty() -> None:
    assert having(lambda row: not row["text"].strip() or row["text"] != row["text"].strip()) == []
    assert having(lambda row: not unicodedata.is_normalized("NFC", row["text"])) == []


def test_ids_and_texts_are_unique_over_all_files() -> None:
    assert [name for name, n in Counter(row["id"] for row in rows()).items() if n > 1] == []
    assert [text for text, n in Counter(row["text"].casefold() for row in rows()).items() if n > 1] == []


def test_every_id_begins_with_the_language_of_its_row() -> None:
    assert having(lambda row: not row["id"].startswith(row["lang"] + "-")) == []


def test_every_kind_has_its_own_stance() -> None:
    assert having(lambda row: row["kind"] not in STANCE_OF) == []
    assert having(lambda row: row["stance"] != STANCE_OF[row["kind"]]) == []


def test_a_row_is_positive_exactly_where_it_repeats() -> None:
    assert having(lambda row: row["positive"] != (row["stance"] == Stance.REPEATS)) == []


def test_criticism_of_policy_is_never_positive() -> None:
    criticism = [row for row in rows() if row["kind"] == "policy_criticism"]
    assert criticism
    assert [row["id"] for row in criticism if row["positive"]] == []


def test_everything_but_other_talk_and_criticism_is_in_scope() -> None:
    assert having(lambda row: row["in_scope"] == (row["kind"] in {"off_topic", "policy_criticism"})) == []


def test_every_claim_is_in_the_claim_library() -> None:
    known = known_claims()
    assert having(lambda row: row["claim"] is not None and row["claim"] not in known) == []


def test_every_claim_of_the_corpus_is_both_repeated_and_refuted() -> None:
    named = {row["claim"] for row in rows() if row["claim"]}
    repeated = {row["claim"] for row in rows() if row["kind"] == "repeats"}
    refuted = {row["claim"] for row in rows() if row["kind"] == "refutes"}
    assert named - repeated == set()
    assert named - refuted == set()


def test_no_opening_of_eight_words_is_shared_by_more_than_three_posts() -> None:
    assert [words for words, n in Counter(opening(row["text"]) for row in rows()).items() if n > 3] == []


def test_no_post_holds_a_handle_or_a_phone_number() -> None:
    assert having(lambda row: HANDLE_OR_PHONE.search(row["text"])) == []


def test_there_are_at_least_six_hundred_rows_in_two_languages() -> None:
    assert len(rows()) >= 600
    assert {row["lang"] for row in rows()} == {"en", "vi"}
