"""Public ids hold the time they were minted at."""

import pytest

from tollhouse.core.ids import make_id, time_of


@pytest.mark.parametrize("now_ms", [0, 1, 1_790_000_000_000, 2**48 - 1])
@pytest.mark.parametrize("random", [bytes(10), b"\xff" * 10])
def test_the_time_of_an_id_is_the_one_it_was_made_at(now_ms: int, random: bytes) -> None:
    assert time_of(make_id("req", now_ms, random)) == now_ms


@pytest.mark.parametrize(
    "text", ["", "req_", "req_1", "req_" + "a" * 25, "req_" + "a" * 27, "req_" + "a" * 25 + "1", "é"]
)
def test_what_is_no_id_has_no_time(text: str) -> None:
    assert time_of(text) is None
