"""What the long runs share: commands of ours as processes, what a desk holds in the end, a moderator over HTTP."""

import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from claimwatch.clock import SystemClock
from claimwatch.desk import Desk
from claimwatch.ledger import runs
from claimwatch.records import Post
from claimwatch.settings import Places
from jobs.opening import open_desk

ROOT = Path(__file__).parent.parent
PASSWORD = "a long soak password"


def command(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """Start a command of ours; what it says goes to a log beside its data."""
    with Path(environment["CLAIMWATCH_DATA"] + ".log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "jobs", *arguments], env=environment, stdout=log, stderr=log)


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill a command in the middle; False where it was done before."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def finish(environment: dict[str, str], *arguments: str, codes: tuple[int, ...] = (0,)) -> None:
    assert command(environment, *arguments).wait(timeout=600) in codes


@contextmanager
def desk_at(where: Places, environment: dict[str, str]) -> Iterator[Desk]:
    desk = open_desk(where, environment, clock=SystemClock())
    yield desk
    desk.close()


def all_posts(desk: Desk) -> list[Post]:
    """Every post that the desk keeps, by id."""
    found: list[Post] = []
    while page := desk.posts.dump(after=found[-1].id if found else ""):
        found += [kept.post for kept in page]
    return found


def counted(desk: Desk) -> Counter[str]:
    total: Counter[str] = Counter()
    with desk.ledger.read() as db:
        for run in runs.recent(db, limit=100_000):
            total += runs.outcomes(db, run.id)
    return total


def forget_leases(place: Places, environment: dict[str, str]) -> None:
    """A killed crawl's lease runs out after two minutes; a test need not wait for that."""
    from sqlalchemy import delete

    from claimwatch.ledger.tables import leases

    with desk_at(place, environment) as desk, desk.ledger.write() as db:
        db.execute(delete(leases))


def written_rows(file: Path, count: int) -> None:
    """Synthetic posts: the corpus, over and over with a number, so that some are copies and most are not."""
    texts = [
        json.loads(line)["text"]
        for part in sorted((ROOT / "classifier/corpus").glob("*.jsonl"))
        for line in part.read_text(encoding="utf-8").splitlines()
    ]
    rows = ({"id": n, "text": f"{texts[n % len(texts)]} {'số ' + str(n) if n % 3 else ''}"} for n in range(count))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def wait_for(client: httpx.Client) -> None:
    for _ in range(200):
        try:
            if client.get("/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the pages did not come up")


def fields_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts to `action`."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert form is not None, page[:2000]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[1]))


def sign_in(client: httpx.Client) -> None:
    fields = fields_of(client.get("/sign-in").text, "/sign-in")
    answer = client.post("/sign-in", data=fields | {"name": "mai", "password": PASSWORD})
    assert answer.url.path == "/queue", answer.text[:2000]


def next_card(client: httpx.Client) -> str | None:
    found = re.search(r'href="(/cards/[^"?#]+)', client.get("/queue").text)
    return found[1] if found else None


def decide(client: httpx.Client, card: str, acknowledged: list[str]) -> None:
    fields = fields_of(client.get(card).text, f"{card}/decide")
    answer = client.post(f"{card}/decide", data=fields | {"choice": "not_health", "reason": ""})
    assert answer.status_code == 200, answer.text[:2000]
    acknowledged.append(card.removeprefix("/cards/").replace("%3A", ":"))
