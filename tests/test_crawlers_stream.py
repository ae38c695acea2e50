"""Listening to Jetstream: pages and cursors, cuts, packed messages, kills, stops, closed accounts."""

import asyncio
import json
import threading
import time
from typing import Any

import pytest
from aiohttp import web
from stream_server import DICTIONARY, StreamServer, streaming

from claimwatch.desk import Desk
from claimwatch.ledger import claims, sources
from claimwatch.posts.base import Search
from claimwatch.records import Claim, Source
from crawlers.crawl import Crawled, crawl_now, event_loop, stop_crawls
from crawlers.jetstream import batch, stream
from crawlers.jetstream.packing import PackingError, Unpacker, zstd
from crawlers.jetstream.spider import OVERLAP, JetstreamSettings, StreamPlan
from crawlers.jetstream.wanted import Wanted
from factories import NOW

NINE = 1_794_790_800_000_000  # 2026-11-16 01:00 UTC, an hour before the desk's now
BOTH = pytest.mark.parametrize("wire", ["v1", "v2"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PAUSE", 0.01)
    monkeypatch.setattr(stream, "KEEP_EVERY", 0.15)


def event(wire: str, place: int, text: str = "Tỏi chữa covid", *, who: str = "a", **more: Any) -> dict[str, Any]:
    """A post of the invented account `who`, under a key made of its place."""
    did, record = f"did:plc:invented{who}", {"$type": "app.bsky.feed.post", "text": text}
    record["createdAt"] = "2026-11-16T01:00:00Z"
    commit = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": f"k{place}", "record": record} | more
    if wire == "v1":
        return {"did": did, "time_us": NINE + place, "kind": "commit", "commit": commit}
    kind = "network.bsky.jetstream.subscribeEvents#commit"
    where = {"$type": kind, "did": did, "seq": place, "time": f"2026-11-16T01:00:{place % 60:02d}.000000Z"}
    return {"$type": "message", "payload": where | commit}


def closed(wire: str, place: int, status: str = "deleted", *, who: str = "a") -> dict[str, Any]:
    did, account = f"did:plc:invented{who}", {"active": False, "status": status, "did": f"did:plc:invented{who}"}
    if wire == "v1":
        return {"did": did, "time_us": NINE + place, "kind": "account", "account": account}
    kind = "network.bsky.jetstream.subscribeEvents#account"
    where = {"$type": kind, "did": did, "seq": place, "time": "2026-11-16T01:00:00.000000Z"}
    return {"$type": "message", "payload": where | {"account": account}}


def crawl(desk: Desk, server: StreamServer, wire: str = "v2", **settings: Any) -> Crawled:
    """Listen until everything that the server has was taken, or the crawl ended by itself."""
    chosen = {"wire": wire, "base_url": server.url, "allow_hosts": [server.host], "words": "covid", "minutes": 5}
    source = Source(name="stream", kind="jetstream", settings=chosen | settings)
    with desk.ledger.write() as db:
        sources.put(db, source)
    server.caught_up, ended = False, threading.Event()
    watch = threading.Thread(target=_stop_when_caught_up, args=(server, ended))
    watch.start()
    try:
        (done,) = crawl_now(desk, ["stream"])
    finally:
        ended.set()
        watch.join()
    return done


def _stop_when_caught_up(server: StreamServer, ended: threading.Event) -> None:
    while not (server.caught_up or ended.wait(0.01)):
        pass
    asyncio.run_coroutine_threadsafe(stop_crawls(), event_loop()).result(timeout=60)


def state(desk: Desk) -> dict[str, Any]:
    with desk.ledger.read() as db:
        return sources.cursor(db, "stream", "stream")


def attention(desk: Desk) -> str:
    with desk.ledger.read() as db:
        return sources.get(db, "stream").attention


def kept(desk: Desk) -> list[str]:
    return sorted(post.text for post in desk.posts.search(Search(source="stream", limit=500)).posts)


@BOTH
@pytest.mark.parametrize("compress", [True, False])
def test_the_stream_is_kept_in_pages_with_its_cursor(
    desk: Desk, wire: str, compress: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_WANTED", 10)
    with streaming(events=[event(wire, n, f"Covid số {n}") for n in range(1, 36)]) as server:
        done = crawl(desk, server, wire, compress=compress)
        assert server.asked[0].get("collections" if wire == "v2" else "wantedCollections") == ["app.bsky.feed.post"]
    assert (done.failure, done.outcomes) == ("", {"stored": 35})
    assert done.pages >= 4
    assert state(desk)["time_us" if wire == "v1" else "seq"] == (NINE + 35 if wire == "v1" else 35)


def test_messages_travel_packed_with_the_servers_dictionary(desk: Desk) -> None:
    with streaming(events=[event("v2", 1)]) as server:
        assert crawl(desk, server).outcomes == {"stored": 1}
        assert server.asked[0]["zstdDictionary"] == [str(DICTIONARY.dict_id)]
        assert server.protocols == ["xrpc.v1.json"]
        assert "deflate" not in server.extensions[0]


def test_the_first_form_is_packed_by_zstd_where_the_dictionary_lies_somewhere(desk: Desk) -> None:
    with streaming(events=[event("v1", 1)]) as server:
        url = f"{server.url.replace('ws', 'http', 1)}/xrpc/network.bsky.jetstream.getZstdDictionary"
        assert crawl(desk, server, "v1", dictionary_url=url).outcomes == {"stored": 1}
        assert (server.asked[0]["compress"], server.extensions) == (["true"], [""])


def test_the_first_form_is_packed_by_the_websocket_else(desk: Desk) -> None:
    with streaming(events=[event("v1", 1)]) as server:
        assert crawl(desk, server, "v1").outcomes == {"stored": 1}
        assert "permessage-deflate" in server.extensions[0]
        assert "compress" not in server.asked[0]


@pytest.mark.parametrize("dictionary", [b"", b"no dictionary at all"])
def test_without_a_dictionary_messages_travel_plain(desk: Desk, dictionary: bytes) -> None:
    with streaming(events=[event("v2", 1)], dictionary=dictionary) as server:
        assert crawl(desk, server).outcomes == {"stored": 1}
        assert "zstdDictionary" not in server.asked[0]


def test_a_retired_dictionary_is_given_up(desk: Desk) -> None:
    retired = web.json_response({"error": "UnknownZstdDictionary"}, status=400)
    with streaming(events=[event("v2", 1)], refuse=[retired]) as server:
        assert crawl(desk, server).outcomes == {"stored": 1}
        assert ["zstdDictionary" in one for one in server.asked] == [True, False]


@BOTH
def test_the_next_crawl_goes_on_from_the_cursor(desk: Desk, wire: str) -> None:
    with streaming(events=[event(wire, n, f"Covid số {n}") for n in (1, 2)]) as server:
        crawl(desk, server, wire)
        server.events += [event(wire, n, f"Covid số {n}") for n in (3, 4)]
        second = crawl(desk, server, wire)
        cursor = server.asked[-1]["cursor"]
    assert second.outcomes["stored"] == 2
    assert cursor == (["2"] if wire == "v2" else [str(NINE + 2 - OVERLAP)])
    assert second.outcomes.get("unchanged", 0) == (0 if wire == "v2" else 2)
    assert len(kept(desk)) == 4


@BOTH
def test_cut_connections_lose_and_repeat_nothing(desk: Desk, wire: str) -> None:
    events = [event(wire, n, f"Covid số {n}") for n in range(1, 13)]
    with streaming(events=events, cut_after=[3, 1, 6]) as server:
        done = crawl(desk, server, wire)
        assert len(server.asked) == 4
    assert done.failure == ""
    assert done.outcomes["stored"] == 12
    assert len(kept(desk)) == 12


@BOTH
def test_a_kill_between_posts_and_cursor_loses_and_repeats_nothing(
    desk: Desk, wire: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise MemoryError

    with streaming(events=[event(wire, n, f"Covid số {n}") for n in range(1, 6)]) as server:
        with monkeypatch.context() as patched:
            patched.setattr("claimwatch.ledger.sources.move_cursor", killed)
            with pytest.raises(MemoryError):
                crawl(desk, server, wire)
        assert (len(kept(desk)), state(desk)) == (5, {})
        assert crawl(desk, server, wire).outcomes == {"stored": 5}
    assert len(kept(desk)) == 5


def test_a_silent_stream_is_connected_to_anew(desk: Desk) -> None:
    with streaming(silent=True) as server:
        done = crawl(desk, server, silence=0.05)
        assert len(server.asked) >= 2
    assert "cut" in done.failure
    assert not done.permanent


def test_a_server_that_only_cuts_is_given_up(desk: Desk) -> None:
    with streaming(events=[event("v2", 1)], cut_after=[0] * 20) as server:
        done = crawl(desk, server)
        assert len(server.asked) == stream.CUTS
    assert (done.permanent, "cut" in done.failure) == (False, True)


def test_a_stop_keeps_the_page_under_way_and_ends_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEEP_EVERY", 600)
    begun = time.monotonic()
    with streaming(events=[event("v2", n, f"Covid số {n}") for n in (1, 2, 3)]) as server:
        done = crawl(desk, server, minutes=10)
    assert time.monotonic() - begun < 300
    assert (done.outcomes, done.failure, done.pages) == ({"stored": 3}, "", 1)
    assert state(desk)["seq"] == 3


def test_listening_ends_when_its_minutes_are_over(desk: Desk) -> None:
    with streaming(silent=True) as server:
        done = crawl(desk, server, minutes=0.002)
    assert (done.outcomes, done.failure) == ({}, "")


def test_only_wanted_posts_are_kept_and_the_others_counted(desk: Desk) -> None:
    texts = ["Thời tiết hôm nay", "VACCINE gây bệnh", "uong nuoc muoi am khoi covid", "Chào buổi sáng"]
    with desk.ledger.write() as db:
        phrasings = {"vi": ("Uống nước muối ấm là khỏi Covid",)}
        claims.seed(db, [Claim(id="salt", statement={"vi": "Muối"}, phrasings=phrasings)], desk.now())
    with streaming(events=[event("v2", n, text) for n, text in enumerate(texts, 1)]) as server:
        done = crawl(desk, server, words="vắc xin, vaccine")
    assert done.outcomes == {"stored": 2, "dropped(off_topic)": 2}
    assert kept(desk) == [texts[1], texts[2]]


def test_only_posts_in_the_chosen_languages_are_kept(desk: Desk) -> None:
    texts = ["Uống nước tỏi thì khỏi bệnh covid, bà tôi bảo thế", "Garlic water cures covid, so my old aunt tells me"]
    with streaming(events=[event("v2", n, text) for n, text in enumerate(texts, 1)]) as server:
        done = crawl(desk, server, languages="vi")
    assert done.outcomes == {"stored": 1, "dropped(language)": 1}


def test_with_nothing_to_look_for_the_source_says_so(desk: Desk) -> None:
    with streaming() as server:
        done = crawl(desk, server, words="", claims=False)
        assert server.asked == []
    assert (done.permanent, "words" in done.failure) == (True, True)
    assert attention(desk) == done.failure


@BOTH
def test_a_post_deleted_on_the_stream_is_deleted_here(desk: Desk, wire: str) -> None:
    with streaming(events=[event(wire, 1), event(wire, 2, "Covid nữa")]) as server:
        crawl(desk, server, wire)
        server.events.append(event(wire, 3, operation="delete", rkey="k1"))
        assert crawl(desk, server, wire).outcomes["deleted"] == 1
    assert kept(desk) == ["Covid nữa"]


@BOTH
@pytest.mark.parametrize("status", ["deleted", "deactivated", "takendown"])
def test_posts_of_a_closed_account_are_deleted_here(desk: Desk, wire: str, status: str) -> None:
    events = [event(wire, 1, who="a"), event(wire, 2, "Covid của người khác", who="b"), event(wire, 3, who="a")]
    with streaming(events=events) as server:
        crawl(desk, server, wire)
        server.events.append(closed(wire, 4, status, who="a"))
        done = crawl(desk, server, wire)
    assert done.outcomes["deleted"] == 2
    assert kept(desk) == ["Covid của người khác"]
    assert "gone" not in state(desk)
    assert "did:" not in json.dumps(state(desk))


def test_a_throttled_account_keeps_its_posts(desk: Desk) -> None:
    with streaming(events=[event("v2", 1), closed("v2", 2, "throttled")]) as server:
        assert crawl(desk, server).outcomes == {"stored": 1}
    assert len(kept(desk)) == 1


def test_a_cursor_of_another_server_gives_way_to_the_time(desk: Desk) -> None:
    with streaming(events=[event("v2", 900)]) as first:
        crawl(desk, first)
    with streaming(events=[event("v2", 5, "Covid ở nơi khác")]) as second:
        crawl(desk, second)
        assert int(second.asked[0]["cursor"][0]) >= 10**15


def test_a_cursor_ahead_of_the_stream_does_not_hide_what_comes() -> None:
    info = {"$type": "network.bsky.jetstream.subscribeEvents#info", "name": "FutureCursor"}
    made = batch.Batch(Wanted(["covid"], []), known={"seq": 900})
    for one in (event("v2", 4), {"$type": "message", "payload": info}, event("v2", 5), event("v2", 5)):
        made.take(json.dumps(one).encode(), NOW)
    page = made.page(now=NOW, policy="respectful", languages=())
    assert [post.native_id for post in page.posts] == ["k5"]
    assert page.watermark["seq"] == "5"


def test_a_cursor_too_old_goes_on_by_time_and_says_that_something_is_missing(desk: Desk) -> None:
    with streaming(events=[event("v2", 1)]) as server:
        crawl(desk, server)
        server.refuse.append(web.json_response({"error": "CursorTooOld", "message": "no"}, status=400))
        done = crawl(desk, server)
        assert int(server.asked[-1]["cursor"][0]) >= 10**15
    assert done.failure == ""
    assert any(problem.startswith("gap:") for problem in done.problems)


@pytest.mark.parametrize(
    ("refusal", "permanent", "said"),
    [
        (web.json_response({"error": "InvalidRequest"}, status=400), True, "400: bad_request"),
        (web.Response(status=403, text="Forbidden"), True, "403: forbidden"),
        (web.Response(status=404, text="Not Found"), True, "404: not_found"),
        (web.Response(status=429, headers={"Retry-After": "600"}), False, "429: the server asks to wait"),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}), True, "redirects"),
    ],
)
def test_a_refused_handshake_is_told_with_its_reason(
    desk: Desk, refusal: web.Response, permanent: bool, said: str
) -> None:
    with streaming(refuse=[refusal]) as server:
        done = crawl(desk, server, compress=False)
    assert (done.permanent, said in done.failure) == (permanent, True), done.failure


def test_a_fault_of_the_server_is_waited_out(desk: Desk) -> None:
    with streaming(events=[event("v2", 1)], refuse=[web.Response(status=502), web.Response(status=500)]) as server:
        assert crawl(desk, server).outcomes == {"stored": 1}


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_stream_leads_to_no_private_address_unless_named(desk: Desk, name: str) -> None:
    with streaming(events=[event("v2", 1)]) as server:
        url = server.url.replace("127.0.0.1", name)
        refused = crawl(desk, server, base_url=url, allow_hosts=[])
        assert server.asked == []
        assert crawl(desk, server, base_url=url, allow_hosts=[name]).outcomes == {"stored": 1}
    assert refused.permanent
    assert "allow_hosts" in refused.failure


def test_bad_messages_cost_only_themselves(desk: Desk) -> None:
    broken = event("v2", 2, operation="merge")
    with streaming(events=[event("v2", 1), broken, {"nonsense": 1}, event("v2", 4, "Covid bốn")]) as server:
        done = crawl(desk, server)
    assert done.outcomes == {"stored": 2, "rejected(unknown_operation)": 1, "rejected(not_an_event)": 1}


def test_a_bomb_in_a_message_is_not_unpacked() -> None:
    unpacker = Unpacker(DICTIONARY.dict_content)
    assert unpacker.unpack(zstd.compress(b"plain", zstd_dict=DICTIONARY)) == b"plain"
    for bad in (zstd.compress(b" " * 50_000_000, zstd_dict=DICTIONARY), b"rubbish", zstd.compress(b"a" * 99)[:-4]):
        with pytest.raises(PackingError):
            unpacker.unpack(bad)


def test_a_page_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    one = json.dumps(event("v2", 1)).encode()
    full = batch.Batch(Wanted(["covid"], []), known={})
    monkeypatch.setattr(batch, "_BYTES", len(one))
    full.take(one, NOW)
    assert full.is_full


def test_words_match_whole_words_without_accents_and_phrasings_by_most_of_theirs() -> None:
    wanted = Wanted(["vắc xin", "5G"], ["Uống nước muối ấm sẽ khỏi covid", "ngắn quá"])
    assert wanted.keeps("VAC XIN có hại")
    assert wanted.keeps("Sóng 5g!")
    assert not wanted.keeps("vắc xinh")
    assert wanted.keeps("bạn uống nước muối thì khỏi covid đó")
    assert not wanted.keeps("uống nước")
    assert not wanted.keeps("ngắn quá")
    assert not Wanted([], ["hai chữ"])


def test_the_state_of_a_plan_goes_only_onward() -> None:
    plan = StreamPlan("s", JetstreamSettings(words=("covid",), base_url="wss://a.example/"))
    assert plan.first({}).url == (
        "wss://a.example/xrpc/network.bsky.jetstream.subscribeEvents"
        "?collections=app.bsky.feed.post&kinds=commit&kinds=account"
    )
    assert plan.first({"seq": 7, "server": "wss://a.example"}).url.endswith("&cursor=7")
    assert plan.dictionary_url == "https://a.example/xrpc/network.bsky.jetstream.getZstdDictionary"
