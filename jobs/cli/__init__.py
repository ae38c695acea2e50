"""The command line. One module per group of commands; heavy libraries are imported when a command runs."""

import importlib
import os
import sys
from collections.abc import Sequence

import click

from claimwatch import __version__
from claimwatch.errors import ClaimwatchError, ConfigError

#: Which module holds which commands. Read only when a command is asked for, so that every command starts fast.
COMMANDS = {
    "demo": "demo",
    "run": "serve",
    "web": "serve",
    "worker": "serve",
    "jobs": "serve",
    "crawl": "collect",
    "parse": "collect",
    "import": "collect",
    "classify": "judge",
    "score": "judge",
    "train": "learn",
    "evaluate": "learn",
    "tune": "learn",
    "model": "learn",
    "report": "publish",
    "sources": "sources",
    "users": "users",
    "purge": "tend",
    "reindex": "tend",
    "ledger": "moving",
    "posts": "moving",
    "backup": "moving",
    "restore": "moving",
    "doctor": "tend",
    "bench": "bench",
}


class Commands(click.Group):
    """Finds commands by name without importing those that are not asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Every command, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"jobs.cli.{COMMANDS[cmd_name]}")
        found = getattr(module, f"{cmd_name}_command")
        assert isinstance(found, click.Command)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="claimwatch")
def claimwatch() -> None:
    """Watch public posts for false health claims, answer the claims, report the week."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 failed, 2 wrong usage or configuration. An error is one line."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """The exit code of a command; whatever an operator can mend is told in one line on standard error."""
    try:
        code = claimwatch.main(args=arguments, prog_name="claimwatch", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "claimwatch"
        return _told(f"{error.format_message()} (see: {where} --help)", 2)
    except (click.Abort, KeyboardInterrupt):
        return _told("stopped; what was acknowledged is kept", 1)
    except click.ClickException as error:
        return _told(error.format_message(), 2)
    except ConfigError as error:
        return _told(str(error), 2)
    except ClaimwatchError as error:
        return _told(str(error), 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _told(line: str, code: int) -> int:
    click.echo("claimwatch: " + " ".join(line.split()), err=True)
    return code
