#!/usr/bin/env python3
"""Writes four pages of docs from the code; --check only says whether they are current.

Usage: reference.py [--check]
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from claimwatch.metrics import LISTED
from claimwatch.pulse import STORE_FIGURES
from claimwatch.settings import Settings
from crawlers.kinds import KINDS
from jobs.cli import claimwatch

DOCS = Path(__file__).parent.parent / "docs"
_SCRAPED = """The pages answer `/metrics` to whom `web.metrics` names, a worker on `worker.metrics_port`
([settings](settings.md)). Each process counts for itself: sum over processes. `claimwatch_cards`, `_outbox_waiting` and
`_store_up` are read from the stores (at most every ten seconds, with three seconds of patience),
so every process says the same: take the largest. Labels are fixed words: no name of a source, no id, no text.
"""
_MADE = "<!-- Made from the code by `make docs`; change the code, not this page. -->\n\n"


def commands() -> str:
    """Every command with its help and options."""
    parts = ["# Commands\n", _MADE]
    parts += [f"## {path}\n{_described(command)}\n" for path, command in _walk("claimwatch", claimwatch)]
    return "".join(parts)


def settings() -> str:
    """Every setting with its default, its variable and its help."""
    parts = ["# Settings\n", _MADE, "Each key can be overridden by `CLAIMWATCH_SECTION__KEY` in the environment.\n"]
    for name, section in Settings.model_fields.items():
        assert isinstance(section.annotation, type)
        parts.append(f"\n## {name}\n{section.annotation.__doc__}\n\n| key | default | what |\n| --- | --- | --- |\n")
        for key, one in section.annotation.model_fields.items():
            shown = "(empty)" if one.default in (None, "") else f"`{one.default}`"
            parts.append(f"| `{key}` | {shown} | {one.description} |\n")
    return "".join(parts)


def sources() -> str:
    """Every kind of source with its settings."""
    parts = ["# Kinds of source\n", _MADE]
    parts.append("In `config/sources.yml`, or with `claimwatch sources add NAME KIND key=value ...`.\n")
    for kind in KINDS.values():
        parts.append(
            f"\n## {kind.name}\n{kind.settings.__doc__}\n\n| setting | default | what |\n| --- | --- | --- |\n"
        )
        for key, one in kind.settings.model_fields.items():
            if key == "credential":  # never written down: it comes from the environment
                continue
            shown = "required" if one.is_required() else f"`{one.default}`"
            parts.append(f"| `{key}` | {shown} | {one.description} |\n")
    return "".join(parts)


def metrics() -> str:
    """Every family of figures for Prometheus."""
    parts = [
        "# Figures for Prometheus\n",
        _MADE,
        _SCRAPED,
        "\n| name | kind | labels | what |\n| --- | --- | --- | --- |\n",
    ]
    for one in sorted([*LISTED, *STORE_FIGURES], key=lambda listed: listed.name):
        name = f"{one.name}_total" if one.kind == "counter" else one.name
        labels = ", ".join(f"`{label}`" for label in one.labels)
        parts.append(f"| `{name}` | {one.kind} | {labels} | {one.help} |\n")
    parts.append("| `process_*` | | | CPU seconds, memory, start time and open files of the process. |\n")
    parts.append("| `*_created` | | | When each counter and histogram began, as the library adds it. |\n")
    return "".join(parts)


PAGES = {"commands.md": commands, "settings.md": settings, "sources.md": sources, "metrics.md": metrics}


def stale() -> list[str]:
    """The pages that differ from what the code says."""
    kept = {name: (DOCS / name).read_text(encoding="utf-8") if (DOCS / name).exists() else "" for name in PAGES}
    return [name for name, make in PAGES.items() if make() != kept[name]]


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from _walk(f"{path} {name}", found)


def _described(command: click.Command) -> str:
    context = click.Context(command)
    usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")
    lines = [f"{command.help}\n"] + ([f"\nArguments: `{usage}`\n"] if usage else [])
    options = [one for one in command.params if isinstance(one, click.Option)]
    rows = [f"| `{', '.join(one.opts)}` | {one.help or ''} |\n" for one in options]
    return "".join([*lines, "\n| option | what |\n| --- | --- |\n", *rows]) if rows else "".join(lines)


def main() -> int:
    """Write the pages, or with --check say which are stale."""
    if "--check" in sys.argv[1:]:
        for name in stale():
            print(f"docs/{name} is stale: run make docs")
        return 1 if stale() else 0
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
