"""`claimwatch run` as an operator starts it: crawls, classifies and serves by itself, and ends when told to."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from jobs.demo.network import SampleNetwork
from jobs.demo.script import demo_sources
from jobs.lock import only_one

ROOT = Path(__file__).parent.parent


def until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.2)
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def flagged(folder: Path) -> int:
    import sqlite3
    from contextlib import closing

    if not (folder / "posts.db").exists():
        return 0
    with closing(sqlite3.connect(folder / "posts.db")) as db:
        try:
            return int(db.execute("select count(*) from posts where status = 'flagged'").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


@pytest.mark.encoder
def test_run_crawls_classifies_serves_and_ends_when_told(tmp_path: Path, home: dict[str, str]) -> None:
    port, config = free_port(), tmp_path / "config"
    config.mkdir()
    (config / "claims").symlink_to(ROOT / "config/claims")
    chosen = {"crawl": {"delay": 0, "max_age_days": 3650}, "web": {"port": port}, "schedule": {"classify": 1}}
    (config / "claimwatch.yml").write_text(json.dumps(chosen), encoding="utf-8")
    with SampleNetwork() as network:
        listed = [
            {"name": one.name, "kind": one.kind, "settings": dict(one.settings)}
            for one in demo_sources(network.base_url)
        ]
        (config / "sources.yml").write_text(json.dumps(listed[:2]), encoding="utf-8")
        log = (tmp_path / "log").open("wb")
        command = [sys.executable, "-m", "jobs", "run", "--config", str(config)]
        process = subprocess.Popen(command, env=home, stdout=log, stderr=log, cwd=ROOT)
        try:
            url = f"http://127.0.0.1:{port}"
            assert until(lambda: is_up(url), 180), (tmp_path / "log").read_text()
            assert until(lambda: flagged(Path(home["CLAIMWATCH_DATA"])) > 0, 300), (tmp_path / "log").read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            ended = process.wait(timeout=60)
            log.close()
    said = (tmp_path / "log").read_text()
    assert ended == 0, said
    assert "Sign in as admin with the password" in said
    assert "Traceback" not in said


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def test_a_second_scheduler_waits_for_the_first(tmp_path: Path) -> None:
    holder = (
        "import sys, time; from pathlib import Path; from jobs.lock import only_one\n"
        "with only_one(Path(sys.argv[1]), lambda: None):\n    print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", holder, str(tmp_path / "lock")]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert first.stdout is not None
    assert first.stdout.readline() == b"held\n"
    waited = []

    def waiting() -> None:
        waited.append(True)
        first.send_signal(signal.SIGKILL)

    with only_one(tmp_path / "lock", waiting, every=0.05):
        assert waited == [True]
    first.wait()
    first.stdout.close()
