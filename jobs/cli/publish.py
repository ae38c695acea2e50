"""report: the weekly report, published and written out."""

from pathlib import Path

import click

from jobs.cli.options import config_option, desk_of, echo_json


@click.command("report", help="Publish the report of a week that is over and write its files.")
@click.option("--week", default="", help="ISO week such as 2026-W47. Default: the last full week.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder for the files. Default: the present folder.",
)
@click.option("--preview", is_flag=True, help="Show a week as it stands, over or not; publish nothing.")
@config_option
def report_command(week: str, out: Path, preview: bool, config: Path | None) -> None:
    """A published week is frozen; published again with other figures it becomes the next version."""
    from reports.publish import checked_week, last_week, publish_week, write_report
    from reports.words import LANGUAGES

    chosen = checked_week(week) if week else ""
    with desk_of(config) as (desk, _):
        published = publish_week(desk, chosen or last_week(desk), preview=preview)
        files = write_report(published, out, LANGUAGES)
    echo_json(
        {
            "week": published.week,
            "version": published.version,
            "hash": published.hash,
            "files": [str(file) for file in files],
        }
    )
