"""Carrying posts whole from one store into another, on every backend and between them."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from store_contents import everything, remove_indices, whole

from claimwatch.posts.base import BATCH, Assessed, Kept, Posts, Search, Work
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.records import CardState, Post, Stance, State
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

_VECTOR = bytes(range(32))
_NEAR_IT = bytes([1, *range(1, 32)])
_FAR = bytes(128 + n for n in range(32))


@pytest.fixture(params=["sqlite", pytest.param("elasticsearch", marks=pytest.mark.servers)])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Posts]]:
    """Makes empty stores of one kind, closed and removed at the end."""
    made: list[Posts] = []
    prefixes: list[str] = []

    def sqlite() -> Posts:
        made.append(SqlitePosts(tmp_path / f"{len(made)}/posts.db"))
        return made[-1]

    def elasticsearch() -> Posts:
        from claimwatch.posts.elastic import ElasticPosts

        prefixes.append(f"moving{uuid.uuid4().hex}")
        made.append(ElasticPosts.connect(f"elasticsearch+{url}/{prefixes[-1]}", key="", password="", ca=None))
        return made[-1]

    url = request.getfixturevalue("elasticsearch_url") if request.param == "elasticsearch" else ""
    yield elasticsearch if url else sqlite
    for store in made:
        store.close()
    for prefix in prefixes:
        remove_indices(url, prefix)


@pytest.fixture
def posts(make_store: Callable[[], Posts]) -> Posts:
    """The store that is tried."""
    return make_store()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Posts]:
    """The store on the other side: SQLite, so that the two kinds meet."""
    opened = SqlitePosts(tmp_path / "other/posts.db")
    yield opened
    opened.close()


def fill(posts: Posts) -> dict[str, Post]:
    """A store with a post of every kind."""
    seen = NOW + timedelta(microseconds=123456)
    made = {
        "plain": make_post("Garlic water cures it", edited_at=seen, created_at=seen, title="Tỏi"),
        "edited": make_post("Ginger cures it"),
        "deleted": make_post("Lemon cures it", state=State.DELETED),
        "undated": make_post("Onion cures it", created_at=None, author_key="", url=None, sealed_url="xyz"),
        "marked": make_post("Salt cures it", expires_at=NOW),
        "forgotten": make_post("Sugar cures it"),
        "unseen": make_post("Pepper cures it", first_seen=NOW + timedelta(days=1)),
    }
    posts.add(list(made.values()), token="t1")
    for model in ("m1", "m0"):
        said = [
            make_assessed(made[name], make_match(made[name]), model=model) for name in ("plain", "edited", "marked")
        ]
        posts.assess([replace(one, vector=_VECTOR, encoder="e1") for one in said])
    posts.match({made["plain"].text_hash: [make_match(made["plain"], "new-claim", similarity=0.7)]})
    posts.observe([make_observation(made["plain"]), make_observation(made["plain"], source="far", likes=9)])
    posts.place({made[name].id: made["plain"].id for name in ("plain", "edited", "marked")})
    edited = replace(made["edited"], text="Ginger cures all", text_hash="f" * 32, edited_at=seen)
    assert posts.add([edited], token="t2") == ["updated"]
    posts.expire(NOW, batch=7)
    posts.forget([made["forgotten"].id], NOW)
    posts.refresh()
    return made


def carry(source: Posts, target: Posts) -> None:
    source.refresh()
    target.load(everything(source))
    target.bury(source.tombstones())
    target.refresh()


def test_a_store_carried_over_and_back_is_the_same(posts: Posts, other: Posts, make_store: Callable[[], Posts]) -> None:
    made = fill(other)
    carry(other, posts)
    assert whole(everything(posts)) == whole(everything(other))
    assert len(everything(posts)) == len(made) - 1
    third = make_store()
    carry(posts, third)
    assert whole(everything(third)) == whole(everything(other))
    assert posts.tombstones() == other.tombstones() == [(made["forgotten"].id, NOW)]


def test_a_post_shows_all_that_hangs_on_it(posts: Posts) -> None:
    made = fill(posts)
    kept = {one.post.id: one for one in everything(posts)}
    plain, edited = kept[made["plain"].id], kept[made["edited"].id]
    assert [said.model for said in plain.assessments] == ["m1", "m0"]
    assert {match.claim for _, match in plain.matches} == {"garlic-cure", "new-claim"}
    assert (len(plain.observations), plain.vectors) == (2, (("e1", _VECTOR),))
    assert plain.writes == (("village", "t1", "stored"),)
    assert edited.post.state is State.EDITED
    assert {said.text_hash for said in edited.assessments} == {made["edited"].text_hash}
    assert edited.vectors == ()
    assert kept[made["marked"].id].batch == 7
    assert kept[made["deleted"].id].post.state is State.DELETED


def test_what_was_carried_counts_and_is_found_as_before(posts: Posts, other: Posts) -> None:
    made = fill(other)
    carry(other, posts)
    groups = [made["plain"].id]
    for ask in (
        lambda store: sorted(store.counts([DAY]), key=repr),
        lambda store: sorted(store.counts([DAY], without=[7]), key=repr),
        lambda store: store.accounts([DAY]),
        lambda store: store.tallies(groups, NOW + timedelta(hours=1)),
        lambda store: store.assessments(list(made)),
        lambda store: [post.id for post in store.pending(Work(stage="classify", model="m0"), range(256))],
        lambda store: [post.id for post in store.pending(Work(stage="group"), range(256))],
        lambda store: {post.id for post in store.search(Search(words="cures")).posts},
        lambda store: [post.id for post in store.kin(made["plain"].bands)],
        lambda store: store.matches([made["plain"].id]),
        lambda store: store.vectors("e1"),
        lambda store: store.scored([made["plain"].text_hash], "m1"),
    ):
        assert ask(posts) == ask(other)
    assert posts.search(Search()).posts[0].id == made["unseen"].id


def test_a_page_repeated_after_the_move_has_the_same_outcomes(posts: Posts, other: Posts) -> None:
    made = fill(other)
    carry(other, posts)
    names = ("plain", "undated", "unseen")
    assert posts.add([made[name] for name in names], token="t1") == ["stored"] * 3
    assert posts.add([made["forgotten"]], token="t9") == ["dropped(seen)"]
    assert posts.add([made["plain"]], token="t9") == ["unchanged"]


def test_carrying_again_is_harmless_and_takes_over_what_changed(posts: Posts, other: Posts) -> None:
    made = fill(other)
    carry(other, posts)
    before = whole(everything(posts))
    carry(other, posts)
    assert whole(everything(posts)) == before
    other.assess([make_assessed(made["unseen"], flag=False, stance=Stance.OTHER)])
    other.observe([make_observation(made["plain"], at=NOW + timedelta(hours=1), likes=50)])
    carry(other, posts)
    assert whole(everything(posts)) == whole(everything(other))
    assert sorted(posts.counts([DAY]), key=repr) == sorted(other.counts([DAY]), key=repr)


def test_what_is_carried_into_a_full_store_replaces_only_its_own(posts: Posts) -> None:
    mine, changed = make_post("Garlic water cures it"), make_post("Ginger tea cures it")
    posts.add([mine, changed], token="t1")
    posts.assess([replace(make_assessed(post), vector=_VECTOR, encoder="e1") for post in (mine, changed)])
    posts.refresh()
    posts.load([Kept(post=replace(changed, text="Ginger", text_hash="e" * 32))])
    posts.refresh()
    assert posts.get([changed.id])[changed.id].text == "Ginger"
    assert list(posts.assessments([mine.id, changed.id])) == [mine.id]
    assert [text_hash for text_hash, _ in posts.vectors("e1")] == [mine.text_hash]


def test_the_assessment_that_stands_last_holds(posts: Posts) -> None:
    post = make_post()
    said = tuple(make_assessment(post, model=model, flag=model == "m1") for model in ("m2", "m1"))
    posts.load([Kept(post=post, assessments=said)])
    posts.refresh()
    assert posts.assessments([post.id])[post.id].model == "m1"
    assert [row.status for row in posts.counts([DAY])] == ["flagged"]


def test_decided_cards_settle_what_is_loaded_later(posts: Posts) -> None:
    post = replace(make_post(), group="mastodon:g")
    posts.load([Kept(post=post, assessments=(make_assessment(post),))])
    card = make_card(post)
    posts.put_cards([card])
    posts.project([make_update(card)])
    posts.load([Kept(post=post, assessments=(make_assessment(post),))])
    posts.refresh()
    assert posts.card([card.id])[card.id].state is CardState.DECIDED
    assert [row.status for row in posts.counts([DAY])] == ["decided"]


def test_a_tombstone_never_covers_a_kept_post(posts: Posts) -> None:
    kept, gone = make_post(), make_post()
    posts.add([kept], token="t1")
    posts.bury([(kept.id, NOW), (gone.id, NOW - timedelta(days=3))])
    posts.refresh()
    assert posts.tombstones() == [(gone.id, NOW - timedelta(days=3))]
    assert posts.add([kept, gone], token="t2") == ["unchanged", "dropped(seen)"]
    assert posts.tombstones(after=gone.id) == []


def test_pages_hold_each_post_once(posts: Posts) -> None:
    made = [make_post(f"post number {number}") for number in range(BATCH // 50)]
    posts.add(made, token="t1")
    posts.refresh()
    assert [one.post.id for one in everything(posts)] == sorted(post.id for post in made)


def test_texts_near_a_vector_are_found_nearest_first(posts: Posts) -> None:
    made = [make_post(text) for text in ("the very same", "nearly the same", "the opposite", "of another encoder")]
    posts.add(made, token="t1")
    posts.assess(
        [
            Assessed(assessment=make_assessment(post), vector=vector, encoder=encoder)
            for post, vector, encoder in zip(
                made, (_VECTOR, _NEAR_IT, _FAR, _VECTOR), ("e1", "e1", "e1", "e2"), strict=True
            )
        ]
    )
    posts.refresh()
    found = posts.near("e1", _VECTOR, similarity=0.9)
    assert [text_hash for text_hash, _ in found] == [post.text_hash for post in made[:2]]
    assert [cosine for _, cosine in found] == pytest.approx([1.0, 0.99995], abs=1e-3)
    assert posts.near("e1", _VECTOR, similarity=0.9, limit=1) == found[:1]
    assert posts.near("e3", _VECTOR, similarity=-1.0) == []
