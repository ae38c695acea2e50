"""Errors that an operator can mend."""

import pytest

from claimwatch.errors import ConfigError, SourceError, advice_on


@pytest.mark.parametrize(
    ("complaint", "advice"),
    [
        ("database or disk is full", "free some disk space"),
        ("database is locked", "try again"),
        ("database disk image is malformed", "backup"),
        ("something unheard of", "claimwatch doctor"),
    ],
)
def test_every_complaint_of_a_database_has_an_advice(complaint: str, advice: str) -> None:
    assert advice in advice_on(complaint)


def test_a_source_error_names_its_source_and_whether_trying_again_helps() -> None:
    error = SourceError("who", "401: needs a token", permanent=True)
    assert (str(error), error.permanent, isinstance(error, ConfigError)) == ("who: 401: needs a token", True, False)
