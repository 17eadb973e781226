"""The attacks that are judged by statuses, counts and balances alone."""

import pytest

from tests.hostile.catalogue import ATTACKS
from tests.hostile.harness import play


def _held(name: str, upstream_port: int) -> None:
    outcome = play(ATTACKS[name], upstream_port)
    assert outcome.held, str(outcome)


@pytest.mark.long
def test_what_makes_a_call_read_more(upstream_port: int) -> None:
    _held("A1", upstream_port)


@pytest.mark.long
def test_a_cap_by_another_name(upstream_port: int) -> None:
    _held("A2", upstream_port)


@pytest.mark.long
def test_links_in_parts(upstream_port: int) -> None:
    _held("A3", upstream_port)


@pytest.mark.long
def test_seconds_of_sound(upstream_port: int) -> None:
    _held("A4", upstream_port)


@pytest.mark.long
def test_left_before_the_first_byte(upstream_port: int) -> None:
    _held("A5", upstream_port)


def test_a_dearer_tier(upstream_port: int) -> None:
    _held("A6", upstream_port)


@pytest.mark.long
def test_the_sum_of_a_hosted_loop(upstream_port: int) -> None:
    _held("B1", upstream_port)


@pytest.mark.long
def test_thoughts_that_are_shown(upstream_port: int) -> None:
    _held("B2", upstream_port)


@pytest.mark.long
def test_what_one_account_met(upstream_port: int) -> None:
    _held("D1", upstream_port)


def test_names_of_another_account(upstream_port: int) -> None:
    _held("D4", upstream_port)


def test_one_gate_for_all_routes(upstream_port: int) -> None:
    _held("E1", upstream_port)


@pytest.mark.long
def test_what_a_caller_wrote(upstream_port: int) -> None:
    _held("F1", upstream_port)


@pytest.mark.long
def test_dates_and_numbers(upstream_port: int) -> None:
    _held("G6", upstream_port)


@pytest.mark.long
def test_caps_caps_by_any_name(upstream_port: int) -> None:
    _held("CAPS", upstream_port)


@pytest.mark.long
def test_worst_providers_that_pass_their_cap(upstream_port: int) -> None:
    _held("WORST", upstream_port)


@pytest.mark.long
def test_members_members_nobody_knows(upstream_port: int) -> None:
    _held("MEMBERS", upstream_port)


@pytest.mark.long
def test_parts_parts_nobody_knows(upstream_port: int) -> None:
    _held("PARTS", upstream_port)
