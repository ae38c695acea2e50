"""Three Elasticsearch nodes, PostgreSQL, three workers and the pages, killed one at a time, at random; `make soak`."""

import json
import os
import random
import signal
import statistics
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import servers
from growing_feeds import GrowingFeeds
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
    next_card,
    sign_in,
    wait_for,
)

from claimwatch.ledger import decisions, users
from claimwatch.posts.base import Work
from claimwatch.records import CardState, Role
from claimwatch.settings import places

pytestmark = [pytest.mark.soak, pytest.mark.encoder, pytest.mark.servers]

ROUNDS = int(os.environ.get("CLAIMWATCH_SOAK_ROUNDS", "100"))
#: Seconds in which everything must be well again after a fault.
RECOVERY = 180.0
STALL = 30.0
WORKERS = 3


@dataclass(slots=True, kw_only=True)
class Stage:
    """Everything that runs, and how to hurt it."""

    home: Path  #: of the unpacked Elasticsearch
    nodes: list[servers.ElasticNode]
    postgres: servers.Postgres
    environment: dict[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    restarts: int = 0  #: of workers that found a store away when they began, as systemd would start them again

    def start_worker(self) -> None:
        self.workers.append(command(self.environment, "worker"))

    def kill_worker(self, chance: random.Random) -> str:
        victim = self.workers.pop(chance.randrange(len(self.workers)))
        victim.kill()
        victim.wait()
        time.sleep(chance.uniform(0, 2))
        self.start_worker()
        return "worker"

    def kill_node(self, chance: random.Random) -> str:
        node = chance.choice(self.nodes)
        node.kill()
        time.sleep(chance.uniform(0, 3))
        node.start(self.home)
        return "node"

    def kill_postgres(self, chance: random.Random) -> str:
        self.postgres.kill()
        time.sleep(chance.uniform(0, 3))
        self.postgres.start()
        return "postgres"

    def stall_node(self, chance: random.Random) -> str:
        pid = chance.choice(self.nodes).pid()
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        time.sleep(STALL)
        os.kill(pid, signal.SIGCONT)
        return "stalled node"

    def stall_postgres(self, _: random.Random) -> str:
        pids = self.postgres.processes()
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in pids:
                os.kill(pid, number)
            time.sleep(STALL if number == signal.SIGSTOP else 0)
        return "stalled postgres"

    def fill_disk(self, _: random.Random) -> str:
        """What Elasticsearch does to its indices when a disk is full; with room on the disk it takes it back itself."""
        self.put("_all/_settings", {"index.blocks.read_only_allow_delete": True})
        return "full disk"

    def put(self, path: str, body: object) -> None:
        asked = urllib.request.Request(
            f"{self.nodes[0].url}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="PUT"
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert answer.status == 200

    def is_well(self, pages: str) -> bool:
        """Three nodes and green, the pages ready, every worker alive."""
        alive = [worker for worker in self.workers if worker.poll() is None]
        for _ in range(len(self.workers) - len(alive)):
            self.restarts += 1
            alive.append(command(self.environment, "worker"))
        self.workers = alive
        health = max((node.health() for node in self.nodes), key=len)
        if health.get("status") != "green" or health["number_of_nodes"] < len(self.nodes):
            return False
        try:
            ready = httpx.get(f"{pages}/ready", timeout=10).status_code == 200
        except httpx.TransportError:
            return False
        return ready


@dataclass(slots=True, kw_only=True)
class Moderator:
    """Somebody who works through the queue all the while, over HTTP, and notes what the pages acknowledge."""

    url: str
    acknowledged: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with httpx.Client(
                    base_url=self.url, timeout=60, follow_redirects=True, event_hooks={"response": [self.noted]}
                ) as client:
                    sign_in(client)
                    self.work(client)
            except httpx.TransportError as error:
                self.problems.append(f"no answer: {type(error).__name__}")
            except AssertionError:
                time.sleep(0.5)  # a page that says what is wrong, noted by its status

    def work(self, client: httpx.Client) -> None:
        while not self.stop.wait(0.2):
            card = next_card(client)
            if card is not None and client.get(card).status_code == 200:
                decide(client, card, self.acknowledged)

    def noted(self, response: httpx.Response) -> None:
        self.answers[response.status_code] += 1
        if response.status_code >= 500:
            page = response.read().decode()
            if response.status_code != 503 or "Traceback" in page or "<main" not in page:
                self.problems.append(f"{response.status_code}: {page[:300]}")


@pytest.fixture
def stage(tmp_path: Path, home: dict[str, str]) -> Iterator[Stage]:
    with servers.run_folder() as folder, ExitStack() as running:
        nodes = running.enter_context(servers.elasticsearch(folder / "elastic", nodes=3))
        postgres = running.enter_context(servers.postgres(folder / "postgres"))
        config = tmp_path / "config"
        config.mkdir()
        (config / "claimwatch.yml").write_text(
            "crawl: {delay: 0}\nschedule: {classify: 1, rescore: 1, purge: 5}\n", encoding="utf-8"
        )
        (config / "claims").symlink_to(ROOT / "config/claims")
        hosts = ",".join(node.url.removeprefix("http://") for node in nodes)
        environment = home | {
            "CLAIMWATCH_CONFIG": str(config),
            "CLAIMWATCH_STORES__POSTS": f"elasticsearch+http://{hosts}/soak",
            "CLAIMWATCH_STORES__LEDGER": postgres.url,
            "CLAIMWATCH_CLASSIFY__THREADS": "1",
        }
        made = Stage(home=servers.fetch_elasticsearch(), nodes=nodes, postgres=postgres, environment=environment)
        yield made
        for worker in made.workers:
            worker.kill()
            worker.wait()


@contextmanager
def pages_of(stage: Stage) -> Iterator[str]:
    port = servers.free_port()
    web = command(stage.environment, "web", "--port", str(port))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
            wait_for(client)
        yield f"http://127.0.0.1:{port}"
        assert web.poll() is None, "the pages ended"
    finally:
        web.kill()
        web.wait()


def well_again(stage: Stage, url: str) -> float:
    """Seconds until everything is well, which nobody helps."""
    begun = time.monotonic()
    while not stage.is_well(url):
        assert time.monotonic() - begun < RECOVERY, "not well again"
        time.sleep(0.2)
    return time.monotonic() - begun


def faults(stage: Stage, chance: random.Random) -> list[Callable[[random.Random], str]]:
    """A hundred kills of three kinds, among them two full disks and two stalls, in a random order."""
    kinds: list[Callable[[random.Random], str]] = [stage.kill_worker, stage.kill_node, stage.kill_postgres]
    rounds = [kinds[number % len(kinds)] for number in range(ROUNDS)]
    chance.shuffle(rounds)
    for share, rare in (
        (0.2, stage.fill_disk),
        (0.4, stage.stall_node),
        (0.6, stage.fill_disk),
        (0.8, stage.stall_postgres),
    ):
        rounds.insert(int(share * len(rounds)), rare)
    return rounds


def test_a_hundred_faults_lose_nothing_and_double_nothing(stage: Stage, tmp_path: Path) -> None:
    chance = random.Random(20261123)
    where = places(stage.environment)
    with GrowingFeeds(6) as feeds:
        (tmp_path / "config/sources.yml").write_text(json.dumps(feeds.sources()), encoding="utf-8")
        feeds.grow(40)
        with desk_at(where, stage.environment) as desk, desk.ledger.write() as db:
            users.add(db, "mai", PASSWORD, Role.MODERATOR, desk.now())
        for _ in range(WORKERS):
            stage.start_worker()
        with pages_of(stage) as url:
            moderator = Moderator(url=url)
            hand = threading.Thread(target=moderator.run)
            hand.start()
            took: dict[str, list[float]] = {}
            try:
                for fault in faults(stage, chance):
                    feeds.grow(2)
                    time.sleep(chance.uniform(1, 4))
                    name = fault(chance)
                    took.setdefault(name, []).append(well_again(stage, url))
            finally:
                moderator.stop.set()
                hand.join()
        tell(took, moderator)
        print(f"workers started again: {stage.restarts}", flush=True)
        settle(stage)
        shown = feeds.posts
    with desk_at(where, stage.environment) as desk:
        desk.posts.refresh()
        posts = all_posts(desk)
        outcomes = counted(desk)
        print("posts", len(posts), "outcomes", dict(outcomes))
        assert len(posts) == outcomes["stored"] == shown
        said = {post.id: desk.posts.assessments([post.id])[post.id] for post in posts}
        assert all(post.group for post in posts)
        flagged_groups = {str(post.group) for post in posts if said[post.id].flag}
        cards = desk.posts.card(flagged_groups)
        assert set(cards) == flagged_groups
        assert desk.posts.pending(Work(stage="group"), range(256)) == []
        with desk.ledger.read() as db:
            kept = decisions.every(db)
            assert decisions.waiting(db) == []
        per_card = Counter(one.card for one in kept)
        assert set(moderator.acknowledged) <= set(per_card)
        assert all(count == 1 for count in per_card.values())
        assert all(card.state is CardState.DECIDED for card in desk.posts.card(list(per_card)).values())
    assert moderator.problems == []
    assert len(moderator.acknowledged) > ROUNDS / 10


def settle(stage: Stage) -> None:
    """End the workers as an operator would, and do by hand what they had left."""
    for worker in stage.workers:
        while not listens(worker):
            time.sleep(0.1)
        worker.terminate()
    assert [worker.wait(timeout=60) for worker in stage.workers] == [0] * WORKERS
    stage.workers.clear()
    forget_leases(places(stage.environment), stage.environment)
    finish(stage.environment, "crawl")
    finish(stage.environment, "classify")


def listens(worker: subprocess.Popen[bytes]) -> bool:
    """Whether it catches SIGTERM yet: one that was started a moment ago would be ended by the signal itself."""
    assert worker.poll() is None
    status = Path(f"/proc/{worker.pid}/status").read_text(encoding="ascii")
    caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def tell(took: dict[str, list[float]], moderator: Moderator) -> None:
    """The figures of the run, as seen."""
    for name, seconds in sorted(took.items()):
        middle, worst = statistics.median(seconds), max(seconds)
        print(
            f"\n{name}: {len(seconds)} times, well again after {middle:.1f} s (median), {worst:.1f} s (worst)", end=""
        )
    print(f"\n{len(moderator.acknowledged)} decisions acknowledged; answers of the pages {dict(moderator.answers)}")
