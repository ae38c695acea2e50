"""SIGKILL at random moments: nothing lost, nothing twice. Twenty times each; `make soak`."""

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from soak import (
    PASSWORD,
    ROOT,
    all_posts,
    command,
    counted,
    decide,
    desk_at,
    finish,
    forget_leases,
    kill_after,
    next_card,
    sign_in,
    wait_for,
    written_rows,
)

from claimwatch.desk import Desk
from claimwatch.ledger import decisions, users
from claimwatch.posts.base import Work
from claimwatch.records import CardState, Post, Role
from claimwatch.settings import Places, places
from jobs.demo.network import SampleNetwork
from jobs.demo.script import demo_sources

pytestmark = [pytest.mark.soak, pytest.mark.encoder]

KILLS = 20


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20261123)


@pytest.fixture
def where(tmp_path: Path, home: dict[str, str]) -> tuple[Places, dict[str, str]]:
    """A configuration of its own: no waits, posts of any age, the shipped claim library."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "claimwatch.yml").write_text("crawl: {delay: 0, max_age_days: 3650}\n", encoding="utf-8")
    (config / "claims").symlink_to(ROOT / "config/claims")
    environment = home | {"CLAIMWATCH_CONFIG": str(config)}
    return places(environment), environment


def test_killed_crawls_lose_and_repeat_nothing(
    where: tuple[Places, dict[str, str]], tmp_path: Path, chance: random.Random
) -> None:
    place, environment = where
    with SampleNetwork() as network:
        listed = [
            {"name": one.name, "kind": one.kind, "settings": dict(one.settings)}
            for one in demo_sources(network.base_url)
        ]
        (tmp_path / "config/sources.yml").write_text(json.dumps(listed), encoding="utf-8")
        undisturbed = environment | {"CLAIMWATCH_DATA": str(tmp_path / "undisturbed")}
        finish(undisturbed, "crawl", codes=(0, 1))
        killed = tries = 0
        while killed < KILLS and tries < 4 * KILLS:
            tries += 1
            killed += kill_after(command(environment, "crawl"), chance.uniform(0.5, 2.0))
            forget_leases(place, environment)
        finish(environment, "crawl", codes=(0, 1))
    print(f"\ncrawl: killed {killed} times in {tries} crawls")
    with desk_at(places(undisturbed), undisturbed) as calm, desk_at(place, environment) as desk:
        assert {post.id for post in all_posts(desk)} == {post.id for post in all_posts(calm)}
        outcomes = counted(desk)
        print("outcomes", dict(outcomes))
        assert outcomes["stored"] == len(all_posts(desk))
    assert killed == KILLS


def test_killed_classification_leaves_no_post_out_and_no_flag_without_a_card(
    where: tuple[Places, dict[str, str]], tmp_path: Path, chance: random.Random
) -> None:
    place, environment = where
    environment["CLAIMWATCH_CLASSIFY__BATCH"] = "32"
    written_rows(tmp_path / "rows.jsonl", 3000)
    for _ in range(3):
        kill_after(
            command(environment, "import", str(tmp_path / "rows.jsonl"), "--source", "soak"), chance.uniform(0.5, 2)
        )
    finish(environment, "import", str(tmp_path / "rows.jsonl"), "--source", "soak")
    killed = 0
    for _ in range(KILLS):
        killed += kill_after(command(environment, "classify"), chance.uniform(2.0, 8.0))
        forget_leases(place, environment)
    finish(environment, "classify")
    print(f"\nclassify: killed {killed} of {KILLS} in the middle")
    with desk_at(place, environment) as desk:
        posts = all_posts(desk)
        assert len(posts) == counted(desk)["stored"] == 3000
        assessed = {key: one for start in range(0, 3000, 500) for key, one in said(desk, posts[start : start + 500])}
        assert len(assessed) == 3000
        assert all(post.group for post in posts)
        flagged_groups = {str(post.group) for post in posts if assessed[post.id].flag}
        assert set(desk.posts.card(flagged_groups)) == flagged_groups
        assert desk.posts.count_cards()[CardState.OPEN] == len(flagged_groups)
        assert desk.posts.pending(Work(stage="group"), range(256)) == []
    assert killed >= KILLS // 2


def said(desk: Desk, posts: list[Post]):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return desk.posts.assessments([post.id for post in posts]).items()


def test_killed_pages_lose_no_decision_and_double_none(
    where: tuple[Places, dict[str, str]], tmp_path: Path, chance: random.Random
) -> None:
    place, environment = where
    written_rows(tmp_path / "rows.jsonl", 1100)
    finish(environment, "import", str(tmp_path / "rows.jsonl"), "--source", "soak")
    finish(environment, "classify")
    with desk_at(place, environment) as desk, desk.ledger.write() as db:
        users.add(db, "mai", PASSWORD, Role.MODERATOR, desk.now())
    acknowledged: list[str] = []
    for round_number in range(KILLS):
        port = 18_000 + os.getpid() % 1000 * 20 + round_number
        process = command(environment, "web", "--port", str(port))
        decide_until_killed(process, f"http://127.0.0.1:{port}", acknowledged, chance.uniform(0.3, 1.5))
    print(f"\ndecide: {len(acknowledged)} decisions acknowledged over {KILLS} kills")
    with desk_at(place, environment) as desk:
        with desk.ledger.read() as db:
            kept = decisions.every(db)
            assert decisions.waiting(db) == []
        per_card = Counter(one.card for one in kept)
        assert set(acknowledged) <= set(per_card)
        assert all(count == 1 for count in per_card.values())
        assert len(kept) - len(acknowledged) <= KILLS  # a kill may come between the commit and its answer
        states = desk.posts.card(list(per_card))
        assert all(card.state is CardState.DECIDED for card in states.values())
        assert len(states) == len(per_card)
    assert len(acknowledged) >= KILLS


def decide_until_killed(process: subprocess.Popen[bytes], url: str, acknowledged: list[str], seconds: float) -> None:
    """Sign in and decide card after card over HTTP until the process is killed under our hands."""
    try:
        with httpx.Client(base_url=url, timeout=5, follow_redirects=True) as client:
            wait_for(client)
            sign_in(client)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                card = next_card(client)
                if card is None:
                    break
                if time.monotonic() + 0.02 >= end:
                    process.send_signal(signal.SIGKILL)
                decide(client, card, acknowledged)
    except httpx.TransportError:
        pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
