"""What servers say of their limits."""

import pytest

from crawlers.ratelimit import UNTOLD, book_key, closed_until

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (200, {}, None),
        (200, {"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "60"}, None),
        (429, {"Retry-After": "30"}, 30),
        (429, {"retry-after": "Mon, 21 Sep 2026 14:14:20 GMT"}, 60),
        (503, {"Retry-After": "10"}, 10),
        (503, {}, None),
        (429, {}, UNTOLD),
        (429, {"Retry-After": "soon"}, UNTOLD),
        (429, {"X-RateLimit-Reset": "2026-09-21T14:15:20.123456Z"}, 120.123456),
        (429, {"RateLimit-Reset": "1790000090"}, 90),
        (200, {"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "45"}, 45),
        (200, {"x-ratelimit-remaining": "590.0", "x-ratelimit-reset": "45"}, None),
        (429, {"Retry-After": "0"}, 1),
        (429, {"Retry-After": "9999999"}, 86_400),
    ],
)
def test_every_dialect_names_the_same_kind_of_instant(status: int, headers: dict[str, str], wait: float | None) -> None:
    assert closed_until(status, headers, NOW) == (None if wait is None else pytest.approx(NOW + wait))


@pytest.mark.parametrize(
    "told",
    [
        {"Retry-After": "Mon, 21 Sep 2026 17:14:20 GMT"},
        {"X-RateLimit-Reset": "2026-09-21T17:14:20Z"},
        {"RateLimit-Reset": "1790010860"},
    ],
)
def test_an_instant_is_by_the_servers_own_clock(told: dict[str, str]) -> None:
    three_hours_ahead = {"Date": "Mon, 21 Sep 2026 17:13:20 GMT"}
    assert closed_until(429, told | three_hours_ahead, NOW) == pytest.approx(NOW + 60)


def test_a_limit_holds_for_scheme_host_port_and_credential_and_never_names_a_user() -> None:
    assert book_key("https://mai:secret@Mang.example:8443/a?b") == "https://mang.example:8443"
    assert book_key("http://mang.example/a", "app") == "http://mang.example#app"
