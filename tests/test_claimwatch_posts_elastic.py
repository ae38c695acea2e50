"""What only the Elasticsearch store has: slices, many writers at once, refusals, and steps that a kill may part."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from store_contents import everything, whole

from claimwatch.errors import ConfigError, StoreError
from claimwatch.posts import elastic_client, elastic_intake, elastic_keeping, elastic_opening, elastic_search
from claimwatch.posts.base import CountRow, Search, Work
from claimwatch.posts.elastic import ElasticPosts
from claimwatch.posts.elastic_mapping import PROPERTIES
from claimwatch.records import Post, State
from factories import (
    DAY,
    NOW,
    make_assessed,
    make_card,
    make_match,
    make_observation,
    make_post,
    make_update,
)

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

LAST_YEAR = NOW - timedelta(days=365)


@pytest.fixture
def address(elasticsearch_prefix: str) -> str:
    return elasticsearch_prefix


@pytest.fixture
def posts(address: str) -> Iterator[ElasticPosts]:
    with closing(ElasticPosts.connect(address)) as opened:
        yield opened


@pytest.fixture
def client(posts: ElasticPosts) -> "Elasticsearch":
    """The store's own client, to look behind it."""
    return posts._elastic.client


def name(posts: ElasticPosts, part: str) -> str:
    return posts._elastic.name(part)


def slices(posts: ElasticPosts) -> set[str]:
    """The ends of the names of all slices."""
    return {index.removeprefix(name(posts, "posts-")) for index in posts._elastic.indices("posts-*")}


def where(posts: ElasticPosts, post: Post) -> str:
    """The slices that hold a post."""
    posts.refresh()
    found = posts._elastic.search("posts-*", query={"ids": {"values": [post.id]}})["hits"]["hits"]
    return " ".join(hit["_index"].removeprefix(name(posts, "posts-")) for hit in found)


def total(rows: list[CountRow]) -> int:
    return sum(row.posts for row in rows)


def one_line(error: pytest.ExceptionInfo[BaseException]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


class TestAddresses:
    def test_nobody_there_is_one_line(self) -> None:
        with pytest.raises(StoreError) as error:
            ElasticPosts.connect("elasticsearch+http://127.0.0.1:9/claimwatch")
        assert "stores.posts" in one_line(error)

    @pytest.mark.parametrize(
        ("address", "ca", "named"),
        [
            ("elasticsearch+http://127.0.0.1:9/Claim Watch", None, "stores.posts"),
            ("elasticsearch+http://127.0.0.1:9/_all", None, "stores.posts"),
            ("elasticsearch+http://a b:9/claimwatch", None, "stores.posts"),
            ("elasticsearch+https://127.0.0.1:9/claimwatch", Path("nowhere.pem"), "nowhere.pem"),
        ],
    )
    def test_an_address_that_cannot_be_is_refused(self, address: str, ca: Path | None, named: str) -> None:
        with pytest.raises(ConfigError) as error:
            ElasticPosts.connect(address, ca=ca)
        assert named in one_line(error)

    def test_a_port_may_be_left_out(self) -> None:
        assert elastic_opening._url("https", "search.example") == "https://search.example:9200"
        assert elastic_opening._url("https", "search.example:443") == "https://search.example:443"


class TestRefusals:
    def test_another_major_version_is_refused_by_its_number(self) -> None:
        elastic_opening.refuse_other_versions(["9.0.0", "9.5.3"])
        with pytest.raises(ConfigError) as error:
            elastic_opening.refuse_other_versions(["8.19.2", "9.5.3"])
        assert "8.19.2" in one_line(error)

    def test_a_red_cluster_is_refused(self) -> None:
        elastic_opening.refuse_red({"status": "yellow"})
        with pytest.raises(StoreError, match="is red"):
            elastic_opening.refuse_red({"status": "red"})

    def test_no_field_has_room_for_an_author(self) -> None:
        names = {field for part in PROPERTIES.values() for field in part}
        assert {field for field in names if "author" in field or "user" in field or "handle" in field} == {"author_key"}


@pytest.mark.servers
class TestOpening:
    def test_opening_makes_no_index_and_harms_none(self, posts: ElasticPosts, address: str) -> None:
        assert slices(posts) == set()
        post = make_post()
        posts.add([post], token="t")
        with closing(ElasticPosts.connect(address)) as again:
            assert again.get([post.id]) == {post.id: post}

    def test_health_tells_state_version_and_size(self, posts: ElasticPosts) -> None:
        posts.add([make_post(), make_post(created_at=None)], token="t")
        posts.refresh()
        told = posts.health()
        assert "\n" not in told
        assert "Elasticsearch 9." in told
        assert "1 nodes" in told or "nodes" in told
        assert "2 posts in 2 slices, 0 dead letters" in told

    def test_an_index_of_another_version_is_refused_by_name(
        self, posts: ElasticPosts, client: "Elasticsearch", address: str
    ) -> None:
        index = name(posts, "posts-2019-01")
        client.indices.create(index=index)
        client.indices.put_mapping(index=index, meta={"claimwatch": 0})
        with pytest.raises(ConfigError) as error:
            ElasticPosts.connect(address)
        assert index in one_line(error)
        assert "claimwatch posts copy" in one_line(error)

    def test_an_index_with_a_strange_field_is_refused_by_name(
        self, posts: ElasticPosts, client: "Elasticsearch", address: str
    ) -> None:
        posts.put_cards([make_card(make_post())])
        client.indices.put_mapping(index=name(posts, "cards"), properties={"nickname": {"type": "keyword"}})
        with pytest.raises(ConfigError) as error:
            ElasticPosts.connect(address)
        assert "nickname" in one_line(error)

    def test_a_desk_whose_prefix_begins_with_ours_is_not_ours(
        self, posts: ElasticPosts, client: "Elasticsearch", address: str
    ) -> None:
        other = name(posts, "another-facts")
        client.indices.create(index=other, mappings={"properties": {"x": {"type": "keyword"}}})
        ElasticPosts.connect(address).close()

    def test_a_document_with_another_field_is_refused(self, posts: ElasticPosts, client: "Elasticsearch") -> None:
        from elasticsearch import ApiError

        posts.add([make_post()], token="t")
        with pytest.raises(ApiError, match="strict_dynamic_mapping_exception"):
            client.index(index=name(posts, "posts-2026-11"), document={"author": "nobody"})


@pytest.mark.servers
class TestSlices:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, "2026-11"),
            ({"created_at": NOW - timedelta(days=40)}, "2026-10"),
            ({"created_at": LAST_YEAR}, "old"),
            ({"created_at": None}, "undated"),
            ({"created_at": NOW + timedelta(days=2)}, "undated"),
            ({"platform": "feed"}, "undated"),
            ({"source": "import:archive"}, "undated"),
        ],
    )
    def test_a_post_lives_in_the_month_it_was_made(
        self, posts: ElasticPosts, changes: dict[str, Any], expected: str
    ) -> None:
        post = make_post(**changes)
        assert posts.add([post], token="t") == ["stored"]
        assert where(posts, post) == expected

    def test_the_first_month_of_the_desk_stays_the_first(self, posts: ElasticPosts, address: str) -> None:
        posts.add([make_post()], token="t")
        later = NOW + timedelta(days=400)
        with closing(ElasticPosts.connect(address)) as again:
            post = make_post(created_at=NOW - timedelta(days=150), collected_at=later, first_seen=later)
            again.add([post], token="t")
            assert where(again, post) == "2026-06"

    @pytest.mark.parametrize("changes", [{"created_at": None}, {"source": "import:archive", "created_at": LAST_YEAR}])
    def test_a_post_is_kept_once_whichever_date_comes_first(
        self, posts: ElasticPosts, address: str, changes: dict[str, Any]
    ) -> None:
        one, two = make_post(), make_post()
        assert posts.add([one, replace(two, **changes)], token="a") == ["stored", "stored"]
        with closing(ElasticPosts.connect(address)) as other:
            assert other.add([replace(one, **changes), two], token="b") == ["unchanged", "unchanged"]
        assert (where(posts, one), where(posts, two)) == ("2026-11", "undated")

    def test_a_slice_that_another_process_made_is_seen_at_once(self, posts: ElasticPosts, address: str) -> None:
        posts.add([make_post()], token="t")
        assert posts.get(["unknown"]) == {}
        elsewhere = make_post(created_at=NOW - timedelta(days=40))
        with closing(ElasticPosts.connect(address)) as other:
            other.add([elsewhere], token="t")
        assert posts.get([elsewhere.id]) == {elsewhere.id: elsewhere}

    def test_a_text_of_any_length_is_kept(self, posts: ElasticPosts) -> None:
        long = make_post("tỏi " * 60_000 + "a" * 40_000)
        assert posts.add([long], token="t") == ["stored"]
        assert posts.get([long.id])[long.id].text == long.text


@pytest.mark.servers
class TestItems:
    def test_an_item_that_can_never_be_kept_costs_the_page_nothing(
        self, posts: ElasticPosts, caplog: pytest.LogCaptureFixture
    ) -> None:
        good, bad, last = make_post(), make_post("a secret", language="x" * 40_000), make_post()
        assert posts.add([good, bad, last], token="t") == ["stored", "rejected(store)", "stored"]
        assert posts.get([good.id, bad.id, last.id]).keys() == {good.id, last.id}
        posts.add([bad], token="u")
        assert "2 dead letters" in posts.health()
        assert "secret" not in caplog.text

    def test_a_page_larger_than_one_request_goes_in_pieces(
        self, posts: ElasticPosts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(elastic_client, "_ITEMS", 3)
        monkeypatch.setattr(elastic_client, "_READ", 4)
        made = [make_post(f"number {n}", created_at=NOW if n % 2 else None) for n in range(10)]
        assert posts.add(made, token="t") == ["stored"] * 10
        assert posts.add(made, token="u") == ["unchanged"] * 10
        assert posts.get([post.id for post in made]) == {post.id: post for post in made}

    @pytest.mark.parametrize("block", ["index.blocks.write", "index.blocks.read_only_allow_delete"])
    def test_a_blocked_index_is_waited_for(self, posts: ElasticPosts, client: "Elasticsearch", block: str) -> None:
        posts.add([make_post()], token="t")
        index = name(posts, "posts-2026-11")
        client.indices.put_settings(index=index, settings={block: True})
        opener = threading.Timer(0.4, client.indices.put_settings, kwargs={"index": index, "settings": {block: None}})
        opener.start()
        begun, post = time.monotonic(), make_post()
        assert posts.add([post], token="t") == ["stored"]
        # The block of a full disk the server may take back by itself, at any moment: its time says nothing.
        assert block.endswith("delete") or time.monotonic() - begun >= 0.4
        opener.join()
        assert posts.get([post.id])

    def test_what_stays_blocked_is_one_line_and_nothing_is_lost(
        self, posts: ElasticPosts, client: "Elasticsearch", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(elastic_client, "_PATIENCE", 0.2)
        old, new = make_post(), make_post(created_at=None)
        posts.add([old], token="t")
        index = name(posts, "posts-2026-11")
        # Not the block of a full disk: the server takes that back by itself, at any moment, where there is room.
        client.indices.put_settings(index=index, settings={"index.blocks.write": True})
        refused = make_post()
        with pytest.raises(StoreError) as error:
            posts.add([refused, new], token="u")
        assert "takes no writes" in one_line(error)
        client.indices.put_settings(index=index, settings={"index.blocks.write": None})
        assert posts.add([refused, new], token="u") == ["stored", "stored"]
        assert posts.get([old.id, refused.id, new.id]).keys() == {old.id, refused.id, new.id}

    def test_a_tombstone_that_cannot_be_looked_at_is_not_overlooked(
        self, posts: ElasticPosts, client: "Elasticsearch"
    ) -> None:
        post = make_post()
        posts.add([post], token="t")
        posts.forget([post.id], NOW)
        graves = name(posts, "tombstones")
        client.indices.close(index=graves)
        with pytest.raises(StoreError) as error:
            posts.add([post], token="u")
        one_line(error)
        client.indices.open(index=graves, wait_for_active_shards="1")
        assert posts.add([post], token="u") == ["dropped(seen)"]


@pytest.mark.servers
class TestTogether:
    def test_a_post_purged_while_it_is_met_again_is_new(
        self, posts: ElasticPosts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dated, undated = make_post(expires_at=NOW), make_post(expires_at=NOW, platform="feed")
        posts.add([dated, undated], token="t")
        meet_again = elastic_intake._meet_again

        def purged_before(*given: Any) -> dict[str, str]:
            posts.expire(NOW, batch=1)
            posts.sweep(1, NOW)
            return meet_again(*given)

        monkeypatch.setattr(elastic_intake, "_meet_again", purged_before)
        assert posts.add([undated, dated], token="u") == ["stored", "stored"]
        assert posts.get([dated.id, undated.id]).keys() == {dated.id, undated.id}

    def test_many_writers_keep_each_post_once(self, posts: ElasticPosts, address: str) -> None:
        made = [make_post(f"number {n}") for n in range(40)]

        def write(number: int) -> list[str]:
            with closing(ElasticPosts.connect(address)) as own:
                return own.add(made, token=f"writer {number}")

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(write, range(4)))
        assert [sorted(of_post) for of_post in zip(*answers, strict=True)] == [["stored"] + ["unchanged"] * 3] * 40
        posts.refresh()
        assert total(posts.counts([DAY])) == 40

    def test_no_observation_and_no_opinion_is_lost_among_many(self, posts: ElasticPosts, address: str) -> None:
        post = make_post()
        posts.add([post], token="t")

        def write(number: int) -> None:
            with closing(ElasticPosts.connect(address)) as own:
                own.observe([make_observation(post, source=f"source {number}", likes=number)])
                own.assess([make_assessed(post, model=f"m{number}")])

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(write, range(6)))
        (kept,) = everything(posts)
        assert {one.source for one in kept.observations} == {f"source {number}" for number in range(6)}
        assert {one.model for one in kept.assessments} == {f"m{number}" for number in range(6)}

    @pytest.mark.parametrize("attempt", range(3))
    def test_a_decision_holds_whatever_comes_in_between(self, posts: ElasticPosts, address: str, attempt: int) -> None:
        head, given = make_post(), [make_post(f"{attempt} {n}") for n in range(6)]
        posts.add([head, *given], token="t")
        posts.assess([make_assessed(post) for post in (head, *given)])
        posts.place({head.id: head.id})
        card = make_card(head)
        posts.put_cards([card])
        others = [make_post(f"{attempt} copied {n}", group=head.id) for n in range(6)]
        work: list[Callable[[ElasticPosts], object]] = [
            lambda own: own.project([make_update(card)]),
            lambda own: own.place({post.id: head.id for post in given[:3]}),
            lambda own: own.place({post.id: head.id for post in given[3:]}),
            lambda own: own.assess([make_assessed(post, model="m2") for post in given]),
            lambda own: [own.add([post], token="copy") for post in others],
        ]

        def do(one: Callable[[ElasticPosts], object]) -> None:
            with closing(ElasticPosts.connect(address)) as own:
                one(own)

        with ThreadPoolExecutor(5) as pool:
            list(pool.map(do, work))
        posts.refresh()
        assert {row.status: row.posts for row in posts.counts([DAY])} == {"decided": 13}


@pytest.mark.servers
class TestWholeSlices:
    @pytest.fixture(autouse=True)
    def few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(elastic_keeping, "WHOLE", 3)

    def month(self, posts: ElasticPosts, number: int = 4, **changes: Any) -> list[Post]:
        """October's posts, all expired."""
        made = [
            make_post(f"october {n}", created_at=NOW - timedelta(days=40), expires_at=NOW, **changes)
            for n in range(number)
        ]
        posts.add(made, token="october")
        posts.refresh()
        return made

    def test_a_slice_goes_whole_with_all_that_hangs_on_it(self, posts: ElasticPosts) -> None:
        gone, left = self.month(posts), make_post()
        posts.add([left], token="t")
        posts.assess([replace(make_assessed(gone[0]), vector=b"\x01", encoder="e")])
        posts.place({gone[0].id: gone[0].id})
        posts.put_cards([make_card(gone[0])])
        assert total(posts.expire(NOW, batch=1, limit=1)) == 4  # beyond the limit: it costs nothing
        assert total(posts.counts([DAY])) == 5
        assert total(posts.counts([DAY], without=[1])) == 1
        assert posts.sweep(1, NOW) == 4
        assert slices(posts) == {"2026-11"}
        assert posts.get([post.id for post in [*gone, left]]).keys() == {left.id}
        posts.refresh()
        assert (posts.vectors("e"), posts.cards(None)) == ([], [])
        assert posts.sweep(1, NOW) == 0
        assert posts.add(gone[:1], token="again") == ["stored"]

    def test_a_small_slice_is_emptied_and_then_goes(self, posts: ElasticPosts) -> None:
        self.month(posts, 2)
        posts.add([make_post()], token="t")
        assert total(posts.expire(NOW, batch=1)) == 2
        assert posts.sweep(1, NOW) == 2
        assert slices(posts) == {"2026-10", "2026-11"}
        posts.expire(NOW, batch=2)
        posts.sweep(2, NOW)
        assert slices(posts) == {"2026-11"}

    def test_a_late_post_keeps_its_slice_and_counts(self, posts: ElasticPosts) -> None:
        gone = self.month(posts)
        assert total(posts.expire(NOW, batch=1)) == 4
        late = make_post(created_at=NOW - timedelta(days=40), expires_at=NOW + timedelta(days=30))
        posts.add([late], token="late")
        posts.assess([replace(make_assessed(gone[0]), expires_at=NOW + timedelta(days=180))])
        posts.refresh()
        assert total(posts.counts([DAY], without=[1])) == 1
        assert posts.sweep(1, NOW) == 4  # what was counted with the batch goes with it
        assert posts.get([post.id for post in [*gone, late]]).keys() == {late.id}
        assert posts.add([make_post(created_at=NOW - timedelta(days=40))], token="t") == ["stored"]

    def test_a_slice_with_anything_to_keep_loses_posts_one_by_one(self, posts: ElasticPosts) -> None:
        self.month(posts)
        posts.add([kept := make_post(created_at=NOW - timedelta(days=40))], token="t")
        assert [total(posts.expire(NOW, batch=batch, limit=3)) for batch in (1, 2)] == [3, 1]
        assert [posts.sweep(batch, NOW) for batch in (1, 2)] == [3, 1]
        assert posts.get([kept.id])


class Killed(BaseException):
    """Stands for the end of the process."""


def killed_at(posts: ElasticPosts, number: int, act: Callable[[ElasticPosts], object]) -> bool:
    """Whether the process ended before its request of this number, in an act."""
    from elastic_transport import ConnectionError as Unreachable

    transport = posts._elastic.client.transport
    asked, perform = itertools.count(), transport.perform_request

    def counting(*args: Any, **kwargs: Any) -> Any:
        at = next(asked)
        if at > number:
            raise Unreachable("ended")  # what a process that has ended would still tidy up
        if at == number:
            raise Killed
        return perform(*args, **kwargs)

    transport.perform_request = counting  # type: ignore[method-assign]
    try:
        act(posts)
    except Killed:
        return True
    finally:
        transport.perform_request = perform  # type: ignore[method-assign]
    return False


def steps(usual: int) -> pytest.MarkDecorator:
    """A test that is killed at every so many requests; in `make soak` at each."""
    return pytest.mark.parametrize("step", [usual, pytest.param(1, marks=pytest.mark.soak)])


@pytest.mark.servers
class TestKills:
    def desk(self, posts: ElasticPosts, round_: int) -> list[Post]:
        """Five posts of a slice of their own, two of a kind elsewhere; vectors, a card; all expired."""
        created = NOW - timedelta(days=31 * (round_ % 6))
        made = [make_post(f"round {round_} post {n}", created_at=created, expires_at=NOW) for n in range(3)]
        made.append(make_post(f"round {round_} undated", created_at=None, expires_at=NOW))
        posts.add(made, token=f"round {round_}")
        posts.assess([replace(make_assessed(post), vector=bytes([round_ % 99 + 1]), encoder="e") for post in made])
        posts.place({post.id: made[0].id for post in made})
        posts.put_cards([make_card(replace(made[0], group=made[0].id))])
        posts.refresh()
        return made

    def left(self, posts: ElasticPosts) -> tuple[object, ...]:
        posts.refresh()
        return everything(posts), posts.vectors("e"), posts.cards(None), posts.counts([DAY])

    def rounds(
        self, posts: ElasticPosts, act: Callable[[ElasticPosts, list[Post], int], object], step: int
    ) -> Iterator[tuple[list[Post], int]]:
        """After a kill at every `step`-th request and a repeat: the posts concerned, the round."""
        for round_ in range(150):
            made = self.desk(posts, round_)
            killed = killed_at(posts, round_ * step, lambda own: act(own, made, round_))  # noqa: B023
            if killed:
                act(posts, made, round_)
            yield made, round_
            if not killed:
                assert round_
                return
        pytest.fail("never came to an end")

    @pytest.mark.parametrize("slice_size", [3, 10_000])
    @steps(11)
    def test_a_purge_is_taken_up_again(
        self, posts: ElasticPosts, monkeypatch: pytest.MonkeyPatch, slice_size: int, step: int
    ) -> None:
        monkeypatch.setattr(elastic_keeping, "WHOLE", slice_size)

        committed: set[int] = set()

        def purge(own: ElasticPosts, _: list[Post], round_: int) -> None:
            if round_ not in committed:
                assert total(own.expire(NOW, batch=round_)) == 4
                committed.add(round_)  # the ledger has the counts: from here on only the sweep is repeated
            own.sweep(round_, NOW)

        for made, _ in self.rounds(posts, purge, step):
            assert self.left(posts) == ([], [], [], [])
            assert posts.add([made[3]], token="again") == ["dropped(seen)"]

    @steps(5)
    def test_forgetting_is_taken_up_again(self, posts: ElasticPosts, step: int) -> None:
        def forget(own: ElasticPosts, made: list[Post], _: int) -> None:
            own.forget([post.id for post in made], NOW)

        for made, _ in self.rounds(posts, forget, step):
            assert self.left(posts) == ([], [], [], [])
            assert posts.add(made, token="again") == ["dropped(seen)"] * 4

    @steps(5)
    def test_an_edit_is_taken_up_again_and_leaves_no_vector(self, posts: ElasticPosts, step: int) -> None:
        def edit(own: ElasticPosts, made: list[Post], round_: int) -> None:
            edits = [replace(post, text="new", text_hash="0" * 32, edited_at=NOW) for post in made]
            assert own.add(edits, token=f"edit {round_}") == ["updated"] * 4

        for made, _ in self.rounds(posts, edit, step):
            posts.refresh()
            assert posts.vectors("e") == []
            waiting = posts.pending(Work(stage="classify", model="m1"), range(256))
            assert {post.id for post in made} <= {post.id for post in waiting}

    @steps(2)
    def test_an_assessed_post_has_its_vector(self, posts: ElasticPosts, step: int) -> None:
        def assess(own: ElasticPosts, made: list[Post], _: int) -> None:
            own.assess([replace(make_assessed(post, model="m2"), vector=b"\x07", encoder="f") for post in made])

        for made, _ in self.rounds(posts, assess, step):
            posts.refresh()
            assert {post.text_hash for post in made} <= {text_hash for text_hash, _ in posts.vectors("f")}

    @steps(4)
    def test_a_decision_is_taken_up_again(self, posts: ElasticPosts, step: int) -> None:
        def decide(own: ElasticPosts, made: list[Post], _: int) -> None:
            own.project([make_update(make_card(replace(made[0], group=made[0].id)))])

        for _, round_ in self.rounds(posts, decide, step):
            posts.refresh()
            assert {row.status: row.posts for row in posts.counts([DAY])} == {"decided": 4 * (round_ + 1)}


@pytest.mark.servers
class TestSearching:
    def found(self, posts: ElasticPosts, **asked: Any) -> list[str]:
        return [post.id for post in posts.search(Search(**asked)).posts]

    def test_pages_go_deeper_than_elasticsearch_counts(
        self, posts: ElasticPosts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = [make_post(f"garlic number {n}") for n in range(12)]
        posts.add(made, token="t")
        posts.refresh()
        whole_list = [post.id for post in made]  # the first of a page is the newest of it
        monkeypatch.setattr(elastic_search, "_DEEPEST", 4)
        monkeypatch.setattr(elastic_search, "_SHALLOW", 2)
        for order in ("newest", "relevance"):
            in_order = self.found(posts, words="garlic", order=order)
            assert sorted(in_order) == sorted(whole_list)
            for offset in (0, 2, 3, 4, 7, 8, 11, 12, 13, 40):
                page = posts.search(Search(words="garlic", order=order, offset=offset, limit=2))
                assert [post.id for post in page.posts] == in_order[offset : offset + 2]
                assert page.more is (offset + 2 < 12)

    @pytest.mark.soak
    def test_posts_beyond_the_deepest_place_are_reached(self, posts: ElasticPosts) -> None:
        made = [make_post("garlic", bands=()) for _ in range(10_030)]
        for start in range(0, len(made), 2_000):
            posts.add(made[start : start + 2_000], token=f"page {start}")
        posts.refresh()
        page = posts.search(Search(words="garlic", offset=10_010, limit=25))
        assert (len(page.posts), page.more) == (20, False)

    def test_the_urgent_among_many_come_in_the_same_order(
        self, posts: ElasticPosts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = [make_post(f"garlic {n}") for n in range(30)]
        posts.add(made, token="t")
        posts.assess([make_assessed(post) for post in made])
        heads = made[:7]
        posts.place({post.id: heads[n % 7].id for n, post in enumerate(made[:24])})
        posts.put_cards([make_card(replace(post, group=post.id), priority=1.0 + n) for n, post in enumerate(heads)])
        posts.refresh()
        for words in ("", "garlic"):
            expected = self.found(posts, words=words, order="urgent", limit=100)
            assert len(expected) == 30
            with monkeypatch.context() as patched:
                patched.setattr(elastic_search, "_FEW", 1)
                patched.setattr(elastic_search, "_CARDS", 3)
                patched.setattr(elastic_search, "_DEEPEST", 4)
                for offset in (0, 1, 9, 22, 25, 29):
                    asked: dict[str, Any] = {"words": words, "order": "urgent", "offset": offset, "limit": 3}
                    assert self.found(posts, **asked) == expected[offset : offset + 3]


@pytest.mark.servers
class TestMoving:
    def test_a_new_claims_match_reaches_posts_written_just_now(self, posts: ElasticPosts) -> None:
        post = make_post()
        posts.add([post], token="t")
        posts.assess([make_assessed(post)])
        posts.match({post.text_hash: [make_match(post, "new-claim")]})
        assert [one.claim for one in posts.matches([post.id])[post.id]] == ["new-claim"]

    def test_a_post_carried_in_twice_from_another_date_is_there_once(self, posts: ElasticPosts) -> None:
        post = make_post()
        posts.add([post], token="t")
        kept = everything(posts)
        posts.load([replace(kept[0], post=replace(post, created_at=None))])
        posts.load(kept)
        assert whole(everything(posts)) == whole(kept)


@pytest.mark.servers
class TestVectors:
    def test_a_vector_without_direction_is_kept_and_near_to_nothing(self, posts: ElasticPosts) -> None:
        made = [make_post("one"), make_post("two")]
        posts.add(made, token="t")
        vectors = [bytes(4), bytes([1, 2, 3, 4])]
        posts.assess(
            [replace(make_assessed(post), vector=v, encoder="e") for post, v in zip(made, vectors, strict=True)]
        )
        posts.refresh()
        assert {vector for _, vector in posts.vectors("e")} == set(vectors)
        assert [text for text, _ in posts.near("e", vectors[1], similarity=-1.0)] == [made[1].text_hash]
        assert posts.near("e", vectors[0], similarity=-1.0) == []

    def test_encoders_of_like_names_are_told_apart(self, posts: ElasticPosts) -> None:
        post = make_post()
        posts.add([post], token="t")
        names = ["e5/small", "E5 Small", "e5-small", ""]
        for number, encoder in enumerate(names):
            posts.assess([replace(make_assessed(post), vector=bytes([number + 1] * (number + 1)), encoder=encoder)])
        posts.refresh()
        assert [len(vector) for encoder in names for _, vector in posts.vectors(encoder)] == [1, 2, 3, 4]


@pytest.mark.servers
def test_a_deleted_post_that_expires_is_counted_nowhere(posts: ElasticPosts) -> None:
    gone = make_post(state=State.DELETED, expires_at=NOW)
    posts.add([gone, make_post(expires_at=NOW)], token="t")
    assert total(posts.expire(NOW, batch=1)) == 1
    assert posts.get([gone.id]) == {}


def test_times_are_kept_to_the_microsecond() -> None:
    from claimwatch.posts.elastic_docs import doc_of, post_from

    post = make_post(created_at=datetime(2026, 11, 16, 2, 0, 0, 123_457, tzinfo=NOW.tzinfo))
    assert post_from(doc_of(post, 1)) == post
