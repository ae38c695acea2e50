"""The promise of a posts store, on every backend: another one is one more parameter of `posts`."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from claimwatch.posts.base import Assessed, CountRow, Posts, Search, Tally, Work
from claimwatch.records import Action, Card, CardState, Match, Post, Stance, State
from claimwatch.stores import open_posts
from factories import (
    DAY,
    NOW,
    make_assessed,
    make_assessment,
    make_card,
    make_match,
    make_observation,
    make_post,
    make_update,
)

ALL = range(256)
HOUR = timedelta(hours=1)
CLASSIFY = Work(stage="classify", model="m1")
GROUP = Work(stage="group")


@pytest.fixture(params=["sqlite", pytest.param("elasticsearch", marks=pytest.mark.servers)])
def posts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Posts]:
    address = "sqlite" if request.param == "sqlite" else request.getfixturevalue("elasticsearch_prefix")
    opened = open_posts(address, tmp_path, credentials={})
    yield opened
    opened.close()


def keep(posts: Posts, *given: Post) -> Post:
    """Add posts, each a page of its own; the first of them."""
    for post in given:
        assert posts.add([post], token=f"page of {post.id} {post.collected_at}") == ["stored"]
    posts.refresh()
    return given[0]


def judge(posts: Posts, post: Post, *matches: Match, **said: object) -> Post:
    """Keep a post, assess it and place it in a group of its own or the one it names."""
    keep(posts, replace(post, group=None))
    posts.assess([make_assessed(post, *matches, **said)])
    posts.place({post.id: post.group or post.id})
    posts.refresh()
    return replace(post, group=post.group or post.id)


def open_card(posts: Posts, post: Post, **changes: object) -> Card:
    card = make_card(post, **changes)
    posts.put_cards([card])
    posts.refresh()
    return card


def kept(posts: Posts, post: Post) -> Post:
    return posts.get([post.id])[post.id]


def found(posts: Posts, words: str = "", **asked: object) -> list[str]:
    posts.refresh()
    return [post.id for post in posts.search(Search(words=words, **asked)).posts]  # type: ignore[arg-type]


def waiting(posts: Posts, work: Work, slots: range = ALL) -> list[str]:
    posts.refresh()
    return [post.id for post in posts.pending(work, slots)]


def counted(posts: Posts, *days: date, without: Collection[int] = ()) -> set[tuple[str, str, str, int]]:
    """(claim, stance, status, posts) of some days."""
    posts.refresh()
    rows = posts.counts(days or [DAY], without=without)
    return {(row.claim, row.stance, row.status, row.posts) for row in rows}


class TestAdding:
    def test_a_post_comes_back_as_it_was_given(self, posts: Posts) -> None:
        full = make_post(
            "Nước tỏi chữa được bệnh 🧄",
            title="Tin từ làng",
            created_at=NOW - timedelta(microseconds=1),
            edited_at=NOW,
            sealed_url="c2VhbGVk",
            reply_to="mastodon:aa",
            repost_of="mastodon:bb",
            expires_at=NOW + timedelta(days=30),
        )
        assert posts.add([full], token="t") == ["stored"]
        assert posts.get([full.id]) == {full.id: full}

    def test_a_post_without_anything_optional_comes_back_as_well(self, posts: Posts) -> None:
        bare = make_post("", created_at=None, author_key="", url=None)
        assert bare.bands == ()
        assert kept(posts, keep(posts, bare)) == bare

    def test_ids_that_are_not_kept_are_left_out(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        assert set(posts.get([post.id, "mastodon:unknown"])) == {post.id}
        assert posts.get([]) == {}

    def test_thousands_of_posts_go_in_and_come_out_at_once(self, posts: Posts) -> None:
        many = [make_post(f"number {n}", bands=()) for n in range(2_500)]
        assert posts.add(many, token="t") == ["stored"] * 2_500
        assert posts.get([post.id for post in many]) == {post.id: post for post in many}

    def test_a_post_copied_from_another_store_stays_in_its_group(self, posts: Posts) -> None:
        post = keep(posts, make_post(group="mastodon:head"))
        assert kept(posts, post) == post
        assert posts.kin(post.bands) == posts.members("mastodon:head") == [post]

    def test_no_posts_are_no_trouble(self, posts: Posts) -> None:
        assert posts.add([], token="t") == []

    def test_a_post_met_twice_is_kept_once(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        later = replace(post, collected_at=NOW + HOUR)
        assert posts.add([later], token="next page") == ["unchanged"]
        assert kept(posts, post) == post
        assert found(posts) == [post.id]

    def test_a_post_twice_on_one_page_is_unchanged_the_second_time(self, posts: Posts) -> None:
        post, other = make_post(), make_post("something else")
        assert posts.add([post, other, post], token="t") == ["stored", "stored", "unchanged"]

    def test_outcomes_stand_in_the_order_of_the_posts(self, posts: Posts) -> None:
        old, gone, new = make_post(), make_post(), make_post()
        keep(posts, old, gone)
        posts.forget([gone.id], NOW)
        assert posts.add([gone, new, old], token="t") == ["dropped(seen)", "stored", "unchanged"]

    def test_the_same_write_again_gives_the_same_outcomes(self, posts: Posts) -> None:
        page = [make_post(), make_post("two"), make_post("three")]
        posts.add(page[:1], token="before")
        first = posts.add([*page, page[2]], token="t")
        assert first == ["unchanged", "stored", "stored", "unchanged"]
        assert posts.add([*page, page[2]], token="t") == first

    def test_a_repeated_write_gives_the_same_outcomes_though_another_source_came_between(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        edit = replace(post, text="Edited", edited_at=NOW, text_hash="ed" * 16)
        assert posts.add([edit], token="edit") == ["updated"]
        assert posts.add([replace(edit, source="town")], token="town's") == ["unchanged"]
        assert posts.add([edit], token="edit") == ["updated"]

    def test_two_sources_with_one_token_answer_for_themselves(self, posts: Posts) -> None:
        post = make_post()
        assert posts.add([post], token="t") == ["stored"]
        assert posts.add([replace(post, source="town")], token="t") == ["unchanged"]
        assert posts.add([post], token="t") == ["stored"]

    def test_another_token_is_another_write(self, posts: Posts) -> None:
        post = make_post()
        assert posts.add([post], token="one") == ["stored"]
        assert posts.add([post], token="two") == ["unchanged"]


class TestEditing:
    def edit(self, post: Post, text: str = "It was vinegar, not garlic", **changes: object) -> Post:
        fresh = make_post(text)
        made = replace(post, text=text, text_hash=fresh.text_hash, bands=fresh.bands, slot=fresh.slot)
        return replace(made, **({"edited_at": NOW + HOUR} | changes))  # type: ignore[arg-type]

    def test_a_later_edit_replaces_the_text(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        edit = self.edit(post, title="Corrected", language="vi")
        assert posts.add([edit], token="t") == ["updated"]
        now = kept(posts, post)
        assert (now.title, now.text, now.text_hash, now.language) == ("Corrected", edit.text, edit.text_hash, "vi")
        assert (now.bands, now.slot, now.edited_at, now.state) == (edit.bands, edit.slot, NOW + HOUR, State.EDITED)

    def test_an_edit_never_moves_the_post(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        later = self.edit(
            post, first_seen=NOW + HOUR, author_key="another quarter", day=DAY + timedelta(days=1), source="town"
        )
        assert posts.add([later], token="t") == ["updated"]
        now = kept(posts, post)
        assert (now.first_seen, now.author_key, now.day, now.source) == (NOW, post.author_key, DAY, "village")

    @pytest.mark.parametrize("ago", [timedelta(0), HOUR])
    def test_an_edit_that_is_no_later_replaces_nothing(self, posts: Posts, ago: timedelta) -> None:
        post = keep(posts, make_post(edited_at=NOW))
        assert posts.add([self.edit(post, edited_at=NOW - ago)], token="t") == ["unchanged"]
        assert kept(posts, post) == post

    def test_without_edit_times_the_same_source_replaces_the_text(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        assert posts.add([self.edit(post, edited_at=None)], token="t") == ["updated"]
        assert kept(posts, post).text == "It was vinegar, not garlic"

    def test_without_edit_times_another_source_replaces_nothing(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        assert posts.add([self.edit(post, edited_at=None, source="town")], token="t") == ["unchanged"]
        assert kept(posts, post) == post

    def test_a_sight_without_edit_time_never_replaces_a_text_that_has_one(self, posts: Posts) -> None:
        post = keep(posts, make_post(edited_at=NOW))
        assert posts.add([self.edit(post, edited_at=None)], token="t") == ["unchanged"]

    def test_a_first_edit_time_is_a_later_edit(self, posts: Posts) -> None:
        post = keep(posts, make_post(edited_at=None))
        assert posts.add([self.edit(post, source="town")], token="t") == ["updated"]

    def test_an_edit_of_nothing_is_unchanged_but_remembered(self, posts: Posts) -> None:
        post = keep(posts, make_post(edited_at=NOW))
        assert posts.add([replace(post, edited_at=NOW + 2 * HOUR)], token="a") == ["unchanged"]
        assert posts.add([self.edit(post, edited_at=NOW + HOUR)], token="b") == ["unchanged"]
        assert kept(posts, post).text == post.text

    def test_a_replaced_text_is_assessed_and_grouped_anew(self, posts: Posts) -> None:
        post = judge(posts, make_post(), make_match(make_post()))
        edit = self.edit(post)
        posts.add([edit], token="t")
        assert waiting(posts, CLASSIFY) == [post.id]
        assert waiting(posts, GROUP) == []
        assert kept(posts, post).group is None
        assert not posts.assessments([post.id])
        assert not posts.matches([post.id])
        assert posts.kin(post.bands) == posts.members(post.id) == []
        assert counted(posts) == {("", "", "new", 1)}
        posts.assess([make_assessed(edit, flag=False)])
        assert waiting(posts, GROUP) == [post.id]

    def test_a_text_that_comes_back_is_assessed_anew(self, posts: Posts) -> None:
        post = judge(posts, make_post())
        posts.add([self.edit(post)], token="a")
        posts.add([replace(post, edited_at=NOW + 2 * HOUR)], token="b")
        assert waiting(posts, CLASSIFY) == [post.id]
        assert posts.assessments([post.id]) == {}

    def test_an_edited_post_is_found_by_its_new_words_alone(self, posts: Posts) -> None:
        post = judge(posts, make_post("onions in the socks"))
        posts.add([self.edit(post, "vinegar in the socks")], token="t")
        for order in ("newest", "relevance", "urgent"):
            assert found(posts, "onions", order=order) == []
        assert found(posts, "vinegar") == found(posts, "socks") == found(posts, "the socks") == [post.id]

    def test_the_open_card_that_an_edit_left_empty_goes_once_the_post_is_elsewhere(self, posts: Posts) -> None:
        post, other = judge(posts, make_post()), judge(posts, make_post("something else"))
        open_card(posts, post)
        posts.add([edit := self.edit(post)], token="t")
        posts.assess([make_assessed(edit)])
        posts.place({post.id: other.id})
        posts.refresh()
        assert posts.cards() == []

    def test_the_open_card_of_another_head_goes_with_the_edit_of_its_last_post(self, posts: Posts) -> None:
        head = judge(posts, make_post())
        last = judge(posts, replace(make_post(), group=head.id))
        open_card(posts, head)
        posts.forget([head.id], NOW)
        assert head.id in posts.card([head.id])
        posts.add([self.edit(last)], token="t")
        assert posts.card([head.id]) == {}


class TestPendingForClassify:
    def test_new_posts_wait_in_the_order_of_their_ids(self, posts: Posts) -> None:
        ids = ["a:3", "a:1", "b:2"]
        posts.add([make_post(id=id_) for id_ in ids], token="t")
        assert waiting(posts, CLASSIFY) == sorted(ids)

    def test_a_pass_goes_on_after_its_last_post(self, posts: Posts) -> None:
        posts.add([make_post(id=f"a:{n}") for n in range(5)], token="t")
        posts.refresh()
        first = posts.pending(CLASSIFY, ALL, limit=2)
        second = posts.pending(CLASSIFY, ALL, after=first[-1], limit=2)
        assert [post.id for post in first + second] == ["a:0", "a:1", "a:2", "a:3"]

    @pytest.mark.parametrize(("slots", "expected"), [(range(128), ["a:0", "a:5"]), (range(1, 256, 2), ["a:5", "a:9"])])
    def test_only_the_asked_slots_are_given(self, posts: Posts, slots: range, expected: list[str]) -> None:
        posts.add([make_post(id="a:0", slot=0), make_post(id="a:5", slot=5), make_post(id="a:9", slot=255)], token="t")
        assert waiting(posts, CLASSIFY, slots) == expected
        posts.assess([make_assessed(post) for post in posts.pending(CLASSIFY, ALL)])
        assert waiting(posts, GROUP, slots) == expected

    def test_an_assessed_post_waits_no_more(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        posts.assess([make_assessed(post)])
        assert waiting(posts, CLASSIFY) == []

    def test_a_deleted_post_waits_for_nothing(self, posts: Posts) -> None:
        post = keep(posts, make_post(state=State.DELETED))
        assert waiting(posts, CLASSIFY) == []
        posts.assess([make_assessed(post)])
        assert waiting(posts, GROUP) == []

    def test_a_new_model_sees_again_what_was_collected_lately(self, posts: Posts) -> None:
        old, new = make_post(collected_at=NOW - timedelta(days=20)), make_post(collected_at=NOW)
        judge(posts, old)
        judge(posts, new)
        assert waiting(posts, Work(stage="classify", model="m2")) == []
        assert waiting(posts, Work(stage="classify", model="m2", since=NOW)) == [new.id]
        assert waiting(posts, Work(stage="classify", model="m2", since=NOW + HOUR)) == []

    def test_a_new_model_sees_again_what_stands_on_an_open_card(self, posts: Posts) -> None:
        head, copy = judge(posts, make_post()), make_post()
        judge(posts, replace(copy, group=head.id))
        card = open_card(posts, head)
        assert waiting(posts, Work(stage="classify", model="m2")) == sorted([head.id, copy.id])
        assert waiting(posts, CLASSIFY) == []
        posts.project([make_update(card)])
        assert waiting(posts, Work(stage="classify", model="m2")) == []

    def test_a_model_is_asked_once_even_if_another_spoke_since(self, posts: Posts) -> None:
        post = judge(posts, make_post())
        posts.assess([make_assessed(post, model="m2")])
        for model in ("m1", "m2"):
            assert waiting(posts, Work(stage="classify", model=model, since=NOW)) == []

    def test_new_and_seen_posts_wait_in_one_order(self, posts: Posts) -> None:
        judge(posts, make_post(id="a:2"))
        posts.add([make_post(id="a:1"), make_post(id="a:3")], token="t")
        again = Work(stage="classify", model="m2", since=NOW)
        assert waiting(posts, again) == ["a:1", "a:2", "a:3"]
        first = posts.pending(again, ALL, limit=2)
        assert [post.id for post in posts.pending(again, ALL, after=first[-1])] == ["a:3"]


class TestPendingForGroup:
    def test_assessed_posts_wait_oldest_first(self, posts: Posts) -> None:
        given = [
            make_post(id="a:1", collected_at=NOW + HOUR),
            make_post(id="a:3", collected_at=NOW),
            make_post(id="a:2", collected_at=NOW),
        ]
        posts.add(given, token="t")
        assert waiting(posts, GROUP) == []
        posts.assess([make_assessed(post) for post in given])
        assert waiting(posts, GROUP) == ["a:2", "a:3", "a:1"]
        first = posts.pending(GROUP, ALL, limit=1)
        assert [post.id for post in posts.pending(GROUP, ALL, after=first[-1])] == ["a:3", "a:1"]

    def test_a_placed_post_waits_no_more(self, posts: Posts) -> None:
        judge(posts, make_post())
        assert waiting(posts, GROUP) == []


class TestAssessing:
    def test_an_assessment_comes_back_as_it_was_given(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        said = make_assessment(post, stance=None, p_false=0.123, on_topic=False, flag=False, why="the gate said no")
        posts.assess([Assessed(assessment=said)])
        assert posts.assessments([post.id, "mastodon:unknown"]) == {post.id: said}

    def test_the_newest_opinion_is_given(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        posts.assess([make_assessed(post, model="m2", p_false=0.4)])
        posts.assess([make_assessed(post, model="m1", p_false=0.6)])
        assert posts.assessments([post.id])[post.id].model == "m1"

    def test_an_old_write_come_again_does_not_hide_a_newer_opinion(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        old = make_assessed(post, make_match(post, "old"), model="m1")
        posts.assess([old])
        posts.assess([make_assessed(post, make_match(post, "new"), model="m2")])
        posts.assess([old])
        assert posts.assessments([post.id])[post.id].model == "m2"
        assert [one.claim for one in posts.matches([post.id])[post.id]] == ["new"]

    def test_a_repeated_assessment_changes_nothing(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        for _ in range(2):
            posts.assess([make_assessed(post, make_match(post))])
        assert counted(posts) == {("garlic-cure", "repeats", "flagged", 1)}
        assert posts.matches([post.id]) == {post.id: [make_match(post)]}

    def test_a_post_whose_text_changed_meanwhile_stays_pending(self, posts: Posts) -> None:
        seen = keep(posts, make_post())
        edit = replace(seen, text="other words", text_hash="0" * 32, edited_at=NOW)
        posts.add([edit], token="t")
        posts.assess([replace(make_assessed(seen, make_match(seen)), expires_at=NOW + timedelta(days=180))])
        assert waiting(posts, CLASSIFY) == [seen.id]
        assert not posts.assessments([seen.id])
        assert not posts.matches([seen.id])
        assert kept(posts, seen).expires_at is None
        assert counted(posts) == {("", "", "new", 1)}

    def test_an_assessment_of_a_post_that_is_gone_is_ignored(self, posts: Posts) -> None:
        gone = make_post()
        posts.assess([replace(make_assessed(gone), vector=b"v", encoder="e")])
        assert not posts.assessments([gone.id])
        assert not posts.scored([gone.text_hash], "m1")
        assert posts.vectors("e") == []

    def test_an_assessment_may_move_the_expiry(self, posts: Posts) -> None:
        post = keep(posts, make_post(expires_at=NOW))
        posts.assess([replace(make_assessed(post), expires_at=NOW + timedelta(days=180))])
        assert kept(posts, post).expires_at == NOW + timedelta(days=180)
        posts.assess([make_assessed(post, model="m2")])
        assert kept(posts, post).expires_at == NOW + timedelta(days=180)

    def test_matches_come_nearest_first(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        near, far = make_match(post, "steam", similarity=0.8), make_match(post, "salt", similarity=0.7, confirmed=False)
        posts.assess([make_assessed(post, far, near)])
        assert posts.matches([post.id]) == {post.id: [near, far]}

    def test_another_models_matches_take_the_place_of_the_first(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        posts.assess([make_assessed(post, make_match(post, "old"), model="m1")])
        posts.assess([make_assessed(post, make_match(post, "new", similarity=0.5), model="m2")])
        assert [one.claim for one in posts.matches([post.id])[post.id]] == ["new"]
        assert {row[0] for row in counted(posts)} == {"new"}

    def test_what_a_model_said_of_a_text_is_known_for_every_post_of_it(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        said = make_assessed(post, make_match(post, "steam", similarity=0.8), make_match(post, "salt", similarity=0.7))
        posts.assess([said])
        posts.refresh()
        known = posts.scored([post.text_hash, "0" * 32], "m1")
        assert set(known) == {post.text_hash}
        assert known[post.text_hash].assessment == said.assessment
        assert known[post.text_hash].matches == said.matches
        assert posts.scored([post.text_hash], "m2") == {}

    def test_one_answer_per_text_is_enough(self, posts: Posts) -> None:
        one, two = make_post(), make_post()
        keep(posts, one, two)
        posts.assess([make_assessed(one), make_assessed(two)])
        posts.refresh()
        known = posts.scored([one.text_hash], "m1")
        assert known[one.text_hash].assessment.post in {one.id, two.id}


class TestVectors:
    def with_vector(self, post: Post, vector: bytes, encoder: str = "e5") -> Assessed:
        return replace(make_assessed(post), vector=vector, encoder=encoder)

    def test_vectors_come_in_the_order_of_their_texts(self, posts: Posts) -> None:
        given = [make_post(text_hash=f"{n:032x}") for n in (3, 1, 2)]
        keep(posts, *given)
        posts.assess([self.with_vector(post, bytes([n])) for n, post in enumerate(given)])
        posts.refresh()
        expected = [(f"{1:032x}", b"\x01"), (f"{2:032x}", b"\x02"), (f"{3:032x}", b"\x00")]
        assert posts.vectors("e5") == expected
        assert posts.vectors("e5", limit=1) == expected[:1]
        assert posts.vectors("e5", after=expected[0][0], limit=1) == expected[1:2]
        assert posts.vectors("other") == []

    def test_a_text_has_one_vector_per_encoder(self, posts: Posts) -> None:
        one, two = make_post(), make_post()
        keep(posts, one, two)
        posts.assess([self.with_vector(one, b"a"), self.with_vector(two, b"b"), self.with_vector(two, b"c", "gate")])
        posts.refresh()
        assert posts.vectors("e5") == [(one.text_hash, b"b")]
        assert posts.vectors("gate") == [(one.text_hash, b"c")]

    def test_a_vector_goes_with_the_last_post_of_its_text(self, posts: Posts) -> None:
        one, two = make_post(), make_post()
        keep(posts, one, two)
        posts.assess([self.with_vector(one, b"a")])
        posts.forget([one.id], NOW)
        posts.refresh()
        assert posts.vectors("e5") == [(one.text_hash, b"a")]
        posts.forget([two.id], NOW)
        posts.refresh()
        assert posts.vectors("e5") == []


class TestMatching:
    def test_a_new_claims_match_reaches_every_post_of_the_text(self, posts: Posts) -> None:
        one, two = judge(posts, make_post()), judge(posts, make_post())
        other = judge(posts, make_post("a different text"))
        posts.match({one.text_hash: [replace(make_match(one, "new-claim"), post="ignored")]})
        wanted = {post.id: [make_match(post, "new-claim")] for post in (one, two)}
        assert posts.matches([one.id, two.id, other.id]) == wanted

    def test_the_nearest_claim_counts(self, posts: Posts) -> None:
        post = judge(posts, make_post(), make_match(make_post(), similarity=0.8), stance=Stance.ASKS, flag=False)
        assert counted(posts) == {("garlic-cure", "asks", "passed", 1)}
        posts.match({post.text_hash: [make_match(post, "nearer", similarity=0.85)]})
        assert counted(posts) == {("nearer", "asks", "passed", 1)}
        posts.match({post.text_hash: [make_match(post, "farther", similarity=0.75)]})
        assert counted(posts) == {("nearer", "asks", "passed", 1)}

    def test_a_repeated_match_is_kept_once(self, posts: Posts) -> None:
        post = judge(posts, make_post())
        for _ in range(2):
            posts.match({post.text_hash: [make_match(post, "new-claim")]})
        assert len(posts.matches([post.id])[post.id]) == 1

    def test_a_repeated_assessment_leaves_later_matches_alone(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        posts.assess([make_assessed(post, make_match(post))])
        posts.match({post.text_hash: [make_match(post, "new-claim", similarity=0.8)]})
        posts.assess([make_assessed(post, make_match(post))])
        assert [one.claim for one in posts.matches([post.id])[post.id]] == ["garlic-cure", "new-claim"]


class TestGroups:
    def test_kin_share_a_band(self, posts: Posts) -> None:
        one = judge(posts, make_post(bands=("00:aa", "01:bb")))
        two = judge(posts, make_post(bands=("00:cc", "01:dd")))
        three = judge(posts, make_post(bands=("00:aa", "01:dd")))
        assert posts.kin(["00:aa"]) == [one, three]
        assert posts.kin(["00:aa", "01:dd"]) == [one, two, three]
        assert posts.kin(["02:aa"]) == posts.kin([]) == []

    def test_kin_are_placed(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        assert posts.kin(post.bands) == []
        posts.place({post.id: post.id})
        posts.refresh()
        assert [one.id for one in posts.kin(post.bands)] == [post.id]

    def test_kin_come_oldest_first_by_time_and_id(self, posts: Posts) -> None:
        for id_, late in (("a:4", 1), ("a:3", 0), ("a:2", 2), ("a:1", 1)):
            judge(posts, make_post(id=id_, collected_at=NOW + late * HOUR, bands=("00:aa",)))
        assert [post.id for post in posts.kin(["00:aa"])] == ["a:3", "a:1", "a:4", "a:2"]
        assert [post.id for post in posts.kin(["00:aa"], limit=2)] == ["a:3", "a:1"]

    def test_a_forgotten_post_is_nobodys_kin(self, posts: Posts) -> None:
        post = judge(posts, make_post())
        posts.forget([post.id], NOW)
        posts.refresh()
        assert posts.kin(post.bands) == []

    def test_members_come_oldest_first(self, posts: Posts) -> None:
        for id_, late in (("a:3", 2), ("a:2", 0), ("a:1", 2)):
            judge(posts, make_post(id=id_, collected_at=NOW + late * HOUR, group="g"))
        assert [post.id for post in posts.members("g")] == ["a:2", "a:1", "a:3"]
        assert [post.id for post in posts.members("g", limit=1)] == ["a:2"]
        assert posts.members("other") == []

    def test_a_post_can_move_to_another_group(self, posts: Posts) -> None:
        one, two = judge(posts, make_post()), judge(posts, make_post())
        posts.place({two.id: one.id})
        posts.refresh()
        assert kept(posts, two).group == one.id
        assert [post.id for post in posts.members(one.id)] == sorted([one.id, two.id])
        assert posts.members(two.id) == []

    def test_placing_an_unknown_post_does_nothing(self, posts: Posts) -> None:
        posts.place({"mastodon:unknown": "g"})
        assert posts.members("g") == []


class TestTallies:
    def test_a_group_is_counted(self, posts: Posts) -> None:
        day = timedelta(days=1)
        dated = [NOW, NOW - day + HOUR, NOW - day, NOW - 8 * day + HOUR, NOW - 8 * day, NOW + HOUR]
        for created in dated:
            judge(posts, make_post(group="g", created_at=created))
        tally = posts.tallies(["g"], NOW)["g"]
        assert (tally.posts, tally.accounts, tally.last_day, tally.week_before) == (6, 6, 2, 2)

    def test_a_post_without_a_date_counts_when_it_was_collected(self, posts: Posts) -> None:
        judge(posts, make_post(group="g", created_at=None, collected_at=NOW - HOUR))
        assert posts.tallies(["g"], NOW)["g"].last_day == 1

    def test_unknown_authors_are_one_account(self, posts: Posts) -> None:
        for author in ("", "", "mai", "mai", "lan"):
            judge(posts, make_post(group="g", author_key=author))
        assert posts.tallies(["g"], NOW)["g"].accounts == 3

    def test_deleted_posts_are_left_out(self, posts: Posts) -> None:
        judge(posts, make_post(group="g"))
        judge(posts, make_post(group="g", state=State.DELETED))
        assert posts.tallies(["g"], NOW)["g"] == Tally(posts=1, accounts=1, engagement=0, last_day=1, week_before=0)

    def test_each_group_is_tallied_alone_and_empty_ones_are_missing(self, posts: Posts) -> None:
        judge(posts, make_post(group="g"))
        judge(posts, make_post(group="h"))
        assert {group: tally.posts for group, tally in posts.tallies(["g", "h", "i"], NOW).items()} == {"g": 1, "h": 1}

    def test_engagement_is_each_posts_largest_source_at_its_latest(self, posts: Posts) -> None:
        one, two = judge(posts, make_post(group="g")), judge(posts, make_post(group="g"))
        early, late = make_observation(one, likes=90, at=NOW - HOUR), make_observation(one, likes=5, at=NOW)
        elsewhere = make_observation(one, source="town", likes=None, shares=20, replies=None, views=1000)
        posts.observe([late, early, elsewhere, make_observation(two, likes=1, shares=None, replies=0)])
        posts.refresh()
        assert posts.tallies(["g"], NOW)["g"].engagement == 20 + 1

    def test_a_repeated_observation_is_ignored(self, posts: Posts) -> None:
        post = judge(posts, make_post())
        posts.observe([make_observation(post, likes=7)])
        posts.observe([make_observation(post, likes=900)])
        posts.refresh()
        assert posts.tallies([post.id], NOW)[post.id].engagement == 7 + 2 + 1

    def test_observations_of_posts_that_are_not_kept_are_ignored(self, posts: Posts) -> None:
        gone = make_post()
        posts.observe([make_observation(gone, likes=900)])
        judge(posts, gone)
        assert posts.tallies([gone.id], NOW)[gone.id].engagement == 0


class TestCards:
    def test_a_card_comes_back_as_it_was_given(self, posts: Posts) -> None:
        card = make_card(make_post(), claim=None, claim_similarity=None, engagement=12, updated_at=NOW + HOUR)
        posts.put_cards([card])
        assert posts.card([card.id, "unknown"]) == {card.id: card}

    def test_cards_come_most_urgent_first_then_by_id(self, posts: Posts) -> None:
        for id_, priority in (("b", 1.0), ("a", 1.0), ("c", 7.5)):
            open_card(posts, make_post(), id=id_, priority=priority)
        assert [card.id for card in posts.cards()] == ["c", "a", "b"]
        assert [card.id for card in posts.cards(after=(7.5, "c"), limit=1)] == ["a"]
        assert [card.id for card in posts.cards(after=(1.0, "a"))] == ["b"]
        assert posts.cards(after=(1.0, "b")) == []

    def test_cards_can_be_asked_for_by_state_language_and_claim(self, posts: Posts) -> None:
        one = open_card(posts, make_post(language="vi"))
        two = open_card(posts, make_post(language="en"), claim="steam")
        merged = open_card(posts, make_post(), state=CardState.MERGED, claim="steam")
        assert posts.cards(language="vi") == [one]
        assert posts.cards(claim="steam") == [two]
        assert posts.cards(CardState.MERGED) == [merged]
        assert {card.id for card in posts.cards(None)} == {one.id, two.id, merged.id}
        assert {card.id for card in posts.cards(None, claim="steam")} == {two.id, merged.id}
        assert posts.cards(CardState.DECIDED) == []

    def test_states_are_counted(self, posts: Posts) -> None:
        card = open_card(posts, make_post())
        open_card(posts, make_post())
        open_card(posts, make_post(), state=CardState.MERGED)
        posts.project([make_update(card)])
        posts.refresh()
        assert posts.count_cards() == {CardState.OPEN: 1, CardState.DECIDED: 1, CardState.MERGED: 1}

    def test_a_card_scored_anew_keeps_when_it_was_opened(self, posts: Posts) -> None:
        card = open_card(posts, make_post())
        again = replace(card, priority=9.0, posts=4, claim="steam", opened_at=NOW + HOUR, updated_at=NOW + HOUR)
        posts.put_cards([again])
        assert posts.card([card.id])[card.id] == replace(again, opened_at=NOW)

    def test_scoring_never_opens_a_decided_card_again(self, posts: Posts) -> None:
        card = open_card(posts, make_post())
        posts.project([make_update(card, claim="steam")])
        posts.put_cards([replace(card, priority=9.0)])
        now = posts.card([card.id])[card.id]
        assert (now.state, now.claim, now.number, now.priority) == (CardState.DECIDED, "steam", 1, 9.0)

    def test_scoring_with_an_old_card_does_not_let_an_old_decision_in(self, posts: Posts) -> None:
        card = open_card(posts, make_post())
        posts.project([make_update(card, action=None, number=2)])
        posts.put_cards([card])
        posts.project([make_update(card, number=1)])
        assert posts.card([card.id])[card.id].state is CardState.OPEN

    def test_cards_merge(self, posts: Posts) -> None:
        card = open_card(posts, make_post())
        posts.put_cards([replace(card, state=CardState.MERGED)])
        posts.refresh()
        assert posts.cards() == []
        assert posts.card([card.id])[card.id].state is CardState.MERGED


class TestProjecting:
    @pytest.mark.parametrize(
        ("action", "claim", "expected"),
        [
            (Action.REPEATS, "steam", ("steam", "repeats", "decided", 1)),
            (Action.NEW_CLAIM, "new-claim", ("new-claim", "repeats", "decided", 1)),
            (Action.REFUTES, "steam", ("steam", "refutes", "decided", 1)),
            (Action.REFUTES, None, ("garlic-cure", "refutes", "decided", 1)),
            (Action.ASKS, None, ("garlic-cure", "asks", "decided", 1)),
            (Action.NOT_HEALTH, None, ("", "other", "decided", 1)),
        ],
    )
    def test_a_decision_is_what_counts(
        self, posts: Posts, action: Action, claim: str | None, expected: tuple[str, str, str, int]
    ) -> None:
        post = judge(posts, make_post(), make_match(make_post()))
        card = open_card(posts, post)
        posts.project([make_update(card, action, claim=claim)])
        assert counted(posts) == {expected}
        now = posts.card([card.id])[card.id]
        assert (now.state, now.claim, now.number) == (CardState.DECIDED, claim, 1)

    def test_a_decision_reaches_every_post_of_the_group(self, posts: Posts) -> None:
        head = judge(posts, make_post())
        judge(posts, replace(make_post(), group=head.id), flag=False)
        judge(posts, make_post("another group"), flag=False)
        posts.project([make_update(open_card(posts, head))])
        assert counted(posts) == {("garlic-cure", "repeats", "decided", 2), ("", "repeats", "passed", 1)}

    def test_an_undone_decision_leaves_what_the_model_says(self, posts: Posts) -> None:
        post = judge(posts, make_post(), make_match(make_post()))
        before = counted(posts)
        card = open_card(posts, post)
        posts.project([make_update(card, claim="steam")])
        posts.project([make_update(card, None, number=2)])
        assert counted(posts) == before == {("garlic-cure", "repeats", "flagged", 1)}
        assert posts.card([card.id])[card.id] == replace(card, number=2)
        posts.refresh()
        assert [one.id for one in posts.cards()] == [card.id]

    def test_an_older_number_is_ignored_and_the_same_is_harmless(self, posts: Posts) -> None:
        post = judge(posts, make_post())
        card = open_card(posts, post)
        second = make_update(card, Action.REFUTES, number=2)
        posts.project([second, make_update(card, Action.REPEATS, number=1)])
        posts.project([second])
        assert counted(posts) == {("", "refutes", "decided", 1)}

    def test_a_skip_leaves_a_merged_card_merged(self, posts: Posts) -> None:
        card = open_card(posts, make_post(), state=CardState.MERGED)
        posts.project([make_update(card, None)])
        assert posts.card([card.id])[card.id].state is CardState.MERGED

    def test_an_update_of_a_card_that_is_gone_is_ignored(self, posts: Posts) -> None:
        posts.project([make_update(make_card(make_post()))])
        assert posts.cards(None) == []

    def test_a_post_placed_on_a_decided_card_inherits(self, posts: Posts) -> None:
        head = judge(posts, make_post())
        posts.project([make_update(open_card(posts, head))])
        judge(posts, replace(make_post(), group=head.id))
        assert counted(posts) == {("garlic-cure", "repeats", "decided", 2)}

    def test_a_new_opinion_leaves_a_decided_post_decided(self, posts: Posts) -> None:
        post = judge(posts, make_post())
        posts.project([make_update(open_card(posts, post))])
        posts.assess([make_assessed(post, make_match(post, "steam"), model="m2", stance=Stance.ASKS, flag=False)])
        assert counted(posts) == {("garlic-cure", "repeats", "decided", 1)}


class TestSearching:
    def test_without_words_everything_is_there_newest_first(self, posts: Posts) -> None:
        one, two, three = make_post(), make_post(), make_post()
        keep(posts, one, two, three)
        assert found(posts) == [three.id, two.id, one.id]
        assert found(posts, order="relevance") == [three.id, two.id, one.id]

    def test_all_words_are_required(self, posts: Posts) -> None:
        both, one = make_post("garlic and steam"), make_post("garlic alone")
        keep(posts, both, one)
        assert found(posts, "steam garlic") == [both.id]
        assert found(posts, "garlic") == [one.id, both.id]
        assert found(posts, "garlic vinegar") == []

    def test_titles_are_searched(self, posts: Posts) -> None:
        post = keep(posts, make_post("and so it goes", title="Vinegar again"))
        assert found(posts, "vinegar goes") == [post.id]

    @pytest.mark.parametrize("words", ["đông y", "dong y", "Đông Y", "ĐÔNG, y!", "đong ý"])
    def test_words_are_found_with_and_without_diacritics(self, posts: Posts, words: str) -> None:
        marked, bare = make_post("Thuốc Đông y gia truyền"), make_post("thuoc dong y gia truyen")
        keep(posts, marked, bare)
        assert found(posts, words) == [bare.id, marked.id]

    def test_the_last_word_may_go_on(self, posts: Posts) -> None:
        post = keep(posts, make_post("vaccination day"))
        assert found(posts, "vac") == found(posts, "day vaccin") == [post.id]
        assert found(posts, "va") == found(posts, "vaccin day") == []

    @pytest.mark.parametrize(
        "words",
        [
            '"',
            "garlic OR steam",
            "gar*",
            "NOT garlic",
            "text:garlic",
            "folded:garlic",
            "garlic AND",
            "(garlic",
            "^a",
            "-a",
        ],
    )
    def test_what_users_type_is_never_a_query_language(self, posts: Posts, words: str) -> None:
        keep(posts, make_post("onion and or not near"))
        assert found(posts, words) == []
        assert found(posts, words, order="relevance") == found(posts, words, order="urgent") == []

    def test_operators_are_words_like_others(self, posts: Posts) -> None:
        post = keep(posts, make_post("to be or not to be"))
        assert found(posts, "NOT to OR") == [post.id]

    def test_signs_alone_find_nothing(self, posts: Posts) -> None:
        keep(posts, make_post())
        assert found(posts, "!!! 🧄") == []
        assert len(found(posts, "  ")) == 1

    def test_filters_narrow_a_search(self, posts: Posts) -> None:
        vi = judge(posts, make_post(language="vi"), make_match(make_post()))
        town = judge(posts, make_post(source="town", language="en"), flag=False)
        for words in ("", "garlic"):
            for order in ("newest", "relevance"):
                assert found(posts, words, order=order, language="vi") == [vi.id]
                assert found(posts, words, order=order, source="town") == [town.id]
                assert found(posts, words, order=order, claim="garlic-cure") == [vi.id]
                assert found(posts, words, order=order, flagged=True) == [vi.id]
                assert found(posts, words, order=order, flagged=False) == [town.id]
                assert found(posts, words, order=order, language="vi", source="town") == []
                assert found(posts, words, order=order, flagged=True, language="en") == []

    def test_a_flag_stays_findable_once_decided(self, posts: Posts) -> None:
        post = judge(posts, make_post())
        posts.project([make_update(open_card(posts, post))])
        assert found(posts, flagged=True) == found(posts, "garlic", flagged=True) == [post.id]

    def test_a_new_opinion_moves_a_post_among_the_flagged(self, posts: Posts) -> None:
        post = judge(posts, make_post())
        posts.assess([make_assessed(post, model="m2", flag=False)])
        assert found(posts, "garlic", flagged=True) == found(posts, flagged=True) == []
        assert found(posts, "garlic", flagged=False) == [post.id]
        posts.assess([make_assessed(post, model="m3")])
        assert found(posts, "garlic", flagged=True) == [post.id]

    def test_the_most_relevant_come_first(self, posts: Posts) -> None:
        much = make_post("garlic garlic garlic")
        little = make_post("garlic is one of many things that people in the village keep in their kitchens")
        keep(posts, much, little, *(make_post(f"nothing of the kind {n}") for n in range(8)))
        assert found(posts, "garlic", order="relevance") == [much.id, little.id]
        assert found(posts, "garlic", order="newest") == [little.id, much.id]

    def test_relevance_over_all_names_no_window(self, posts: Posts) -> None:
        keep(posts, make_post())
        assert posts.search(Search(words="garlic", order="relevance")).window is None

    def test_the_most_urgent_come_first_with_words_and_without(self, posts: Posts) -> None:
        low, high, decided = (judge(posts, make_post(f"garlic {n}")) for n in range(3))
        judge(posts, make_post("garlic, not flagged"), flag=False)
        open_card(posts, low, priority=1.0)
        open_card(posts, high, priority=5.0)
        posts.project([make_update(open_card(posts, decided, priority=9.0))])
        for words in ("", "garlic"):
            assert found(posts, words, order="urgent") == [high.id, low.id, decided.id]
        assert found(posts, "garlic", order="urgent", flagged=False) == []

    @pytest.mark.parametrize("order", ["newest", "relevance", "urgent"])
    @pytest.mark.parametrize("words", ["", "garlic"])
    def test_pages_follow_one_another(self, posts: Posts, order: str, words: str) -> None:
        for n in range(5):
            judge(posts, make_post(f"garlic {'and more ' * n}"))
        posts.refresh()
        whole = found(posts, words, order=order)
        pages = [
            posts.search(Search(words=words, order=order, offset=start, limit=2))  # type: ignore[arg-type]
            for start in (0, 2, 4)
        ]
        assert [post.id for page in pages for post in page.posts] == whole
        assert [page.more for page in pages] == [True, True, False]
        assert len(set(whole)) == 5

    def test_deleted_posts_are_left_out(self, posts: Posts) -> None:
        judge(posts, make_post(state=State.DELETED))
        for order in ("newest", "relevance", "urgent"):
            assert found(posts, order=order) == found(posts, "garlic", order=order) == []


class TestCounts:
    def test_a_new_post_counts_as_new(self, posts: Posts) -> None:
        keep(posts, make_post(language="vi"))
        row = CountRow(day=DAY, claim="", language="vi", source="village", stance="", status="new", posts=1)
        assert posts.counts([DAY]) == [row]

    def test_posts_that_share_all_properties_are_one_row(self, posts: Posts) -> None:
        keep(posts, make_post(), make_post(), make_post(source="town"))
        posts.refresh()
        assert sorted((row.source, row.posts) for row in posts.counts([DAY])) == [("town", 1), ("village", 2)]

    def test_only_the_asked_days_are_counted(self, posts: Posts) -> None:
        keep(posts, make_post(), make_post(day=DAY - timedelta(days=1)), make_post(day=DAY - timedelta(days=2)))
        posts.refresh()
        days = {row.day for row in posts.counts([DAY, DAY - timedelta(days=2), DAY - timedelta(days=9)])}
        assert days == {DAY, DAY - timedelta(days=2)}
        assert posts.counts([]) == []

    @pytest.mark.parametrize(("flag", "status"), [(True, "flagged"), (False, "passed")])
    def test_an_assessed_post_counts_as_assessed(self, posts: Posts, flag: bool, status: str) -> None:
        judge(posts, make_post(), flag=flag, stance=None)
        assert counted(posts) == {("", "", status, 1)}

    def test_deleted_posts_are_not_counted(self, posts: Posts) -> None:
        keep(posts, make_post(state=State.DELETED))
        assert counted(posts) == set()

    def test_a_post_that_a_source_shows_as_deleted_is_counted_and_found_no_more(self, posts: Posts) -> None:
        post = judge(posts, make_post())
        assert posts.add([replace(post, state=State.DELETED)], token="t") == ["updated"]
        assert counted(posts) == set()
        assert found(posts) == found(posts, "garlic") == []
        assert posts.add([replace(post, edited_at=NOW + HOUR, text="back")], token="u") == ["unchanged"]
        assert kept(posts, post).state is State.DELETED

    def test_forgotten_posts_are_not_counted(self, posts: Posts) -> None:
        keep(posts, post := make_post(), make_post())
        posts.forget([post.id], NOW)
        assert counted(posts) == {("", "", "new", 1)}


class TestAccounts:
    def test_accounts_that_repeat_a_claim_are_counted_once(self, posts: Posts) -> None:
        for author in ("mai", "mai", "lan", "", ""):
            judge(posts, (post := make_post(author_key=author)), make_match(post))
        assert posts.accounts([DAY]) == {"garlic-cure": (3, 3)}

    def test_only_posts_that_repeat_a_claim_count(self, posts: Posts) -> None:
        judge(posts, (post := make_post()), make_match(post), stance=Stance.REFUTES)
        judge(posts, (post := make_post()), make_match(post), stance=None)
        judge(posts, (post := make_post()), make_match(post), flag=False)
        judge(posts, make_post())
        keep(posts, make_post())
        posts.refresh()
        assert posts.accounts([DAY]) == {}

    def test_what_was_decided_counts(self, posts: Posts) -> None:
        post = judge(posts, make_post(), make_match(make_post()), stance=Stance.ASKS)
        posts.project([make_update(open_card(posts, post), Action.REPEATS, claim="steam")])
        posts.refresh()
        assert posts.accounts([DAY]) == {"steam": (1, 1)}

    def test_only_the_asked_days_count(self, posts: Posts) -> None:
        judge(posts, (post := make_post(day=DAY - timedelta(days=7))), make_match(post))
        assert posts.accounts([DAY]) == {}
        assert posts.accounts([DAY, DAY - timedelta(days=7)]) == {"garlic-cure": (1, 1)}

    def test_two_quarters_give_a_range(self, posts: Posts) -> None:
        old, new = datetime(2026, 12, 31, 23, 59, tzinfo=UTC), datetime(2027, 1, 1, 0, 0, tzinfo=UTC)
        for at, author in ((old, "a"), (old, "b"), (new, "c"), (new, "d"), (new, "e")):
            post = make_post(author_key=author, first_seen=at, collected_at=at, created_at=at, day=at.date())
            judge(posts, post, make_match(post))
        days = [old.date(), new.date()]
        assert posts.accounts(days) == {"garlic-cure": (3, 5)}
        assert posts.accounts(days[:1]) == {"garlic-cure": (2, 2)}

    def test_deleted_posts_do_not_count(self, posts: Posts) -> None:
        judge(posts, (post := make_post(state=State.DELETED)), make_match(post))
        assert posts.accounts([DAY]) == {}


class TestPurging:
    def old(self, **changes: object) -> Post:
        return make_post(**({"expires_at": NOW} | changes))  # type: ignore[arg-type]

    def test_expired_posts_are_marked_and_counted(self, posts: Posts) -> None:
        keep(posts, self.old(), self.old(expires_at=NOW + HOUR), self.old(expires_at=None))
        rows = posts.expire(NOW, batch=1)
        assert [(row.status, row.posts) for row in rows] == [("new", 1)]

    def test_nothing_expired_gives_no_rows(self, posts: Posts) -> None:
        keep(posts, self.old(expires_at=NOW + HOUR))
        assert posts.expire(NOW, batch=1) == []

    def test_a_marked_post_counts_until_its_batch_is_committed(self, posts: Posts) -> None:
        keep(posts, self.old(), make_post())
        before = counted(posts)
        posts.expire(NOW, batch=3)
        assert counted(posts) == counted(posts, without=[1, 2]) == before == {("", "", "new", 2)}
        assert counted(posts, without=[3]) == {("", "", "new", 1)}

    def test_every_post_is_counted_in_exactly_one_place(self, posts: Posts) -> None:
        for n in range(7):
            judge(posts, (post := self.old(day=DAY - timedelta(days=n % 2))), make_match(post), flag=n % 3 == 0)
        days = [DAY, DAY - timedelta(days=1)]
        posts.refresh()
        before = sorted(posts.counts(days), key=repr)
        rows = posts.expire(NOW, batch=1)
        posts.refresh()
        assert sorted(rows, key=repr) == before
        assert posts.counts(days, without=[1]) == []
        assert posts.sweep(1, NOW) == 7
        posts.refresh()
        assert posts.counts(days, without=[1]) == posts.counts(days) == []

    def test_marking_again_with_the_same_number_gives_the_same_counts(self, posts: Posts) -> None:
        keep(posts, self.old(), self.old(), self.old())
        first = posts.expire(NOW, batch=1, limit=2)
        assert sum(row.posts for row in first) == 2
        assert posts.expire(NOW, batch=1, limit=2) == first

    def test_the_next_number_takes_the_rest(self, posts: Posts) -> None:
        keep(posts, self.old(), self.old(), self.old())
        assert [sum(row.posts for row in posts.expire(NOW, batch=batch, limit=2)) for batch in (1, 2, 3)] == [2, 1, 0]

    def test_sweeping_deletes_the_batch_alone_and_once(self, posts: Posts) -> None:
        gone, left = self.old(), make_post()
        keep(posts, gone, left)
        posts.expire(NOW, batch=1)
        assert posts.sweep(2, NOW) == 0
        assert posts.sweep(1, NOW) == 1
        assert posts.sweep(1, NOW) == 0
        assert set(posts.get([gone.id, left.id])) == {left.id}
        assert found(posts) == [left.id]

    def test_a_swept_post_may_be_met_again(self, posts: Posts) -> None:
        keep(posts, post := self.old())
        posts.expire(NOW, batch=1)
        posts.sweep(1, NOW)
        assert posts.add([post], token="t") == ["stored"]

    @pytest.mark.parametrize("changes", [{"created_at": None}, {"source": "import:archive"}])
    def test_an_imported_or_undated_post_leaves_a_tombstone(self, posts: Posts, changes: dict[str, object]) -> None:
        keep(posts, post := self.old(**changes))
        posts.expire(NOW, batch=1)
        posts.sweep(1, NOW)
        assert posts.add([post], token="t") == ["dropped(seen)"]

    def test_deleted_posts_expire_as_well_and_leave_a_tombstone(self, posts: Posts) -> None:
        keep(posts, post := self.old(state=State.DELETED))
        assert posts.expire(NOW, batch=1) == []
        posts.sweep(1, NOW)
        assert posts.get([post.id]) == {}
        assert posts.add([post], token="t") == ["dropped(seen)"]

    def test_the_card_goes_with_the_last_post_of_its_group(self, posts: Posts) -> None:
        head = judge(posts, self.old())
        judge(posts, self.old(group=head.id, expires_at=NOW + HOUR))
        open_card(posts, head)
        posts.expire(NOW, batch=1)
        posts.sweep(1, NOW)
        assert head.id in posts.card([head.id])
        posts.expire(NOW + HOUR, batch=2)
        posts.sweep(2, NOW)
        assert posts.card([head.id]) == {}


class TestForgetting:
    def test_a_forgotten_post_is_gone_with_all_that_hangs_on_it(self, posts: Posts) -> None:
        post = judge(posts, make_post(), make_match(make_post()))
        posts.observe([make_observation(post)])
        open_card(posts, post)
        assert posts.forget([post.id], NOW) == 1
        posts.refresh()
        left: list[object] = [posts.get([post.id]), posts.assessments([post.id]), posts.matches([post.id])]
        left += [posts.scored([post.text_hash], "m1"), posts.card([post.id]), posts.tallies([post.id], NOW)]
        left += [posts.members(post.id), posts.kin(post.bands), posts.cards(None)]
        assert not any(left)
        for order in ("newest", "relevance", "urgent"):
            assert found(posts, order=order) == found(posts, "garlic", order=order) == []

    def test_a_forgotten_post_is_never_taken_in_again(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        posts.forget([post.id], NOW)
        assert posts.add([post, post], token="t") == ["dropped(seen)", "dropped(seen)"]
        assert posts.get([post.id]) == {}

    def test_forgetting_twice_is_harmless(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        assert [posts.forget([post.id], NOW), posts.forget([post.id], NOW)] == [1, 0]
        assert posts.forget([], NOW) == 0

    def test_others_of_the_group_stay_with_their_card(self, posts: Posts) -> None:
        head = judge(posts, make_post())
        copy = judge(posts, replace(make_post(), group=head.id))
        open_card(posts, head)
        posts.forget([head.id], NOW)
        posts.refresh()
        assert [post.id for post in posts.members(head.id)] == [copy.id]
        assert head.id in posts.card([head.id])

    def test_a_card_written_before_its_group_goes_with_its_head(self, posts: Posts) -> None:
        post = keep(posts, make_post())
        open_card(posts, post)
        posts.forget([post.id], NOW)
        assert posts.card([post.id]) == {}

    def test_tombstones_stand_for_four_hundred_days(self, posts: Posts) -> None:
        keep(posts, post := make_post(), other := make_post())
        posts.forget([post.id], NOW)
        posts.forget([other.id], NOW + timedelta(days=399))
        assert posts.add([post], token="a") == ["dropped(seen)"]
        posts.expire(NOW + timedelta(days=401), batch=1)
        assert posts.add([post], token="b") == ["stored"]
