"""The attacks whose bounds speak of time and memory, on a platform whose loop is watched: what `make hostile` shows."""

import pytest

from tests.hostile.catalogue import ATTACKS
from tests.hostile.scene import play


def _held(name: str, upstream_port: int) -> None:
    outcome = play(ATTACKS[name], upstream_port, watch=True)
    assert outcome.held, str(outcome)


@pytest.mark.long
def test_g1_a_schema_that_multiplies(upstream_port: int) -> None:
    _held("G1", upstream_port)


@pytest.mark.long
def test_g2_bodies_of_millions_of_values(upstream_port: int) -> None:
    _held("G2", upstream_port)


@pytest.mark.long
def test_g3_bodies_without_their_last_byte(upstream_port: int) -> None:
    _held("G3", upstream_port)
