"""Every kind of source against a network that misbehaves, accounted for to the last post."""

import re
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import NOW, at
from mock_network import FAULTS, MockNetwork, Site, word
from mock_sites import all_sites
from soak import all_posts

from claimwatch.desk import Desk
from claimwatch.ledger import sources
from claimwatch.records import Source
from claimwatch.settings import Crawl
from crawlers.crawl import crawl_now

_MARK = re.compile(r"Ký hiệu (\w+) bản (\w+)")
_CALM_ROUNDS = 2


def crawled_rounds(desk: Desk, network: MockNetwork, rounds: int) -> dict[str, Counter[str]]:
    """Crawl all sites round after round while their posts come and go; the outcomes of each source."""
    outcomes: dict[str, Counter[str]] = {site.name: Counter() for site in network.sites}
    failures: Counter[str] = Counter()
    for number in range(rounds + _CALM_ROUNDS):
        if number == rounds:
            network.calm_down()
        now = NOW + timedelta(minutes=30 * number)
        if number < rounds:
            network.go_on(now)
        for done in crawl_now(at(desk, now), [site.name for site in network.sites]):
            outcomes[done.source] += done.outcomes
            failures[done.failure.partition(":")[0]] += 1
            assert number < rounds or not done.failure, done
    print(f"\n{rounds} rounds: faults {dict(network.faults)}; crawls ended {dict(failures)}")
    return outcomes


def set_up(desk: Desk, sites: Iterable[Site]) -> Desk:
    with desk.ledger.write() as db:
        for site in sites:
            allowed = ["127.0.0.1", site.base.removeprefix("http://")]
            sources.put(db, Source(name=site.name, kind=site.kind, settings=site.settings() | {"allow_hosts": allowed}))
    tokens = {site.credential: "a token of nobody" for site in sites if site.credential}
    crawl = Crawl(delay=0, max_body_mb=1, max_pages=1000, timeout=10)
    return replace(desk, credentials=tokens, settings=desk.settings.model_copy(update={"crawl": crawl}))


def check_books(desk: Desk, network: MockNetwork, outcomes: dict[str, Counter[str]]) -> int:
    """What is kept and counted is exactly what was shown, and all that is public now was; how many posts that is."""
    shared = {id(site.books): site.books for site in network.sites}
    for key, books in shared.items():
        sites = [site for site in network.sites if id(site.books) == key]
        counted = sum((outcomes[site.name] for site in sites), Counter[str]())
        names = " and ".join(f"{site.name} ({site.kind})" for site in sites)
        missed = {thing.mark for site in sites for thing in site.alive()} - books.present.keys()
        assert not missed, f"{names}: public and never kept: {sorted(missed)}"
        assert counted == books.outcomes, f"{names}: counted, then shown"
        assert counted["stored"] == len(books.present) + counted["deleted"]
    kept = Counter(found.groups() if (found := _MARK.search(post.text)) else ("", "") for post in all_posts(desk))
    shown = ((mark, word(version)) for books in shared.values() for mark, version in books.present.items())
    assert kept == Counter(shown)
    return kept.total()


def test_eight_rounds_of_a_bad_network_leave_exact_accounts(desk: Desk) -> None:
    with MockNetwork(all_sites(5), seed=5) as network:
        known = set_up(desk, network.sites)
        outcomes = crawled_rounds(known, network, 8)
        assert check_books(desk, network, outcomes) > 100


@pytest.mark.soak
def test_two_hundred_rounds_of_a_bad_network_leave_exact_accounts(desk: Desk) -> None:
    begun = time.monotonic()
    with MockNetwork(all_sites(11), seed=11) as network:
        known = set_up(desk, network.sites)
        outcomes = crawled_rounds(known, network, 200)
        posts = check_books(desk, network, outcomes)
        assert network.faults.keys() == FAULTS
    total = sum(outcomes.values(), Counter[str]())
    print(f"{posts:,} posts kept in {time.monotonic() - begun:.0f} s; {dict(total.most_common())}")
    assert posts > 3_000
