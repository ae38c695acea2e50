"""run, web, worker: what stays up."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from claimwatch.desk import Desk
from claimwatch.errors import ConfigError
from claimwatch.ledger import users
from claimwatch.ledger.reports import Published
from claimwatch.records import Role
from claimwatch.settings import Places
from jobs.cli.options import config_option, desk_of, echo_json
from jobs.figures import figures_served
from jobs.lock import only_one, seat
from jobs.logs import log_to_stderr

if TYPE_CHECKING:
    from fastapi import FastAPI

#: Seconds before a process that died is started again; doubled while it keeps dying.
_AGAIN, _LONGEST = 1.0, 60.0


@click.command("web", help="Serve the review pages.")
@click.option("--port", type=int, default=None, help="Instead of web.port; 0 takes a free one.")
@config_option
def web_command(port: int | None, config: Path | None) -> None:
    """The first start makes an admin and says how to sign in."""
    log_to_stderr(config, os.environ)
    with desk_of(config) as (desk, where):
        welcome(desk)
        serve_pages(desk, where, port=desk.settings.web.port if port is None else port)


@click.command("worker", help="Crawl, classify, purge and report on schedule.")
@config_option
def worker_command(config: Path | None) -> None:
    """With the ledger on PostgreSQL any number of workers share the work, else a second waits to take over."""
    log_to_stderr(config, os.environ)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with desk_of(config) as (desk, where), figures_served(desk):
        if desk.settings.stores.ledger == "sqlite":
            _work_alone(desk, where, stop)
        else:
            _work_shared(desk, where, stop)


def _work_alone(desk: Desk, where: Places, stop: threading.Event) -> None:
    from jobs.worker import Worker

    lock = where.data / "scheduler.lock"
    with only_one(lock, lambda: click.echo("another worker is at work here; waiting to take over", err=True)):
        click.echo("worker: at work", err=True)
        Worker(desk, where).run(stop)


def _work_shared(desk: Desk, where: Places, stop: threading.Event) -> None:
    from jobs.shared.worker import SharedWorker
    from jobs.work import Work

    click.echo("worker: at work, sharing it with every other worker of this ledger", err=True)
    with seat(where.data) as neighbours:
        SharedWorker(Work(desk, where, neighbours=neighbours), _queue_of(desk)).run(stop)


@click.command("jobs", help="Show the queue that workers share: jobs waiting, being done, done and failed by task.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@config_option
def jobs_command(as_json: bool, config: Path | None) -> None:
    """Ended jobs are kept for a day."""
    with desk_of(config) as (desk, _):
        if desk.settings.stores.ledger == "sqlite":
            raise ConfigError("there is no queue: one worker does everything; set stores.ledger to a postgresql:// one")
        from jobs.shared.counts import count_jobs

        found = count_jobs(_queue_of(desk))
    if as_json:
        echo_json(found)
        return
    for one in found:
        click.echo(
            f"{one.task:<10} waiting {one.waiting}, being done {one.doing}, done {one.done}, failed {one.failed}"
        )


def _queue_of(desk: Desk) -> str:
    from jobs.shared.schema import connection_to

    return connection_to(desk.settings.stores.ledger, desk.credentials.get("CLAIMWATCH_POSTGRES_PASSWORD", ""))


@click.command("run", help="Web and worker together, watched and started again when one dies.")
@config_option
def run_command(config: Path | None) -> None:
    """Ends both on Ctrl-C or SIGTERM."""
    with desk_of(config) as (desk, _):
        welcome(desk)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    given = ["--config", str(config)] if config else []
    keepers = [threading.Thread(target=_keep_up, args=([part, *given], stop)) for part in ("web", "worker")]
    for keeper in keepers:
        keeper.start()
    for keeper in keepers:
        keeper.join()


def welcome(desk: Desk) -> None:
    """Where there is no account yet, make an admin and say how to sign in; the password is shown this once."""
    with desk.ledger.write() as db:
        if users.count(db):
            return
        given = os.environ.get("CLAIMWATCH_ADMIN_PASSWORD")
        password = given or secrets.token_urlsafe(15)
        users.add(db, "admin", password, Role.ADMIN, desk.now(), language=desk.settings.desk.language)
    shown = "the password in CLAIMWATCH_ADMIN_PASSWORD" if given else f"the password {password} (shown only now)"
    click.echo(f"Made the first account. Sign in as admin with {shown}.", err=True)


def serve_pages(desk: Desk, where: Places, *, port: int) -> None:
    """Serve until the process is told to end. ConfigError where the address cannot be listened on."""
    import uvicorn

    host = desk.settings.web.host
    with _listening(host, port) as open_socket:
        config = uvicorn.Config(pages_app(desk, where), log_config=None, access_log=False)
        click.echo(f"Pages at http://{host}:{open_socket.getsockname()[1]}/ (Ctrl-C ends)", err=True)
        with suppress(KeyboardInterrupt):  # Ctrl-C is how one ends it, not a failure
            uvicorn.Server(config).run(sockets=[open_socket])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        advice = "choose another with --port, web.port or web.host"
        raise ConfigError(f"cannot listen on {host}:{port} ({error.strerror}): {advice}") from error


def pages_app(desk: Desk, where: Places) -> "FastAPI":
    """The review pages with their one heavy helper: the model, opened when a visitor first asks it something."""
    from jobs.lazy_model import LazyModel
    from jobs.sourcekinds import CrawledKinds
    from reports.render import REPORT_CSS, render_inner
    from review_ui.app import create_app

    def render_report(published: Published, language: str) -> str:
        return render_inner(published.body, language)

    return create_app(
        desk,
        score=LazyModel(desk, where),
        kinds=CrawledKinds(desk),
        render_report=render_report,
        report_css=REPORT_CSS,
    )


def _keep_up(arguments: list[str], stop: threading.Event) -> None:
    """Run a command of ours until `stop`; start it again when it dies, later each time it dies young."""
    wait = _AGAIN
    while not stop.is_set():
        begun = time.monotonic()
        process = subprocess.Popen([sys.executable, "-m", "jobs", *arguments])  # noqa: S603  our own command
        while process.poll() is None and not stop.wait(0.2):
            pass
        if stop.is_set():
            _end(process)
            return
        if process.returncode == 2:  # refused configuration: starting again would not help
            stop.set()
            return
        wait = _AGAIN if time.monotonic() - begun > _LONGEST else min(_LONGEST, wait * 2)
        click.echo(f"{arguments[0]} ended with {process.returncode}; starting it again in {wait:.0f} s", err=True)
        stop.wait(wait)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end after the page it is at; a process that does not is killed, which loses nothing either."""
    process.terminate()
    try:
        process.wait(timeout=40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
