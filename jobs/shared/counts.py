"""What is in the queue, for people to look at."""

from collections import Counter
from dataclasses import dataclass

import psycopg

from claimwatch.errors import StoreError
from jobs.shared.schema import SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """The jobs of one task by state; the last two of the day that ended jobs are kept."""

    task: str
    waiting: int
    doing: int
    done: int
    failed: int


_STATES = {"todo": "waiting", "doing": "doing", "succeeded": "done", "aborted": "done", "failed": "failed"}


def count_jobs(conninfo: str) -> list[Queued]:
    """Every task that has jobs, by name; none before the first worker. StoreError where nobody answers."""
    found: dict[str, Counter[str]] = {}
    try:
        with psycopg.connect(conninfo) as db:
            if db.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [SCHEMA]).fetchone() is None:
                return []
            query = "SELECT task_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2"
            for task, state, jobs in db.execute(query):
                found.setdefault(task, Counter())[_STATES.get(state, "done")] += jobs
    except psycopg.OperationalError as error:
        raise StoreError(f"the queue of jobs cannot be read: {str(error).splitlines()[0]}: try again") from error
    return [
        Queued(task=task, waiting=by["waiting"], doing=by["doing"], done=by["done"], failed=by["failed"])
        for task, by in sorted(found.items())
    ]
