"""The demo's posts keep their promises: known claims, clear arcs, copies that are copies, words of their own."""

import json
import re
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from claimwatch.clock import local_day, week_of
from claimwatch.text.copies import are_copies, jaccard
from claimwatch.text.fold import fold
from claimwatch.text.language import language_of
from jobs.demo import script
from jobs.demo.copying import edited
from jobs.demo.post import DemoPost
from jobs.demo.script import INSTANT, KINDS, START, demo_sources, load_script

ROOT = Path(__file__).parent.parent
WEEKS = ("2026-W43", "2026-W44", "2026-W45", "2026-W46")
GROWING = ("dengue-papaya-leaf", "vaccine-infertility", "covid-steam-inhalation")
FADING = ("covid-5g", "covid-garlic-cure")
STEADY = ("covid-salt-water-gargle", "cancer-soursop")
NEW = "covid-bleach-mms"


@cache
def posts() -> dict[str, DemoPost]:
    return {post.key: post for post in load_script()}


@cache
def claims() -> dict[str, dict[str, Any]]:
    files = sorted((ROOT / "config" / "claims").glob("*.yml"))
    return {claim["id"]: claim for file in files for claim in yaml.safe_load(file.read_text(encoding="utf-8"))}


def repeats(claim: str) -> list[DemoPost]:
    return [post for post in posts().values() if post.claim == claim and post.kind == "repeats"]


def weekly(claim: str) -> list[int]:
    counts = Counter(week_of(local_day(post.at, script.ZONE)) for post in repeats(claim))
    return [counts[week] for week in WEEKS]


def sentences(text: str) -> set[str]:
    """Folded sentences of six words or more."""
    return {bare for part in re.split(r"[.!?\n]", text) if len((bare := fold(part)).split()) >= 6}


def written_elsewhere() -> set[str]:
    """Every sentence of the training corpus and of the claim library's phrasings."""
    corpus = (ROOT / "classifier" / "corpus").glob("*.jsonl")
    texts = [json.loads(line)["text"] for file in corpus for line in file.read_text(encoding="utf-8").splitlines()]
    texts += [text for claim in claims().values() for said in claim["phrasings"].values() for text in said]
    assert len(texts) > 1000
    return {sentence for text in texts for sentence in sentences(text)}


class TestPosts:
    def test_there_are_enough_and_all_are_of_the_four_weeks(self) -> None:
        assert 400 <= len(posts()) <= 520
        assert all(START <= post.at < INSTANT for post in posts().values())

    def test_every_claim_named_is_in_the_library(self) -> None:
        named = {post.claim for post in posts().values() if post.claim}
        assert named == {*GROWING, *FADING, *STEADY, NEW}
        assert named <= claims().keys()

    def test_every_kind_is_met_and_none_is_unknown(self) -> None:
        assert {post.kind for post in posts().values()} == KINDS.keys()

    def test_rumours_are_told_in_both_languages_mostly_in_vietnamese(self) -> None:
        told = Counter(post.language for post in posts().values() if post.kind == "repeats")
        assert told.keys() == {"vi", "en"}
        assert 0.6 < told["vi"] / told.total() < 0.75

    def test_every_rumour_is_repeated_refuted_asked_and_reported(self) -> None:
        for claim in (*GROWING, *FADING, *STEADY, NEW):
            kinds = {post.kind for post in posts().values() if post.claim == claim}
            assert {"repeats", "refutes", "asks", "reports"} <= kinds, claim

    def test_no_sentence_is_taken_from_the_corpus_or_the_claim_library(self) -> None:
        known = written_elsewhere()
        assert [post.key for post in posts().values() if sentences(post.text) & known] == []

    def test_the_language_said_is_the_language_read(self) -> None:
        long_enough = [post for post in posts().values() if len(post.text.split()) >= 12]
        assert [post.key for post in long_enough if language_of(post.text) != post.language] == []

    def test_every_file_says_that_it_is_synthetic(self) -> None:
        heads = [path.read_text(encoding="utf-8").splitlines()[0] for path in (ROOT / "jobs/demo/posts").glob("*.yml")]
        assert len(heads) >= 10
        assert all(head.startswith("# Synthetic") for head in heads)

    def test_loading_twice_gives_the_same_posts(self) -> None:
        first = load_script()
        script._script.cache_clear()
        assert load_script() == first


class TestArcs:
    @pytest.mark.parametrize("claim", GROWING)
    def test_growing_rumours_grow_every_week_and_double_in_the_last(self, claim: str) -> None:
        counts = weekly(claim)
        assert all(earlier < later for earlier, later in pairwise(counts))
        assert counts[3] >= 2 * counts[2]

    @pytest.mark.parametrize("claim", FADING)
    def test_fading_rumours_peak_in_the_middle(self, claim: str) -> None:
        counts = weekly(claim)
        assert max(counts[1:3]) >= 2 * counts[0]
        assert counts[3] <= max(counts) / 3

    @pytest.mark.parametrize("claim", STEADY)
    def test_steady_rumours_stay_low(self, claim: str) -> None:
        counts = weekly(claim)
        assert min(counts) >= 2
        assert max(counts) <= 5

    def test_the_new_rumour_is_a_day_old_and_does_the_most_harm(self) -> None:
        assert len(repeats(NEW)) >= 8
        assert min(post.at for post in repeats(NEW)) >= INSTANT - timedelta(hours=24)
        assert claims()[NEW]["harm"] == 4

    @pytest.mark.parametrize("claim", GROWING)
    def test_engagement_grows_with_a_growing_rumour(self, claim: str) -> None:
        totals = Counter[str]()
        for post in repeats(claim):
            totals[week_of(local_day(post.at, script.ZONE))] += post.likes + post.shares + post.replies
        assert all(totals[earlier] < totals[later] for earlier, later in pairwise(WEEKS))


class TestCopies:
    def test_copies_are_copies_of_other_people(self) -> None:
        copies = [post for post in posts().values() if post.copy_of]
        assert len(copies) > 100
        for copy in copies:
            original = posts()[copy.copy_of]
            assert are_copies(original.text, copy.kind, copy.text, original.kind, 0.85), copy.key
            assert (copy.account != original.account, copy.at > original.at) == (True, True), copy.key

    def test_refutations_in_the_rumours_own_words_are_no_copies(self) -> None:
        twists = [post for post in posts().values() if post.twist_of]
        assert len(twists) >= 10
        for twist in twists:
            rumour = posts()[twist.twist_of]
            assert (rumour.kind, twist.kind) == ("repeats", "refutes")
            assert jaccard(rumour.text, twist.text) >= 0.8, twist.key
            assert not are_copies(rumour.text, None, twist.text, None), twist.key

    def test_originals_are_worded_independently(self) -> None:
        originals = [post for post in posts().values() if not (post.copy_of or post.twist_of)]
        for claim in (*GROWING, *FADING, *STEADY, NEW):
            told = [post for post in originals if post.claim == claim and post.kind == "repeats"]
            assert len(told) >= 5
            alike = [(a.key, b.key) for a in told for b in told if a.key < b.key and jaccard(a.text, b.text) > 0.3]
            assert alike == []

    @pytest.mark.parametrize(
        ("edit", "wanted"),
        [
            ("exact", "Uống đi."),
            ("emoji 🙏", "Uống đi. 🙏"),
            ("marks", "Uống đi!!!"),
            ("bare", "Uong di."),
            ("shout", "UỐNG ĐI."),
            ("end nha", "Uống đi nha"),
            ("last thôi", "Uống thôi."),
            ("label Tin giả", "Tin giả: Uống đi."),
            ("swap đi -> đừng", "Uống đừng."),
        ],
    )
    def test_each_edit_changes_what_it_says(self, edit: str, wanted: str) -> None:
        assert edited("Uống đi.", edit) == wanted

    @pytest.mark.parametrize("edit", ["scramble", "swap đi", "swap ăn -> uống"])
    def test_an_edit_that_cannot_be_made_is_refused(self, edit: str) -> None:
        with pytest.raises(ValueError, match=edit.split(maxsplit=1)[0]):
            edited("Uống đi.", edit)


class TestTraps:
    def test_every_trap_is_laid(self) -> None:
        laid = {name for post in posts().values() for name in post.traps}
        assert laid == script._TRAPS

    def test_posts_show_only_between_their_making_and_their_end(self) -> None:
        gone = next(post for post in posts().values() if "gone" in post.traps)
        late = next(post for post in posts().values() if "arrives" in post.traps)
        evening, morning = datetime.fromisoformat("2026-11-15T12:00Z"), INSTANT
        assert (gone.is_shown(gone.at), gone.is_shown(evening), gone.is_shown(morning)) == (False, True, False)
        assert (late.at < evening, late.is_shown(evening), late.is_shown(morning)) == (True, False, True)

    def test_an_edited_post_changes_its_words_when_it_is_edited(self) -> None:
        post = next(post for post in posts().values() if "edited" in post.traps)
        before, after = post.words(post.traps["edited"]), post.words(INSTANT)
        assert (before, post.edited_at(INSTANT)) == (post.text, post.traps["edited"])
        assert after.startswith(before)
        assert len(after) > len(before)


class TestRules:
    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ({"post": "suckhoe repeats vi 10-20 08:00", "text": "a", "colour": 1}, "unknown field colour"),
            ({"post": "suckhoe shouts vi 10-20 08:00", "text": "a"}, "unknown kind"),
            ({"post": "suckhoe repeats vi 10-18 08:00", "text": "a"}, "outside the four weeks"),
            ({"post": "tinyte reports vi 10-20 08:00", "text": "a"}, "articles have titles"),
            ({"post": "suckhoe boost vi 10-20 08:00"}, "boosts nothing"),
            ({"post": "suckhoe repeats vi 10-20 08:00", "text": "a", "copies": ["10-19 08:00 exact"]}, "older than"),
        ],
    )
    def test_a_post_that_breaks_a_rule_is_refused(self, entry: dict[str, Any], said: str) -> None:
        file = script._File(theme="t", claim=None, likes=(1, 1, 1, 1, 1))
        with pytest.raises(ValueError, match=said):
            script._check_together(list(script._posts(file, "t-01", entry)))

    def test_a_key_is_used_once(self) -> None:
        with pytest.raises(ValueError, match="share a key"):
            script._check_together([load_script()[0]] * 2)


def test_the_sources_show_a_gap_and_a_closed_door() -> None:
    sources = {source.name: source for source in demo_sources("http://127.0.0.1:1")}
    assert Counter(source.kind for source in sources.values()) == {"mastodon": 2, "feed": 4}
    assert all(source.expected_per_week > 0 and source.enabled for source in sources.values())
    blog = [post for post in posts().values() if post.place == "blog"]
    assert max(week_of(local_day(post.at, script.ZONE)) for post in blog) == "2026-W45"
