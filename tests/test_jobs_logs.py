"""Logs say what happened, and never what was said, who said it or how we signed in."""

import json
import logging
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel, ValidationError
from test_jobs_worker import free_port, until

from claimwatch.desk import Desk
from claimwatch.errors import ConfigError, StoreError
from claimwatch.settings import WorkerMetrics
from jobs.demo.network import SampleNetwork
from jobs.demo.script import demo_sources
from jobs.figures import figures_served
from jobs.logs import formatter

ROOT = Path(__file__).parent.parent
TEXT = "Nhai tỏi sống mỗi sáng thì covid chạy mất"
TOKEN = "planted-token-8642"


def record(message: str, *values: object, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    made = logging.getLogger("a.library").makeRecord(
        "a.library", logging.WARNING, "file.py", 7, message, values, None, extra=extra
    )
    made.exc_info = (type(error), error, error.__traceback__) if error else None
    return made


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as met:
        return met


class Shape(BaseModel):
    likes: int


def test_a_record_is_one_object_on_one_line() -> None:
    line = formatter("json").format(record("crawl of %s ended:\n%s", "feed-1", "404", source="feed-1", posts=3))
    said = json.loads(line)
    assert "\n" not in line
    assert said["message"] == "crawl of feed-1 ended: 404"
    assert (said["level"], said["logger"], said["source"], said["posts"]) == ("WARNING", "a.library", "feed-1", 3)
    assert said["time"].endswith("+00:00")


def test_structures_are_left_out() -> None:
    assert "tỏi" not in formatter("json").format(record("kept", job={"text": TEXT}, rows=[TEXT]))


@pytest.mark.parametrize("chosen", ["text", "json"])
@pytest.mark.parametrize(
    ("message", "shown", "hidden"),
    [
        ("gave up on https://m.example/@lan/11?access_token=abc", "https://m.example/…", "lan"),
        ("asked postgresql://desk:pw123456@db.example:5432/desk", "postgresql://db.example:5432/…", "pw123456"),
        ("asked http://desk:pw123456@db.example", "http://db.example", "pw123456"),
        ("met @lan@m.example today", "met [person] today", "lan"),
        ("met did:plc:z72i7hdynmk6r22z27h6tvur", "met [person]", "z72i7"),
        ("wrote to lan@mail.example", "wrote to [person]", "lan@"),
        (f"header Bearer {TOKEN}", "Bearer [secret]", TOKEN),
    ],
)
def test_secrets_people_and_paths_are_cut_out(chosen: str, message: str, shown: str, hidden: str) -> None:
    line = formatter("json" if chosen == "json" else "text", [TOKEN]).format(record(message, note=message))
    assert shown in line
    assert hidden not in line


@pytest.mark.parametrize("chosen", ["text", "json"])
def test_an_exception_tells_its_places_and_not_the_words_it_quotes(chosen: str) -> None:
    with pytest.raises(ValidationError) as met:
        Shape.model_validate({"likes": TEXT})
    assert "covid" in str(met.value)  # a library that quotes what it was given
    line = formatter("json" if chosen == "json" else "text").format(record("classify failed", error=met.value))
    assert "covid" not in line
    assert "ValidationError" in line
    assert "test_jobs_logs.py:" in line
    assert "\n" not in line


def test_what_is_written_for_operators_is_told() -> None:
    error = raised(StoreError("posts.db: locked: try again"))
    assert json.loads(formatter("json").format(record("failed", error=error)))["error"]["message"] == str(error)


def test_a_worker_logs_json_without_texts_and_secrets_and_answers_prometheus(
    tmp_path: Path, home: dict[str, str]
) -> None:
    port, config = free_port(), tmp_path / "config"
    config.mkdir()
    closed = f"http://lan:{TOKEN}@127.0.0.1:{free_port()}/rss?token={TOKEN}"
    chosen = {
        "crawl": {"delay": 0, "max_age_days": 3650},
        "worker": {"metrics_port": port},
        "logs": {"format": "json"},
    }
    (config / "claimwatch.yml").write_text(json.dumps(chosen), encoding="utf-8")
    with SampleNetwork() as network:
        listed = [
            {"name": one.name, "kind": one.kind, "settings": dict(one.settings)}
            for one in demo_sources(network.base_url)
        ]
        broken = {"name": "broken", "kind": "feed", "settings": {"url": closed}}
        (config / "sources.yml").write_text(json.dumps([*listed, broken]), encoding="utf-8")
        log = (tmp_path / "log").open("wb")
        command = [sys.executable, "-m", "jobs", "worker", "--config", str(config)]
        secret = {"CLAIMWATCH_REDDIT_TOKEN": TOKEN}
        process = subprocess.Popen(command, env=home | secret, stdout=log, stderr=log, cwd=ROOT)
        try:
            assert until(lambda: has_counted(port), 300), (tmp_path / "log").read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            ended = process.wait(timeout=60)
            log.close()
    said = (tmp_path / "log").read_text()
    assert ended == 0, said
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert any("crawl of broken ended" in line["message"] for line in lines), said
    assert TOKEN not in said
    texts = kept_texts(Path(home["CLAIMWATCH_DATA"]))
    assert len(texts) > 20
    assert [text for text in texts if text[:30] in said] == []


def kept_texts(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "posts.db")) as db:
        return [str(row[0]) for row in db.execute("SELECT text FROM posts")]


def has_counted(port: int) -> bool:
    """Whether the worker leads, has kept posts and has seen a crawl fail."""
    try:
        page = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    except httpx.TransportError:
        return False
    values = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    return (
        values.get(("claimwatch_scheduler_leader",)) == 1
        and values.get(("claimwatch_posts_total", "feed", "stored"), 0) > 0
        and values.get(("claimwatch_runs_total", "crawl", "failed"), 0) > 0
    )


def test_a_metrics_port_that_is_taken_is_one_line(desk: Desk) -> None:
    worker = WorkerMetrics(metrics_port=free_port())
    chosen = replace(desk, settings=desk.settings.model_copy(update={"worker": worker}))
    with (
        figures_served(chosen),
        pytest.raises(ConfigError, match=r"cannot listen on .*worker\.metrics_port"),
        figures_served(chosen),
    ):
        pass
    with figures_served(desk):  # no port is set
        pass
