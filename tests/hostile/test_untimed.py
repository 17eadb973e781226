"""The attacks that are judged by statuses, counts and balances, and take a few seconds each."""

from tests.hostile.catalogue import ATTACKS
from tests.hostile.scene import play


def _held(name: str, upstream_port: int) -> None:
    outcome = play(ATTACKS[name], upstream_port)
    assert outcome.held, str(outcome)
