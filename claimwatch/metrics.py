"""What this process counts while it works, for Prometheus: numbers and fixed words, never a text, a name or an address.

docs/metrics.md is made from `LISTED` and from what claimwatch.pulse reads of the stores.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from claimwatch import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One line of the written list: a family of time series."""

    name: str  #: as exposed; a counter's without `_total`, as the exposition format has families
    kind: str  #: counter, gauge or histogram
    labels: tuple[str, ...]
    help: str


LISTED: list[Listed] = []
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)


def _listed(kind: str, name: str, help_: str, *labels: str) -> Listed:
    LISTED.append(Listed(name=name, kind=kind, labels=labels, help=help_))
    return LISTED[-1]


def _counter(name: str, help_: str, *labels: str) -> Counter:
    family = _listed("counter", name, help_, *labels)
    return Counter(family.name, family.help, labels, registry=REGISTRY)


def _gauge(name: str, help_: str, *labels: str) -> Gauge:
    family = _listed("gauge", name, help_, *labels)
    return Gauge(family.name, family.help, labels, registry=REGISTRY)


def _histogram(name: str, help_: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
    family = _listed("histogram", name, help_, *labels)
    return Histogram(family.name, family.help, labels, registry=REGISTRY, buckets=buckets)


REQUESTS = _histogram(
    "claimwatch_http_request_duration_seconds",
    "Answers of the pages, by route template and status; its count is the number of requests.",
    *("method", "route", "status"),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
POSTS = _counter(
    "claimwatch_posts",
    "Posts met by crawls and imports, by kind of source and outcome; of `dropped` and `rejected` without the reason.",
    *("kind", "outcome"),
)
CLASSIFIED = _counter("claimwatch_classified_posts", "Posts assessed: `flagged` or `passed`.", "result")
PASSES = _histogram(
    "claimwatch_classify_pass_duration_seconds",
    "Passes over what was not assessed, by how long they took.",
    buckets=(0.1, 1, 5, 15, 60, 300, 900, 3600),
)
RUNS = _counter("claimwatch_runs", "Runs of a stage that ended, `done` or `failed`.", "stage", "status")
REFUSALS = _counter(
    "claimwatch_crawl_refusals",
    "Answers by which a server asked to wait (429, 503), by kind of source.",
    "kind",
    "status",
)
DEAD_LETTERS = _counter("claimwatch_dead_letters", "Writes that the posts store refused for good.")
LEADER = _gauge("claimwatch_scheduler_leader", "1 in the one worker that says what is due, 0 in the others.")
_BUILD = _gauge("claimwatch_build_info", "Always 1; the label names the version that runs.", "version")
_BUILD.labels(version=__version__).set(1)


def count_posts(kind: str, outcomes: Mapping[str, int]) -> None:
    """Count the posts of a page that was kept; reasons are left out, a parser may invent any."""
    for outcome, posts in outcomes.items():
        POSTS.labels(kind=kind or "import", outcome=outcome.partition("(")[0]).inc(posts)


def count_classified(outcomes: Mapping[str, int]) -> None:
    """Count the posts of a page that was assessed."""
    for result, posts in outcomes.items():
        CLASSIFIED.labels(result=result).inc(posts)


@contextmanager
def timed_pass() -> Iterator[None]:
    """Time a pass of classify that came to its end."""
    begun = perf_counter()
    yield
    PASSES.observe(perf_counter() - begun)
