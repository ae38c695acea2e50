"""What a post costs with one worker and with two: CPU seconds of the worker processes, on real servers."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from claimwatch.clock import FixedClock
from claimwatch.records import Post
from claimwatch.settings import Places
from claimwatch.text.copies import bands
from claimwatch.text.fold import slot_of, text_hash
from jobs.bench.synthetic import made_posts
from jobs.demo.desk import demo_settings, fresh_stores, open_demo_desk
from jobs.demo.stage import crew

_NOW = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One run."""

    workers: int
    posts: int
    cpu: float  #: seconds of all workers together
    seconds: float  #: from the first job to the last


def measure(servers: tuple[str, str], where: Places, posts: int, tell: Callable[[str], None]) -> list[Cost]:
    """One worker, two, and one again, each on fresh stores; what starting costs (with one post) is taken off."""
    costs = []
    for workers in (1, 2, 1):
        idle, _ = _run(servers, where, workers, 1)
        cpu, seconds = _run(servers, where, workers, posts)
        costs.append(Cost(workers=workers, posts=posts, cpu=cpu - idle, seconds=seconds))
        tell(f"{workers} workers: {(cpu - idle) / posts * 1000:.2f} ms of CPU a post, {posts / seconds:.0f} posts/s")
    return costs


def ratio(costs: list[Cost]) -> float:
    """CPU a post with two workers, in that with one (the mean of the runs before and after)."""
    alone = [one.cpu for one in costs if one.workers == 1]
    (together,) = (one.cpu for one in costs if one.workers == 2)
    return together / (sum(alone) / len(alone))


def _run(servers: tuple[str, str], where: Places, workers: int, posts: int) -> tuple[float, float]:
    """CPU seconds of the workers from their start to their end, and how long the jobs took."""
    with fresh_stores(*servers) as stores:
        settings = demo_settings(stores)
        settings = settings.model_copy(update={"classify": settings.classify.model_copy(update={"threads": 1})})
        desk = open_demo_desk(settings, FixedClock(_NOW))
        pages = [_banded(post) for post in made_posts(0, posts)]
        for start in range(0, len(pages), 500):
            desk.posts.add(pages[start : start + 500], token=f"page {start}")
        before = _cpu()
        with crew(desk, where, workers) as hands:
            begun = time.perf_counter()
            hands.assess()
            seconds = time.perf_counter() - begun
        desk.close()
        return _cpu() - before, seconds


def _banded(post: Post) -> Post:
    """The post as an intake hands it over: with the band keys of its text."""
    return replace(post, bands=bands(post.text), text_hash=text_hash(post.text), slot=slot_of(post.text_hash))


def _cpu() -> float:
    """CPU seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
