"""The attacks whose bounds speak of time and memory, on a platform whose loop is watched: what `make hostile` shows."""

import pytest

from tests.hostile.catalogue import ATTACKS
from tests.hostile.harness import play


def _held(name: str, upstream_port: int) -> None:
    outcome = play(ATTACKS[name], upstream_port, watch=True)
    assert outcome.held, str(outcome)


@pytest.mark.long
def test_a_schema_that_multiplies(upstream_port: int) -> None:
    _held("G1", upstream_port)


@pytest.mark.long
def test_bodies_of_millions_of_values(upstream_port: int) -> None:
    _held("G2", upstream_port)


@pytest.mark.long
def test_bodies_without_their_last_byte(upstream_port: int) -> None:
    _held("G3", upstream_port)


@pytest.mark.long
def test_slow_name_servers(upstream_port: int) -> None:
    _held("G4", upstream_port)


@pytest.mark.long
def test_two_hundred_rotations(upstream_port: int) -> None:
    _held("G5", upstream_port)


@pytest.mark.long
def test_answers_that_nobody_reads(upstream_port: int) -> None:
    _held("G7", upstream_port)


@pytest.mark.long
def test_notices_that_hang(upstream_port: int) -> None:
    _held("D2", upstream_port)


@pytest.mark.long
def test_prompts_that_are_left_to_be_counted(upstream_port: int) -> None:
    _held("D3", upstream_port)


@pytest.mark.long
def test_mails_to_strangers(upstream_port: int) -> None:
    _held("D5", upstream_port)


@pytest.mark.long
def test_all_everything_at_once(upstream_port: int) -> None:
    _held("ALL", upstream_port)


@pytest.mark.long
def test_walk1_each_status_and_shape_with_one_offer(upstream_port: int) -> None:
    _held("WALK1", upstream_port)


@pytest.mark.long
def test_walk2_each_status_and_shape_with_two_offers(upstream_port: int) -> None:
    _held("WALK2", upstream_port)


@pytest.mark.long
def test_values_bodies_of_who_can_pay(upstream_port: int) -> None:
    _held("VALUES", upstream_port)


@pytest.mark.long
def test_values0_bodies_of_who_cannot(upstream_port: int) -> None:
    _held("VALUES0", upstream_port)


@pytest.mark.long
def test_bombs_compressed_bodies(upstream_port: int) -> None:
    _held("BOMBS", upstream_port)


@pytest.mark.long
def test_wire_connections_and_floods(upstream_port: int) -> None:
    _held("WIRE", upstream_port)


@pytest.mark.long
def test_crowd_forty_accounts_within_their_bounds(upstream_port: int) -> None:
    _held("CROWD", upstream_port)


@pytest.mark.long
def test_large_answers_of_any_size(upstream_port: int) -> None:
    _held("LARGE", upstream_port)


@pytest.mark.long
def test_testkey_what_a_test_key_asks(upstream_port: int) -> None:
    _held("TESTKEY", upstream_port)


@pytest.mark.long
def test_public_answers_without_end(upstream_port: int) -> None:
    _held("PUBLIC", upstream_port)


@pytest.mark.long
def test_lists_of_a_thousand_models(upstream_port: int) -> None:
    _held("LISTS", upstream_port)
