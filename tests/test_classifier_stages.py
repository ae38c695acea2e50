"""Classify, group, queue: what a new post goes through, on real stores."""

from dataclasses import replace
from datetime import timedelta
from math import log2

import pytest
from conftest import NOW, at
from fakes import WordModel

from claimwatch.desk import Desk
from claimwatch.ledger import claims, decisions, runs, sources, users
from claimwatch.ledger.decisions import Judgement
from claimwatch.posts.base import Search, Work
from claimwatch.projector import project_decisions
from claimwatch.records import Action, Card, CardState, Claim, Observation, Post, Role
from claimwatch.text.copies import bands
from claimwatch.text.fold import slot_of, text_hash
from classifier.cards import growth, reach, rescore
from classifier.classify import classify_new_posts
from classifier.grouping import group_new_posts
from factories import make_post

SAYS = "everybody should eat raw garlic every single morning because garlic kills the corona virus in two days"


def keep(desk: Desk, number: int, text: str = SAYS, **rest: object) -> Post:
    """Add a post as a crawl would, with the keys that its text gives it."""
    body = text_hash(text)
    post = make_post(
        id=f"mastodon:{number:04d}",
        text=text,
        text_hash=body,
        slot=slot_of(body),
        bands=bands(text),
        collected_at=NOW + timedelta(seconds=number),
        created_at=NOW - timedelta(hours=1),
        author_key=f"author {number}",
        **rest,
    )
    desk.posts.add([post], token=f"t{number}")
    return post


def work(desk: Desk, model: WordModel | None = None) -> WordModel:
    """One pass of every stage."""
    used = model or WordModel()
    with desk.ledger.write() as db:
        claims.seed(db, [Claim(id="garlic-cure", statement={"en": "Garlic cures COVID"}, harm=3)], NOW)
    classify_new_posts(desk, used)
    group_new_posts(desk, "test")
    rescore(desk)
    return used


def open_cards(desk: Desk) -> list[Card]:
    return desk.posts.cards(CardState.OPEN)


def decide(desk: Desk, card: Card, action: Action = Action.REPEATS) -> None:
    head = desk.posts.get([card.head])[card.head]
    with desk.ledger.write() as db:
        user = users.by_name(db, "mai") or users.add(db, "mai", "a long password", Role.MODERATOR, NOW)
        judged = Judgement(
            card=card.id, seen=card.number, action=action, user=user.id, post=head.id, text_hash=head.text_hash,
            text=head.text, language="en", model="words-1", p_false=0.9, flag=True, claim="garlic-cure",
        )  # fmt: skip
        decisions.add(db, judged, NOW)
    project_decisions(desk)


class TestClassify:
    def test_every_post_ends_in_one_outcome_and_a_second_pass_finds_nothing(self, desk: Desk) -> None:
        for number, text in enumerate([SAYS, "good morning", "garlic is fake", "garlic works?"]):
            keep(desk, number, text)
        model = WordModel()
        assert classify_new_posts(desk, model) == {"flagged": 1, "passed": 3}
        assert classify_new_posts(desk, model) == {}
        with desk.ledger.read() as db:
            done = runs.between(db, NOW, NOW + timedelta(days=1), stage="classify")
            assert [(run.status, dict(runs.outcomes(db, run.id))) for run in done] == [
                ("done", {"flagged": 1, "passed": 3}),
                ("done", {}),
            ]

    def test_a_text_is_judged_once_however_often_it_is_posted(self, desk: Desk) -> None:
        for number in range(5):
            keep(desk, number)
        model = WordModel()
        classify_new_posts(desk, model)
        keep(desk, 9, SAYS.upper())
        classify_new_posts(desk, model)
        assert model.judged == [SAYS]
        said = desk.posts.assessments([f"mastodon:{n:04d}" for n in (0, 4, 9)])
        assert all(one.flag for one in said.values())
        assert len(said) == 3

    def test_flagged_posts_are_kept_longer(self, desk: Desk) -> None:
        flagged, passed = keep(desk, 1), keep(desk, 2, "good morning", expires_at=NOW + timedelta(days=30))
        work(desk)
        kept = desk.posts.get([flagged.id, passed.id])
        assert kept[flagged.id].expires_at == flagged.collected_at + timedelta(days=180)
        assert kept[passed.id].expires_at == NOW + timedelta(days=30)

    def test_slots_share_the_work_out_without_overlap(self, desk: Desk) -> None:
        for number in range(40):
            keep(desk, number, f"post number {number} about nothing in particular")
        first, second = WordModel(), WordModel()
        classify_new_posts(desk, first, slots=range(128))
        classify_new_posts(desk, second, slots=range(128, 256))
        assert len(first.judged) + len(second.judged) == 40
        assert not set(first.judged) & set(second.judged)

    def test_a_new_model_looks_again_at_recent_posts_and_open_cards_only(self, desk: Desk) -> None:
        keep(desk, 1)
        keep(desk, 2, "good morning")
        old = make_post(id="mastodon:old", text="an old post", text_hash=text_hash("an old post"))
        desk.posts.add([replace(old, collected_at=NOW - timedelta(days=20))], token="old")
        work(desk)
        newer = WordModel("words-2")
        work(at(desk, NOW + timedelta(days=1)), newer)
        assert sorted(newer.judged) == sorted([SAYS, "good morning"])

    def test_an_edited_text_is_judged_and_grouped_anew(self, desk: Desk) -> None:
        post = keep(desk, 1, "good morning")
        work(desk)
        edited = replace(post, text=SAYS, text_hash=text_hash(SAYS), bands=bands(SAYS), edited_at=NOW)
        desk.posts.add([edited], token="edit")
        work(desk)
        assert desk.posts.assessments([post.id])[post.id].flag
        assert [card.head for card in open_cards(desk)] == [post.id]


class TestGroups:
    def test_copies_share_a_card_that_counts_them(self, desk: Desk) -> None:
        for number, text in enumerate([SAYS, SAYS.upper(), SAYS + "!!", SAYS + " 🙏"]):
            keep(desk, number, text)
        work(desk)
        (card,) = open_cards(desk)
        assert (card.posts, card.accounts, card.claim, card.harm) == (4, 4, "garlic-cure", 3)
        assert card.id == "mastodon:0000"

    def test_a_refutation_of_few_words_never_joins_what_it_refutes(self, desk: Desk) -> None:
        keep(desk, 1)
        keep(desk, 2, "fake: " + SAYS)
        keep(desk, 3, SAYS.replace("garlic kills", "garlic never kills"))
        work(desk)
        groups = {post.group for post in desk.posts.search(Search()).posts}
        assert len(groups) == 3

    def test_the_order_of_arrival_makes_the_same_groups(self, desk: Desk) -> None:
        keep(desk, 1)
        work(desk)
        keep(desk, 2, SAYS + "!")
        work(desk)
        keep(desk, 3, SAYS + " ...")
        work(desk)
        assert {post.group for post in desk.posts.search(Search()).posts} == {"mastodon:0001"}
        assert open_cards(desk)[0].posts == 3

    def test_posts_nobody_flagged_make_no_card(self, desk: Desk) -> None:
        keep(desk, 1, "good morning to all of you")
        work(desk)
        assert open_cards(desk) == []
        assert desk.posts.pending(Work(stage="group"), range(256)) == []

    def test_a_copy_of_the_judged_text_inherits_the_decision(self, desk: Desk) -> None:
        keep(desk, 1)
        work(desk)
        decide(desk, open_cards(desk)[0])
        keep(desk, 2, SAYS + "!")
        work(desk)
        assert open_cards(desk) == []
        (row,) = desk.posts.counts([NOW.date()])
        assert (row.status, row.claim, row.stance, row.posts) == ("decided", "garlic-cure", "repeats", 2)

    def test_a_copy_of_a_copy_that_is_not_the_judged_text_opens_its_own_card(self, desk: Desk) -> None:
        words = [f"garlic{n}" for n in range(30)]
        near = [*words, "as", "my", "neighbour", "says"]
        far = " ".join(["listen", "to", "this", "everyone", *near])
        keep(desk, 1, " ".join(words))
        keep(desk, 2, " ".join(near))
        work(desk)
        (card,) = open_cards(desk)
        assert card.posts == 2
        decide(desk, card)
        keep(desk, 3, far)
        work(desk)
        (opened,) = open_cards(desk)
        assert opened.head == "mastodon:0003"

    def test_two_open_groups_that_one_post_links_become_one(self, desk: Desk) -> None:
        words = [f"garlic{n}" for n in range(60)]
        left, middle, right = words[:54], words[:57], words[6:]
        keep(desk, 1, " ".join(left))
        keep(desk, 2, " ".join(right))
        work(desk)
        assert len(open_cards(desk)) == 2
        keep(desk, 3, " ".join(middle))
        work(desk)
        (card,) = open_cards(desk)
        assert (card.id, card.posts) == ("mastodon:0001", 3)
        assert desk.posts.card(["mastodon:0002"])["mastodon:0002"].state is CardState.MERGED

    def test_a_head_that_is_edited_leaves_its_copies_and_their_decision_behind(self, desk: Desk) -> None:
        head = keep(desk, 1)
        keep(desk, 2)
        work(desk)
        decide(desk, open_cards(desk)[0])
        other = "garlic bread is what my cousin sells at the corner of the market every evening after work"
        edited = replace(head, text=other, text_hash=text_hash(other), bands=bands(other), edited_at=NOW)
        desk.posts.add([edited], token="edit")
        work(desk)
        (card,) = open_cards(desk)
        assert (card.head, card.posts) == (head.id, 1)
        assert card.id not in (head.id, "mastodon:0002")
        assert [post.id for post in desk.posts.members(head.id)] == ["mastodon:0002"]

    def test_only_one_process_groups_at_a_time(self, desk: Desk) -> None:
        keep(desk, 1)
        classify_new_posts(desk, WordModel())
        with desk.ledger.write() as db:
            assert sources.acquire(db, "grouping", "another")
        assert group_new_posts(desk, "me") == 0
        with desk.ledger.write() as db:
            sources.release(db, "grouping", "another")
        assert group_new_posts(desk, "me") == 1


class TestPriority:
    def test_growth_is_the_last_day_over_the_days_before_clipped(self) -> None:
        assert growth(0, 0) == 1.0
        assert growth(5, 7) == 3.0
        assert growth(100, 0) == 4.0
        assert growth(0, 700) == 0.5

    def test_doubling_an_audience_adds_one_to_its_reach(self) -> None:
        assert reach(14, 0) == pytest.approx(4.0)
        assert reach(20, 10) == pytest.approx(5.0)

    def test_a_lone_new_post_has_a_priority_with_all_its_factors(self, desk: Desk) -> None:
        keep(desk, 1)
        work(desk)
        (card,) = open_cards(desk)
        assert card.reach == pytest.approx(log2(3))
        assert card.growth == 2.0
        assert card.priority == pytest.approx(3 * log2(3) * 2.0 * 0.9)

    def test_a_growing_claim_outranks_a_fading_giant_of_its_size(self, desk: Desk) -> None:
        giant = "garlic soup from my village stops every cold and also the virus say the old people here"
        for number in range(30):
            keep(desk, number, giant)
        for number in range(100, 120):
            keep(desk, number)
        later = at(desk, NOW + timedelta(days=6))
        work(desk)
        fresh = [make_post(id=f"mastodon:9{n}", text=SAYS, text_hash=text_hash(SAYS), bands=bands(SAYS),
                           author_key=f"z{n}", collected_at=later.now(), created_at=later.now() - timedelta(hours=2))
                 for n in range(10)]  # fmt: skip
        desk.posts.add(fresh, token="fresh")
        work(later)
        first, second = open_cards(desk)
        assert (first.id, second.id) == ("mastodon:0100", "mastodon:0000")
        assert first.growth == pytest.approx(11 / (20 / 7 + 1))
        assert second.growth == 0.5

    def test_engagement_raises_reach_and_a_change_of_harm_the_priority(self, desk: Desk) -> None:
        post = keep(desk, 1)
        work(desk)
        before = open_cards(desk)[0].priority
        desk.posts.observe([Observation(post=post.id, source=post.source, at=NOW, likes=500, shares=12)])
        rescore(desk)
        liked = open_cards(desk)[0]
        assert liked.engagement == 512
        assert liked.reach == pytest.approx(log2(515))
        with desk.ledger.write() as db:
            claims.edit(db, "garlic-cure", {"harm": 4}, NOW)
        rescore(desk)
        assert open_cards(desk)[0].priority == pytest.approx(liked.priority * 4 / 3)
        assert liked.priority > before
