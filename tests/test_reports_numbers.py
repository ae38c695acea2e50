"""What the hash covers, and what it does not."""

import json
from dataclasses import replace

from report_samples import busy_numbers, make_claim, make_numbers

from reports.numbers import Spread, Statuses, Waiting, body_hash, body_of, canonical, content_hash


def test_a_body_has_the_hash_of_its_numbers() -> None:
    numbers = busy_numbers()
    assert body_hash(body_of(numbers, version=1)) == content_hash(numbers)
    assert len(content_hash(numbers)) == 64


def test_the_hash_changes_with_any_count() -> None:
    one = make_numbers(make_claim(), posts=Statuses(decided=1))
    others = [
        make_numbers(make_claim(), posts=Statuses(decided=2)),
        make_numbers(make_claim(spread=Spread(flagged=1)), posts=Statuses(decided=1)),
        make_numbers(make_claim(verdict="true"), posts=Statuses(decided=1)),
    ]
    assert len({content_hash(each) for each in (one, *others)}) == 4


def test_what_cannot_be_counted_again_is_not_hashed() -> None:
    numbers = make_numbers(make_claim())
    changed = replace(numbers.context, waiting=Waiting(median=5, measured=1, cards=1), desk="another")
    assert content_hash(replace(numbers, context=changed)) == content_hash(numbers)


def test_version_and_forerunner_are_not_hashed() -> None:
    numbers = make_numbers()
    assert body_hash(body_of(numbers, version=2, replaces="ab")) == content_hash(numbers)


def test_a_body_is_plain_json() -> None:
    body = body_of(busy_numbers(), version=1)
    assert json.loads(json.dumps(body)) == body


def test_no_number_of_the_hashed_part_is_a_fraction() -> None:
    def values(part: object) -> list[object]:
        if isinstance(part, dict):
            return [one for value in part.values() for one in values(value)]
        return [one for value in part for one in values(value)] if isinstance(part, list) else [part]

    assert not [value for value in values(body_of(busy_numbers(), version=1)["counts"]) if isinstance(value, float)]


def test_canonical_json_is_sorted_and_keeps_letters() -> None:
    assert canonical({"b": "tỏi", "a": [1, None]}) == '{"a":[1,null],"b":"tỏi"}'
