"""demo: the whole loop, offline, on a sample network."""

import os
import shutil
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from claimwatch import settings
from claimwatch.desk import Desk
from claimwatch.errors import ConfigError
from claimwatch.settings import Stores
from jobs.cli.options import config_option, echo_json
from jobs.opening import read_library


@click.command("demo", help="Play the whole loop offline on a sample network of synthetic posts, then open the pages.")
@click.option("--check", is_flag=True, help="Print the counts as JSON and exit instead of opening the pages.")
@click.option(
    "--servers",
    is_flag=True,
    help="Play on Elasticsearch and PostgreSQL with two workers; CLAIMWATCH_TEST_ELASTICSEARCH and "
    "CLAIMWATCH_TEST_POSTGRES say where (make demo STORES=servers starts both).",
)
@click.option("--port", type=int, default=8642, show_default=True, help="Port of the pages; 0 takes a free one.")
@config_option
def demo_command(check: bool, servers: bool, port: int, config: Path | None) -> None:
    """Uses a folder of its own, deleted at the end; touches no desk."""
    from jobs.demo.play import play

    where = settings.places(os.environ, config)
    library = read_library(where.config.parent / "claims")
    folder = Path(tempfile.mkdtemp(prefix="claimwatch-demo-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with _on_servers() if servers else nullcontext() as stores:
            played = play(where, library, folder, lambda line: click.echo(f"demo: {line}", err=True), stores)
            if check:
                echo_json(played.counts)
            else:
                _show(played.counts)
                _serve(played.desk, where, port)
            played.desk.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _on_servers() -> Iterator[Stores]:
    """Empty stores on the servers that the environment names."""
    named = [os.environ.get(f"CLAIMWATCH_TEST_{name}", "") for name in ("ELASTICSEARCH", "POSTGRES")]
    if not all(named):
        raise ConfigError("no servers are named: run make demo STORES=servers, or set both CLAIMWATCH_TEST_ variables")
    try:
        from jobs.demo.desk import fresh_stores

        with fresh_stores(*named) as stores:
            yield stores
    except ModuleNotFoundError as error:
        raise ConfigError(f"servers need `{error.name}`: pip install 'claimwatch[elastic,postgres]'") from error


def _show(counts: object) -> None:
    click.echo("demo: done:", err=True)
    echo_json(counts)


def _serve(desk: Desk, where: settings.Places, port: int) -> None:
    from jobs.cli.serve import serve_pages
    from jobs.demo.play import PASSWORD

    click.echo(f"demo: sign in as moderator (or admin) with the password {PASSWORD}", err=True)
    if port and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"):
        webbrowser.open(f"http://127.0.0.1:{port}/")
    serve_pages(desk, where, port=port)
