"""No source leads to an address that is not public, whatever way it takes, nor past the limits on one answer."""

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import brotli
import pytest
from backports import zstd
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from test_crawlers_crawl import Answer, crawl, feed, feed_source, served
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver
from zope.interface import implementer

from claimwatch.desk import Desk
from claimwatch.errors import SourceError
from claimwatch.ledger import sources
from claimwatch.records import Source
from claimwatch.settings import Crawl
from crawlers.crawl import Crawled, event_loop
from crawlers.guard import fault_of, hosts_in, is_named, is_public, origin
from crawlers.kinds import checked_settings

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.127.255.254", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "2002:7f00:1::", "2001:0:5ef5::1",
    "2001:db8::1", "100::1", "3fff::1", "5f00::1", "", "localhost", "127.1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.169.0.1", "2606:4700::1111", "2a00:1450:4001::200e"]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1/", "allow_hosts"),
        ("http://[::1]:80/", "allow_hosts"),
        ("http://[::ffff:10.0.0.1]/", "allow_hosts"),
        ("file:///etc/passwd", "cannot be read"),
        ("ftp://a.example/x", "no scheme"),
        ("gopher://a.example/x", "no scheme"),
        ("https://who:secret@a.example/", "user name or password"),
        ("https://@a.example/", "user name or password"),
        ("http://a.example:port/", "cannot be read"),
        ("http://[::1/", "cannot be read"),
        ("http:///x", "cannot be read"),
    ],
)
def test_a_url_that_may_not_be_asked_is_refused_in_one_line(url: str, said: str) -> None:
    fault = fault_of(url)
    assert said in fault
    assert "\n" not in fault
    assert "secret" not in fault


@pytest.mark.parametrize(
    "url", ["https://a.example/feed", "http://a.example:8081/", "http://8.8.8.8:9/", "wss://a.b/c"]
)
def test_public_urls_and_odd_ports_are_asked(url: str) -> None:
    assert fault_of(url) == ""


def test_a_host_is_named_with_any_port_or_with_its_own() -> None:
    assert is_named("http://Intern.example.:8080/x", ["intern.example"])
    assert is_named("http://intern.example:8080/x", ["intern.example:8080"])
    assert is_named("https://intern.example/x", ["intern.example:443"])
    assert is_named("http://[::1]:9/", ["::1"])
    assert is_named("http://[::1]:9/", ["[::1]:9"])
    assert is_named(f"http://{'bánh'.encode('idna').decode()}.example/", ["bánh.example"])
    for listed in (["intern.example:80"], ["example"], ["sub.intern.example"], [], [""]):
        assert not is_named("http://intern.example:8080/x", listed)


def test_a_list_of_hosts_may_be_written_as_text() -> None:
    assert hosts_in("a.example, b.example:8080") == hosts_in(["a.example", "b.example:8080"])
    assert hosts_in(None) == ()
    made = Source(name="x", kind="feed", settings={"url": "http://127.0.0.1:9/", "allow_hosts": "a.example,127.0.0.1"})
    assert checked_settings(made).allow_hosts == ("a.example", "127.0.0.1")


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://A.example/x?y") == origin("https://a.example:443/z")
    assert origin("https://a.example/") != origin("http://a.example/")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "http://169.254.169.254/latest/meta-data"}, "setting `url`: 169.254.169.254 is not on the public"),
        ({"url": "https://me:pass@feed.example/"}, "setting `url`: the address holds a user name or password"),
    ],
)
def test_a_source_is_refused_when_it_is_added(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceError, match="setting") as refused:
        checked_settings(Source(name="x", kind="feed", settings=settings))
    assert said in refused.value.reason
    assert refused.value.permanent


def attention(desk: Desk) -> str:
    with desk.ledger.read() as db:
        return sources.get(db, "tin").attention


def crawl_url(desk: Desk, url: str, *allowed: str) -> Crawled:
    return crawl(desk, Source(name="tin", kind="feed", settings={"url": url, "allow_hosts": list(allowed)}))


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433"])
def test_a_name_that_resolves_to_loopback_is_not_even_connected_to(desk: Desk, host: str) -> None:
    with listener() as (port, met):
        done = crawl_url(desk, f"http://{host}:{port}/rss")
    assert met == []
    assert done.permanent
    assert "not on the public Internet" in done.failure
    assert attention(desk) == done.failure


def test_a_named_host_is_asked_wherever_it_is(desk: Desk) -> None:
    with served(lambda *_: Answer(body=feed(1))) as site:
        url = site.url.replace("127.0.0.1", "localhost")
        assert crawl_url(desk, f"{url}/rss", "localhost").outcomes == {"stored": 1}


@implementer(IHostnameResolver)
class Rebinding:
    """A name service that turns from a public address to loopback between two look-ups."""

    def __init__(self, real: Any, port: int) -> None:
        self.real = real
        self.port = port
        self.asked = 0

    def resolveHostName(self, receiver: Any, hostName: str, *given: Any, **more: Any) -> Any:  # noqa: N802, N803
        if hostName != "rebind.example":
            return self.real.resolveHostName(receiver, hostName, *given, **more)
        self.asked += 1
        receiver.resolutionBegan(self)
        if self.asked > 1:
            receiver.addressResolved(IPv4Address("TCP", "127.0.0.1", self.port))
            receiver.addressResolved(IPv6Address("TCP", "::ffff:127.0.0.1", self.port))
        receiver.resolutionComplete()
        return self


def test_a_name_that_changes_its_mind_is_judged_at_each_connection(desk: Desk) -> None:
    event_loop()
    from twisted.internet import reactor as installed

    reactor: Any = installed
    with listener() as (port, met):
        names = Rebinding(reactor.nameResolver, port)
        reactor.installNameResolver(names)
        try:
            done = crawl_url(desk, f"http://rebind.example:{port}/rss")
        finally:
            reactor.installNameResolver(names.real)
    assert met == []
    assert names.asked > 1
    assert done.permanent
    assert "rebind.example is not on the public Internet" in done.failure


@pytest.mark.parametrize("target", ["http://localhost:{port}/x", "http://127.0.0.1:{port}/x", "http://[::1]:{port}/x"])
def test_a_redirect_to_a_private_address_is_not_followed(desk: Desk, target: str) -> None:
    with listener() as (port, met), served(lambda *_: Answer(302, headers={"Location": target.format(port=port)})) as s:
        done = crawl(desk, feed_source(s))
    assert met == []
    assert done.permanent
    assert "allow_hosts" in done.failure


def test_robots_txt_is_not_asked_of_a_private_address_either(desk: Desk) -> None:
    with listener() as (port, met), served(lambda *_: Answer(body=feed(1))) as site:
        site.robots = Answer(302, headers={"Location": f"http://localhost:{port}/robots.txt"})
        assert crawl(desk, feed_source(site)).outcomes == {"stored": 1}
    assert met == []


def test_a_next_page_at_a_private_address_is_not_asked(desk: Desk) -> None:
    with listener() as (port, met):
        more = f'{{"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": [{{"id": "1", \
"content_text": "Một bài viết"}}], "next_url": "http://localhost:{port}/more"}}'
        with served(lambda *_: Answer(body=more)) as site:
            done = crawl(desk, feed_source(site))
    assert met == []
    assert done.outcomes == {"stored": 1}
    assert any("allow_hosts" in problem for problem in done.problems)


def test_a_redirect_is_followed_and_takes_no_credential_to_another_host(desk: Desk) -> None:
    known = replace(desk, credentials={"CLAIMWATCH_YOUTUBE_KEY": "a key of nobody"})
    with served(lambda *_: Answer(body='{"items": []}')) as other:
        there = {"Location": f"{other.url}/moved"}
        with served(lambda *_: Answer(307, headers=there)) as site:
            settings = {"video": "abcdefghijk", "base_url": site.url, "allow_hosts": [site.host, other.host]}
            crawl(known, Source(name="tin", kind="youtube", settings=settings))
            assert site.asked[-1][1]["X-Goog-Api-Key"] == "a key of nobody"
        assert other.paths == ["/moved"]
        assert other.asked[-1][1]["X-Goog-Api-Key"] is None


def test_a_feed_that_moved_is_read_where_it_is_now(desk: Desk) -> None:
    def answer(path: str, _: int) -> Answer:
        return Answer(301, headers={"Location": "/new"}) if path == "/rss" else Answer(body=feed(1, 2))

    with served(answer) as site:
        assert crawl(desk, feed_source(site)).outcomes == {"stored": 2}
        assert site.paths == ["/rss", "/new"]


def test_redirects_without_end_are_given_up(desk: Desk) -> None:
    with served(lambda path, _: Answer(302, headers={"Location": f"{path}x"})) as site:
        done = crawl(desk, feed_source(site))
        assert len(site.paths) == 6
    assert (done.permanent, "redirects on and on" in done.failure) == (True, True)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://a.example/", "data:,x", ""])
def test_a_redirect_to_no_web_address_is_not_followed(desk: Desk, target: str) -> None:
    with served(lambda *_: Answer(302, headers={"Location": target} if target else {})) as site:
        done = crawl(desk, feed_source(site))
    assert done.permanent
    assert "redirects" in done.failure


BOMB = b"<rss>" + b" " * 30_000_000


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", lambda body: brotli.compress(body, quality=1)),
        ("zstd", zstd.compress),
        ("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
        ("gzip, br, zstd", lambda body: zstd.compress(brotli.compress(gzip.compress(body), quality=1))),
    ],
)
def test_a_bomb_is_not_unpacked(desk: Desk, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(BOMB)
    assert len(packed) < 1_000_000
    with served(lambda *_: Answer(raw=packed, headers={"Content-Encoding": encoding})) as site:
        done = crawl(desk, feed_source(site))
    assert done.permanent
    assert "larger than 16 MB: raise crawl.max_body_mb" in done.failure


def test_an_answer_that_says_it_is_too_large_is_refused(desk: Desk) -> None:
    with served(lambda *_: Answer(body="x" * 1_100_000)) as site:
        done = crawl(limited(desk, max_body_mb=1), feed_source(site))
    assert done.permanent
    assert "larger than 1 MB" in done.failure


def test_an_answer_without_end_is_cut_off(desk: Desk) -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x" * 100_000, pause=0.0) as (host, sent):
        done = crawl_url(limited(desk, max_body_mb=1), f"http://{host}/rss", host)
    assert done.permanent
    assert "larger than 1 MB" in done.failure
    assert sum(sent) < 20_000_000


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_slow_answer_is_given_up(desk: Desk, head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlers.crawl.RETRIES", 0)
    begun = time.monotonic()
    with dripping(head, b"x", pause=0.05) as (host, _):
        done = crawl_url(limited(desk, timeout=0.6), f"http://{host}/rss", host)
    assert (done.permanent, done.failure) == (False, "no answer within 0.6 seconds")
    assert time.monotonic() - begun < 60


def limited(desk: Desk, **limits: Any) -> Desk:
    return replace(desk, settings=desk.settings.model_copy(update={"crawl": Crawl(delay=0, **limits)}))


@contextmanager
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A port of loopback that nobody may come to; who did."""
    met: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield server.getsockname()[1], met
        with suppress(TimeoutError):
            met.append(server.accept()[1])


@contextmanager
def dripping(head: bytes, drop: bytes, *, pause: float) -> Iterator[tuple[str, list[int]]]:
    """A server that answers without end."""
    ended, sent = threading.Event(), [0]

    def answer(connection: socket.socket) -> None:
        with connection:
            asked = connection.recv(4096)
            try:
                if b"robots.txt" in asked:
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
                connection.sendall(head)
                while not ended.wait(pause):
                    connection.sendall(drop)
                    sent.append(len(drop))
            except OSError:
                return

    def serve(server: socket.socket) -> None:
        while not ended.is_set():
            try:
                connection = server.accept()[0]
            except TimeoutError:
                continue
            connection.settimeout(5)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", sent
        ended.set()
        thread.join()


def test_https_goes_the_same_guarded_way(desk: Desk, tmp_path: Path) -> None:
    with served(lambda *_: Answer(body=feed(1)), certificate=self_signed(tmp_path)) as site:
        url = site.url.replace("http://127.0.0.1", "https://localhost")
        refused = crawl_url(desk, f"{url}/rss")
        assert (refused.permanent, site.asked) == (True, [])
        assert crawl_url(desk, f"{url}/rss", "localhost").outcomes == {"stored": 1}


def self_signed(folder: Path) -> Path:
    """Key and certificate of `localhost` in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 7, datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
    ).sign(key, hashes.SHA256())
    pem, bare = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, bare)
    (folder / "localhost.pem").write_bytes(secret + made.public_bytes(pem))
    return folder / "localhost.pem"
