"""Made-up weeks for the tests of reports/."""

from collections.abc import Mapping
from typing import Any

from claimwatch.clock import week_days
from reports.numbers import (
    Answers,
    ClaimContext,
    ClaimCounts,
    Context,
    Counts,
    DayCounts,
    DecisionCounts,
    LanguageCounts,
    ResponseCounts,
    SourceContext,
    SourceCounts,
    Spread,
    StanceCounts,
    Statuses,
    Waiting,
    WeekNumbers,
    body_of,
)

WEEK = "2026-W46"
TEXTS = (
    ("Ăn tỏi sống mỗi sáng chữa khỏi COVID-19.", "Raw garlic every morning cures COVID-19."),
    ("Vắc xin làm biến đổi gen của người tiêm.", "Vaccines change the genes of those who get them."),
    ("Uống nước muối loãng diệt vi rút ngay trong cổ họng trước khi nó xuống phổi.", "Salt water kills the virus."),
    ("Lá xông chữa dứt điểm sốt xuất huyết.", "Herbal steam cures dengue for good."),
    ("Sóng 5G làm lây lan vi rút.", "5G waves spread the virus."),
    ("Thuốc tẩy pha loãng uống được để phòng bệnh.", "Diluted bleach can be drunk to prevent illness."),
    ("Đeo khẩu trang gây thiếu ô xy não.", "Masks starve the brain of oxygen."),
    ("Ung thư khỏi nhờ nhịn ăn ba mươi ngày.", "Fasting for thirty days cures cancer."),
    ("Insulin làm bệnh tiểu đường nặng thêm, nên bỏ hẳn.", "Insulin worsens diabetes and should be stopped."),
    ("Trẻ sốt cao chỉ cần cạo gió.", "A child with high fever only needs coining."),
    ("Sữa tươi sống ngừa mọi loại cúm.", "Raw milk prevents every kind of flu."),
    ("Nước chanh nóng dùng được như thuốc huyết áp.", "Hot lemon water replaces blood-pressure pills."),
)


def make_claim(claim: str = "garlic", **changes: Any) -> ClaimCounts:
    """One claim's week, of one confirmed post unless said otherwise."""
    values: dict[str, Any] = {
        "claim": claim,
        "spread": Spread(decided=1),
        "before": Spread(),
        "stances": StanceCounts(),
        "verdict": "false",
        "harm": 2,
        "answers": Answers(),
    }
    return ClaimCounts(**(values | changes))


def make_numbers(
    *claims: ClaimCounts, statements: Mapping[str, Mapping[str, str]] | None = None, **changes: Any
) -> WeekNumbers:
    """A week with these claims and the counts changed by name; nothing else was seen, decided or answered."""
    values: dict[str, Any] = {
        "week": WEEK,
        "posts": Statuses(),
        "before": Statuses(),
        "days": tuple(DayCounts(day=day, posts=Statuses()) for day in week_days(WEEK)),
        "languages": (),
        "sources": (),
        "stances": StanceCounts(),
        "claims": claims,
        "unnamed": Spread(),
        "decisions": DecisionCounts(made={}, undone={}, settled=0, flagged=0, overturned=0, missed=0),
        "responses": ResponseCounts(begun={}, done={}, open=0, overdue=0),
    }
    texts = statements or {}
    known = {
        one.claim: ClaimContext(
            statement=texts.get(one.claim, {"vi": f"Tuyên bố {one.claim}", "en": f"Statement {one.claim}"}),
            accounts=(one.spread.posts, one.spread.posts),
            links=(),
        )
        for one in claims
    }
    context = Context(
        desk="Tổ kiểm chứng Bến Sao",
        timezone="Asia/Ho_Chi_Minh",
        claims=known,
        sources=changes.pop("known_sources", {}),
        waiting=changes.pop("waiting", Waiting(median=None, measured=0, cards=0)),
    )
    return WeekNumbers(counts=Counts(**(values | changes)), context=context)


def make_body(*claims: ClaimCounts, **changes: Any) -> dict[str, Any]:
    """The body of version 1 of such a week."""
    return body_of(make_numbers(*claims, **changes), version=1)


def busy_numbers() -> WeekNumbers:
    """A full week: twelve claims, two languages and more, five sources of which one is thin and one broken."""
    claims = tuple(
        make_claim(
            f"claim-{n:02d}",
            spread=Spread(decided=max(0, 60 - 6 * n), flagged=30 - 2 * n),
            before=Spread(decided=0 if n == 3 else 10 + 4 * n, flagged=0 if n == 3 else 5),
            stances=StanceCounts(refutes=n, asks=12 - n, reports=n // 2),
            verdict=("false", "misleading", "unproven", None)[n % 4],
            harm=1 + n % 4,
            answers=Answers(done=n % 3, corrections=min(1, n % 3), open=n % 2, overdue=int(n == 5)),
        )
        for n in range(12)
    )
    sizes = (1410, 1622, 1533, 1208, 1719, 2044, 1811)
    days = tuple(
        DayCounts(day=day, posts=Statuses(new=0, passed=size - 80, flagged=30, decided=50))
        for day, size in zip(week_days(WEEK), sizes, strict=True)
    )
    return make_numbers(
        *claims,
        statements={f"claim-{n:02d}": {"vi": vi, "en": en} for n, (vi, en) in enumerate(TEXTS)},
        posts=Statuses(new=14, passed=sum(sizes) - 574, flagged=210, decided=350),
        before=Statuses(passed=9800, flagged=20, decided=402),
        days=days,
        languages=(
            LanguageCounts(language="vi", posts=10210, repeating=480),
            LanguageCounts(language="en", posts=1040, repeating=61),
            LanguageCounts(language="und", posts=97, repeating=0),
        ),
        sources=(
            SourceCounts(source="bluesky-suc-khoe", days=(900, 1000, 1000, 700, 1100, 1300, 1200)),
            SourceCounts(source="mastodon-example", days=(500, 600, 500, 500, 600, 700, 600)),
            SourceCounts(source="import:archive", days=(10, 22, 33, 8, 19, 44, 11)),
            SourceCounts(source="vnexpress", days=(0, 0, 0, 0, 0, 0, 3)),
        ),
        known_sources={
            "bluesky-suc-khoe": SourceContext(expected=6500, enabled=True, attention="", runs=336, failed=2),
            "mastodon-example": SourceContext(expected=4200, enabled=True, attention="", runs=336, failed=0),
            "import:archive": SourceContext(expected=0, enabled=True, attention="", runs=1, failed=0),
            "vnexpress": SourceContext(
                expected=70, enabled=True, attention="403: the site refuses our user agent", runs=168, failed=151
            ),
            "feed-ministry": SourceContext(expected=5, enabled=True, attention="", runs=168, failed=0),
        },
        stances=StanceCounts(refutes=66, asks=78, reports=30),
        unnamed=Spread(decided=3, flagged=11),
        decisions=DecisionCounts(
            made={"asks": 9, "new_claim": 2, "not_health": 31, "refutes": 14, "repeats": 121, "skip": 6, "undo": 3},
            undone={"repeats": 3},
            settled=171,
            flagged=160,
            overturned=48,
            missed=4,
        ),
        responses=ResponseCounts(
            begun={"correction_published": 4, "watching": 2}, done={"correction_published": 3}, open=5, overdue=1
        ),
        waiting=Waiting(median=205, measured=160, cards=171),
    )
