"""What tables show is written for people: no spelling of a programming language, nothing that says nothing."""

import pytest

from tollhouse.cli.prices import told
from tollhouse.cli.providers import told_state
from tollhouse.cli.terminal import cell_text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ([], "-"),
        ({}, "-"),
        ({"circuits": [], "troubles": []}, "-"),
        ({"first_byte": None, "settled": 12}, "settled=12"),
        ({"upstream_first_byte": 0, "ended": None}, "upstream_first_byte=0"),
        ({"input": 12, "output": 3}, "input=12, output=3"),
        (["a", "b"], "a, b"),
        ([{"a": 1, "b": None}, {"a": True}], "a=1; a=yes"),
        ({"usage": {"input": 1}, "tags": ["x", "y"]}, "usage=(input=1), tags=(x, y)"),
        (False, "no"),
        (0, "0"),
    ],
)
def test_a_cell(value: object, shown: str) -> None:
    assert cell_text(value) == shown


def test_a_price_with_tiers_of_both_kinds() -> None:
    tier = {"above_input_tokens": 1000, "input": "5", "output": "15"}
    price = {"input": "2.50", "tiers": [tier], "service_tiers": {"priority": {"input": "4", "tiers": [tier]}}}
    assert told(price) == "input 2.50, above 1000: input 5 output 15, priority: input 4, above 1000: input 5 output 15"


CIRCUIT = {"provider": "up", "model": "m", "slot": None, "state": "open", "cause": "refused", "accounts": 0}
TROUBLE = {"provider": "up", "model": "m", "words": "HTTP 401: bad key", "since_ms": 0, "last_ms": 0, "failures": 3}


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ({}, "nothing is known against it"),
        ({"circuits": [], "troubles": []}, "nothing is known against it"),
        (
            {"circuits": [{**CIRCUIT, "until_ms": 1_800_000_000_000, "failures": 5}], "troubles": []},
            "m: circuit open until 2027-01-15T08:00:00Z (refused, 5 failures)",
        ),
        (
            {"circuits": [{**CIRCUIT, "slot": 0, "state": "closed", "until_ms": None, "failures": 1}]},
            "m, key 1: calls go through (refused, 1 failures)",
        ),
        ({"circuits": [], "troubles": [TROUBLE]}, "m: HTTP 401: bad key (3 times in a row)"),
    ],
)
def test_the_state_of_a_provider(state: dict[str, object], shown: str) -> None:
    assert told_state({"state": state}) == shown
