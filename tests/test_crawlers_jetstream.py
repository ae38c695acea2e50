"""Captures of Jetstream: which posts come of them, what is deleted, and where to go on."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.bluesky.parse import parse as parse_bluesky
from crawlers.jetstream.packing import zstd
from crawlers.jetstream.parse import parse
from crawlers.page import Page

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FOLDER = Path(__file__).parents[1] / "crawlers"
SAMPLE = (FOLDER / "jetstream" / "sample.jsonl").read_bytes()
DID = "did:plc:mai4rqbxk2invented00001"
URI = f"at://{DID}/app.bsky.feed.post/3m6root00001a"
RECORD = {"$type": "app.bsky.feed.post", "createdAt": "2026-11-22T08:59:00Z", "text": "Tỏi chữa bách bệnh"}
NINE = 1_795_338_000_000_000  # 2026-11-22 09:00 UTC


def older(place: Any = NINE, **commit: Any) -> dict[str, Any]:
    base = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": "3m6root00001a", "record": RECORD}
    return {"did": DID, "time_us": place, "kind": "commit", "commit": base | commit}


def newer(place: Any = 41, kind: str = "commit", **more: Any) -> dict[str, Any]:
    base = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": "3m6root00001a", "record": RECORD}
    where = {"did": DID, "seq": place, "time": "2026-11-22T09:00:00.123456Z"}
    payload = {"$type": f"network.bsky.jetstream.subscribeEvents#{kind}", **where, **base, **more}
    return {"$type": "message", "payload": payload}


def page_of(*events: object, policy: str = "respectful", headers: Mapping[str, str] | None = None) -> Page:
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in events]
    return parse(b"\n".join(lines), url="", headers=headers or {}, now=NOW, policy=policy)


def reasons(page: Page) -> list[str]:
    return [each.reason for each in page.dropped]


def test_every_event_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE)
    assert [post.native_id for post in page.posts] == ["3m6root00001a", "3m6answ00001a"]
    assert reasons(page) == ["not_a_post", "identity", "account", "deleted", "repeated", "sync"]
    assert [each.reason for each in page.rejected] == ["not_json"]
    assert page.watermark == {"time_us": "1795338000000005", "seq": "9003"}
    assert [problem.partition(":")[0] for problem in page.problems] == ["gap"]


def test_a_post_is_the_same_as_in_an_answer_of_bluesky() -> None:
    other = parse_bluesky((FOLDER / "bluesky" / "sample.json").read_bytes(), url="", headers={}, now=NOW).posts[1]
    post = page_of(SAMPLE).posts[0]
    assert (post.platform, post.uri, post.author, post.text) == (other.platform, other.uri, other.author, other.text)
    assert (post.url, post.created_at, post.language) == (other.url, other.created_at, other.language)
    assert (post.likes, post.edited_at) == (None, None)


@pytest.mark.parametrize("make", [older, newer])
def test_both_forms_give_the_same_post(make: Any) -> None:
    page = page_of(make())
    assert [(post.uri, post.created_at) for post in page.posts] == [(URI, datetime(2026, 11, 22, 8, 59, tzinfo=UTC))]


def test_a_time_claimed_later_than_the_event_is_the_events() -> None:
    late = page_of(older(record=RECORD | {"createdAt": "2026-11-23T00:00:00Z"}))
    assert late.posts[0].created_at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    absurd = page_of(older(record=RECORD | {"createdAt": "0123-01-01T00:00:00Z"}))
    assert absurd.posts[0].created_at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert page_of(older(None, record={"text": "Tỏi chữa bách bệnh"})).problems[0].startswith("undated:")


def test_an_edit_takes_the_place_of_the_post() -> None:
    page = page_of(newer(1), newer(2, operation="update", record=RECORD | {"text": "Tỏi không chữa gì cả"}))
    (post,) = page.posts
    assert post.text == "Tỏi không chữa gì cả"
    assert post.edited_at == datetime(2026, 11, 22, 9, 0, 0, 123456, UTC)


@pytest.mark.parametrize("make", [older, newer])
def test_a_delete_takes_the_post_out_and_is_reported(make: Any) -> None:
    page = page_of(make(NINE), make(NINE + 1, operation="delete", record=None))
    assert page.posts == ()
    assert [(one.uri, one.reason) for one in page.dropped] == [(URI, "deleted")]
    assert reasons(page_of(make(operation="delete", record=None))) == ["deleted"]


def test_a_post_made_anew_is_not_deleted() -> None:
    page = page_of(newer(1), newer(2, operation="delete"), newer(3))
    assert len(page.posts) == 1
    assert page.dropped == ()


def test_what_a_stream_taken_up_again_repeats_counts_once() -> None:
    page = page_of(newer(1), newer(2, rkey="b"), newer(2, rkey="b"), newer(3, rkey="c"))
    assert len(page.posts) == 3
    assert reasons(page) == ["repeated"]
    assert page.watermark == {"seq": "3"}


def test_an_old_event_repeated_does_not_undo_a_later_one() -> None:
    edited = newer(2, operation="update", record=RECORD | {"text": "Tỏi không chữa gì cả"})
    assert page_of(newer(1), edited, newer(1)).posts[0].text == "Tỏi không chữa gì cả"


def test_two_posts_may_share_a_microsecond() -> None:
    assert len(page_of(older(), older(rkey="b")).posts) == 2


def test_events_of_accounts_are_dropped_without_naming_them() -> None:
    page = page_of(newer(7, kind="identity"), {"did": DID, "time_us": NINE, "kind": "account", "account": {}})
    assert [(one.uri, one.reason) for one in page.dropped] == [("", "identity"), ("", "account")]
    assert page.watermark == {"seq": "7", "time_us": str(NINE)}


def test_advice_moves_no_cursor() -> None:
    advice = {"$type": "network.bsky.jetstream.subscribeEvents#info", "name": "OutdatedCursor", "seq": 99}
    page = page_of({"$type": "message", "payload": advice}, advice, newer(3))
    assert page.watermark == {"seq": "3"}
    assert [problem.partition(":")[0] for problem in page.problems] == ["gap"]
    assert page_of({"$type": "error", "error": "ConsumerTooSlow"}, newer()).problems[0].startswith("closed:")


def test_an_unknown_advice_is_passed_over() -> None:
    assert page_of({"$type": "network.bsky.jetstream.subscribeEvents#info", "name": "New"}, newer()).problems == ()


def test_a_wish_on_the_post_itself_is_honoured() -> None:
    wish = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "!no-unauthenticated"}]}
    event = newer(record=RECORD | {"labels": wish})
    assert reasons(page_of(event)) == ["opted_out"]
    assert len(page_of(event, policy="none").posts) == 1


@pytest.mark.parametrize(
    ("event", "reason"),
    [(newer(did="x"), "no_uri"), (newer(rkey=""), "no_uri"), (newer(operation="merge"), "unknown_operation"),
     (newer(record=None), "no_record"), (newer(record={"$type": "x.y.z"}), "no_record"), ({"a": 1}, "not_an_event"),
     (b'{"did": ', "not_json"), (b"\xff\xfe", "not_json")],
)  # fmt: skip
def test_one_bad_event_does_not_cost_the_capture(event: object, reason: str) -> None:
    page = page_of(event, newer(9, rkey="good"))
    assert [each.reason for each in page.rejected] == [reason]
    assert [post.native_id for post in page.posts] == ["good"]


def test_a_post_without_words_is_dropped() -> None:
    assert reasons(page_of(newer(record=RECORD | {"text": " "}))) == ["empty"]


def test_arrays_and_frames_without_line_ends_are_read() -> None:
    pair = [newer(1), newer(2, rkey="b")]
    for body in (
        json.dumps(pair),
        json.dumps(pair, indent=2),
        "".join(map(json.dumps, pair)),
        "\r\n".join(map(json.dumps, pair)),
    ):
        assert len(page_of(b"\xef\xbb\xbf" + body.encode()).posts) == 2


def test_a_lone_surrogate_harms_nobody() -> None:
    (post,) = page_of(newer(rkey="a\ud800", record=RECORD | {"text": "Tỏi \ud83d\ude00 \ud800 chữa"})).posts
    assert post.uri.encode()
    assert "😀" in post.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error": "CursorTooOld", "message": "no"}', "gap"),
        (b'{"error": "InvalidRequest", "message": "no"}', "bad_request"),
        (b'{"error": "RateLimitExceeded"}', "rate_limited"),
        (b"<html><h1>403 Forbidden</h1></html>", "forbidden"),
        (b" \n", "empty"),
    ],
)
def test_refusals_are_named(body: bytes, code: str) -> None:
    page = page_of(body)
    assert page.understood
    assert page.problems[0].partition(":")[0] == code


@pytest.mark.parametrize("rubbish", [b"hello", b"[1]", b"{}", b"\x00\x01", b'{"did": "x"', b'{"error": []}'])
def test_rubbish_is_not_understood(rubbish: bytes) -> None:
    page = page_of(rubbish)
    assert not page.understood
    assert page.problems


def test_a_packed_capture_is_read() -> None:
    frames = b"".join(zstd.compress(json.dumps(newer(place, rkey=str(place))).encode()) for place in (1, 2, 3))
    assert len(page_of(frames).posts) == 3
    assert page_of(frames[:-5]).problems[0].startswith("zstd_unreadable:")
    known = zstd.ZstdDict(json.dumps(newer()).encode() * 20, is_raw=True)
    locked = zstd.compress(json.dumps(newer()).encode(), zstd_dict=known)
    assert page_of(locked).problems
    assert page_of(b"\x28\xb5\x2f\xfd rest").problems[0].startswith("zstd_unreadable:")


@given(st.data())
def test_no_mutation_raises(data: st.DataObject) -> None:
    body = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 8))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    page_of(bytes(body[: data.draw(st.integers(0, len(body)))]))


@given(
    st.sampled_from(["did", "seq", "time", "operation", "collection", "rkey", "record", "$type"]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.just({"a": {}}),
)
def test_no_value_of_any_field_raises(field: str, value: Any) -> None:
    event = newer()
    event["payload"][field] = value
    nested = older()
    nested["commit"][field] = nested[field] = value
    page_of(event, nested, newer(9, rkey="good"))
