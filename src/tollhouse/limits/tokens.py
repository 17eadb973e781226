"""How many tokens may go in and out in a minute."""

from typing import Final

from tollhouse.core.usage import Usage
from tollhouse.limits.kind import LimitKindSpec
from tollhouse.limits.unit_rate import UnitRate


def token_rate() -> UnitRate:
    return UnitRate("tokens", "send less, or name a smaller output cap")


def _reserves(tokens: int, units: Usage) -> int:
    return tokens


def _uses(reserved: int, used: Usage) -> int:
    return used.tokens_in() + used.tokens_out()


KIND: Final = LimitKindSpec(
    name="tokens_per_minute", order=30, counter=token_rate, reserves=_reserves, uses=_uses, header="tokens"
)
