"""What makes calls belong together."""

from hypothesis import given
from hypothesis import strategies as st

from tollhouse.routing.affinity import START_BYTES, affinity


@given(st.binary(min_size=START_BYTES, max_size=START_BYTES), st.binary(), st.binary())
def test_a_conversation_that_grows_stays_where_it_is(start: bytes, one: bytes, other: bytes) -> None:
    assert affinity("key_a", start + one) == affinity("key_a", start + other)


@given(st.binary(max_size=200))
def test_keys_and_beginnings_are_told_apart(prompt: bytes) -> None:
    assert affinity("key_a", prompt) != affinity("key_b", prompt)
    assert affinity("key_a", prompt) != affinity("key_a", b"x" + prompt) or not prompt.strip(b"x")


def test_the_figure_is_the_same_in_every_process_and_version() -> None:
    assert affinity("key_a", b'[{"role":"user"}]') == 0x8EA5254E
