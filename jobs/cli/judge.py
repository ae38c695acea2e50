"""classify and score: what the model says of posts and of loose texts."""

import json
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import click

from claimwatch import settings
from claimwatch.errors import ConfigError
from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from jobs.cli.options import bar, config_option, desk_of, echo_json
from jobs.opening import read_library

_AT_ONCE = 512


@click.command("classify", help="Assess what is new, fold copies together, open and order cards.")
@config_option
def classify_command(config: Path | None) -> None:
    """Safe to stop and to run again."""
    from jobs.assess import assess_new_posts, ready_model

    with desk_of(config) as (desk, where), bar("classify") as advance:
        done = assess_new_posts(desk, ready_model(where, desk.settings), advance)
    echo_json(done)


@click.command("score", help="Judge loose texts: JSONL with id and text in, JSONL out in the same order. No store.")
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
@click.option("--model", "folder", type=click.Path(path_type=Path), default=None, help="A folder of `train --out`.")
@config_option
def score_command(file: TextIO, folder: Path | None, config: Path | None) -> None:
    """Prints id, language, on_topic, p_false, stance, claim, similarity, flag, stage of each."""
    from jobs.assess import ready_model

    where = settings.places(os.environ, config)
    model = ready_model(where, settings.load(where.config, os.environ), folder=folder)
    model.learn_claims(read_library(where.config.parent / "claims"))
    rows = _rows(file)
    with bar("score") as advance:
        while part := list(islice(rows, _AT_ONCE)):
            texts = [scrub(tidy(text)) for _, text in part]
            for (row_id, _), text, said in zip(part, texts, model.judge(texts), strict=True):
                nearest = said.nearest[0].claim if said.nearest else None
                shown = {
                    "id": row_id,
                    "language": language_of(text),
                    "on_topic": said.on_topic,
                    "p_false": said.p_false,
                    "stance": said.stance,
                    "claim": nearest,
                    "similarity": said.similarity,
                    "flag": said.flag,
                    "stage": said.stage,
                }
                echo_json(shown)
            advance(len(part))
    sys.stdout.flush()


def _rows(file: TextIO) -> Iterator[tuple[Any, str]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield row.get("id"), str(row["text"])
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ConfigError(f"line {number}: needs a JSON object with id and text") from error
