"""The written list is what is exposed; counting is cheap, and labels stay few."""

import re
import timeit
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from claimwatch import metrics
from claimwatch.desk import Desk
from claimwatch.metrics import LISTED
from claimwatch.pulse import STORE_FIGURES, Pulse, registry_of

PAGE = Path(__file__).parent.parent / "docs/metrics.md"


def exposed(desk: Desk) -> dict[str, tuple[str, set[str]]]:
    """Every family of ours with its kind and labels, once something of each was counted."""
    metrics.REQUESTS.labels(method="GET", route="/queue", status=200).observe(0.1)
    metrics.count_posts("feed", {"stored": 1})
    metrics.count_classified({"flagged": 1})
    metrics.RUNS.labels(stage="crawl", status="done").inc()
    metrics.REFUSALS.labels(kind="feed", status=429).inc()
    page = generate_latest(registry_of(Pulse(desk))).decode()
    found = {}
    for family in text_string_to_metric_families(page):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        if family.name.startswith("claimwatch_") and not family.name.endswith("_created"):
            found[family.name] = (family.type, labels)
    return found


def test_the_written_list_is_what_is_exposed(desk: Desk) -> None:
    rows = re.findall(r"^\| `(claimwatch_\w+)` \| (\w+) \| (.*?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    written = {
        name.removesuffix("_total"): (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _ in rows
    }
    assert written == exposed(desk)
    assert len(written) == len(LISTED) + len(STORE_FIGURES)


def test_names_follow_the_conventions() -> None:
    for one in (*LISTED, *STORE_FIGURES):
        assert re.fullmatch(r"claimwatch(_[a-z]+)+", one.name), one.name
        assert one.kind != "histogram" or one.name.endswith("_seconds"), one.name
        assert not one.name.endswith("_total"), one.name
        assert one.help.endswith("."), one.name


def test_a_reason_is_no_label() -> None:
    metrics.count_posts("lemmy", {"dropped(old)": 2, "dropped(seen)": 3, "rejected(no date of Mrs Lan)": 1})
    page = generate_latest(metrics.REGISTRY).decode()
    assert 'claimwatch_posts_total{kind="lemmy",outcome="dropped"} 5.0' in page
    assert 'claimwatch_posts_total{kind="lemmy",outcome="rejected"} 1.0' in page
    assert "Lan" not in page


def test_counting_a_page_costs_far_less_than_keeping_it() -> None:
    each = min(timeit.repeat(lambda: metrics.count_posts("feed", {"stored": 40, "dropped(old)": 2}), number=200)) / 200
    assert each < 0.001  # keeping a page of forty posts takes ten times that
