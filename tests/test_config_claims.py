"""The claim library as data: every file whole, in both languages, and safe to load."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

CLAIMS = Path(__file__).parent.parent / "config" / "claims"
FILES = sorted(CLAIMS.glob("*.yml"))
LANGUAGES = {"vi", "en"}
KEYS = {"id", "topic", "harm", "harm_reason", "statement", "phrasings", "verdict", "correction", "evidence"}
Claim = dict[str, Any]


def load(file: Path) -> list[Claim]:
    claims = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(claims, list)
    return claims


LIBRARY = [claim for file in FILES for claim in load(file)]
every_claim = pytest.mark.parametrize("claim", LIBRARY, ids=[str(claim.get("id")) for claim in LIBRARY])


def texts(value: object) -> Iterator[str]:
    """Every string inside a loaded YAML value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def phrasings(claim: Claim) -> list[str]:
    return [phrasing for language in sorted(LANGUAGES) for phrasing in claim["phrasings"][language]]


def test_no_file_holds_more_claims_than_one_can_read_at_a_sitting() -> None:
    assert [file.name for file in FILES if len(load(file)) > 25] == []


def test_no_two_claims_share_an_id() -> None:
    ids = [claim["id"] for claim in LIBRARY]
    assert len(ids) == len(set(ids))


def test_no_phrasing_stands_for_two_claims() -> None:
    every = [phrasing.casefold() for claim in LIBRARY for phrasing in phrasings(claim)]
    assert len(every) == len(set(every))


@every_claim
def test_a_claim_has_exactly_the_known_keys(claim: Claim) -> None:
    assert set(claim) == KEYS


@every_claim
def test_an_id_and_a_topic_are_lower_case_words_joined_by_hyphens(claim: Claim) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", claim["id"])
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", claim["topic"])


@every_claim
def test_harm_is_a_whole_number_from_one_to_four(claim: Claim) -> None:
    assert type(claim["harm"]) is int
    assert 1 <= claim["harm"] <= 4


@every_claim
def test_a_verdict_is_a_word_and_never_a_yaml_boolean(claim: Claim) -> None:
    assert isinstance(claim["verdict"], str)
    assert claim["verdict"] in {"false", "misleading", "unproven"}


@every_claim
@pytest.mark.parametrize("key", ["statement", "harm_reason", "correction"])
def test_a_text_is_given_in_both_languages(claim: Claim, key: str) -> None:
    assert set(claim[key]) == LANGUAGES
    assert all(isinstance(text, str) and len(text.split()) >= 4 for text in claim[key].values())
    assert claim[key]["vi"] != claim[key]["en"]


@every_claim
@pytest.mark.parametrize("key", ["statement", "harm_reason", "correction"])
def test_vietnamese_texts_carry_their_diacritics(claim: Claim, key: str) -> None:
    assert not claim[key]["vi"].isascii()


@every_claim
def test_each_language_has_at_least_eight_phrasings(claim: Claim) -> None:
    assert set(claim["phrasings"]) == LANGUAGES
    assert [language for language, given in claim["phrasings"].items() if len(given) < 8] == []


@every_claim
def test_a_phrasing_has_six_to_thirty_words(claim: Claim) -> None:
    assert [text for text in phrasings(claim) if not 6 <= len(text.split()) <= 30] == []


@every_claim
def test_evidence_names_a_publisher_and_a_title_and_links_only_over_https(claim: Claim) -> None:
    assert 1 <= len(claim["evidence"]) <= 2
    for entry in claim["evidence"]:
        assert set(entry) == {"publisher", "title", "link"}
        assert entry["publisher"]
        assert entry["title"]
        assert entry["link"] == "" or re.fullmatch(r"https://\S+", entry["link"])


@every_claim
def test_every_text_is_nfc_without_stray_spaces(claim: Claim) -> None:
    every = list(texts(claim))
    assert len(every) > len(KEYS)
    assert [text for text in every if not unicodedata.is_normalized("NFC", text)] == []
    assert [text for text in every if text != " ".join(text.split())] == []
