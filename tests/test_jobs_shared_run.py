"""Two `claimwatch worker` processes, as an operator starts them, on one ledger in PostgreSQL."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg  # noqa: TID253  what it tests
import pytest

from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.records import CardState
from jobs.demo.network import SampleNetwork
from jobs.demo.script import demo_sources

ROOT = Path(__file__).parent.parent
pytestmark = [pytest.mark.servers, pytest.mark.encoder]


def until(true: Callable[[], object], said: Callable[[], str], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, said()
        time.sleep(0.2)


def counted(address: str, query: str) -> int:
    with psycopg.connect(address) as db:
        row = db.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_two_workers_crawl_classify_and_queue_then_end_when_told(
    tmp_path: Path, home: dict[str, str], postgres_database: str
) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "claims").symlink_to(ROOT / "config/claims")
    chosen = {"crawl": {"delay": 0, "max_age_days": 3650}, "stores": {"ledger": postgres_database}}
    chosen["schedule"] = {"classify": 1}
    (config / "claimwatch.yml").write_text(json.dumps(chosen), encoding="utf-8")
    posts = SqlitePosts(Path(home["CLAIMWATCH_DATA"]) / "posts.db")
    logs = [tmp_path / "log0", tmp_path / "log1"]

    def said() -> str:
        return "\n".join(log.read_text() for log in logs)

    with SampleNetwork() as network:
        listed = [
            {"name": one.name, "kind": one.kind, "settings": dict(one.settings), "every": 1}
            for one in demo_sources(network.base_url)
        ]
        (config / "sources.yml").write_text(json.dumps(listed), encoding="utf-8")
        command = [sys.executable, "-m", "jobs", "worker", "--config", str(config)]
        workers = []
        for log in logs:
            with log.open("wb") as out:
                workers.append(subprocess.Popen(command, env=home, stdout=out, stderr=out, cwd=ROOT))
        try:
            until(lambda: posts.cards(CardState.OPEN, limit=1), said)
            until(
                lambda: (
                    counted(
                        postgres_database,
                        "SELECT count(*) FROM claimwatch_jobs.procrastinate_jobs "
                        "WHERE task_name = 'crawl' AND status = 'succeeded'",
                    )
                    >= len(listed)
                ),
                said,
            )
            shown = subprocess.run(
                [sys.executable, "-m", "jobs", "jobs", "--json", "--config", str(config)],
                env=home,
                cwd=ROOT,
                capture_output=True,
                check=True,
                text=True,
            )
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
            ended = [worker.wait(timeout=60) for worker in workers]
    posts.close()
    assert ended == [0, 0], said()
    assert "Traceback" not in said()
    assert sum("schedules now" in log.read_text() for log in logs) >= 1
    queued = {one["task"]: one for one in json.loads(shown.stdout)}
    assert queued["crawl"]["done"] >= len(listed)
    assert all(one["failed"] == 0 for one in queued.values()), queued
    assert counted(postgres_database, "SELECT count(*) FROM runs WHERE status = 'failed' AND stage <> 'crawl'") == 0
    assert counted(postgres_database, "SELECT count(*) FROM claimwatch_jobs.procrastinate_workers") == 0
