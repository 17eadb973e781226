"""How much output may pass before an answer is cut: half more than was held for, where `cut_at_hold` says so.

Who pays in advance could else be made to owe what they never put in, by a provider that ignores a cap. A margin is
left because our count may be off by a third, and one word of a small cap by several tokens.
"""

from typing import Final, Literal

from tollhouse.billing.bounds import Bounds, affords
from tollhouse.billing.prices import Price
from tollhouse.core.account import Account
from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage

CutAtHold = Literal["prepaid", "always", "never"]
"""`prepaid`: accounts whose credit limit is not unlimited."""

GENERATES: Final = frozenset[Operation](("chat", "completions", "responses"))
ONE_REQUEST: Final = Usage(requests=1)
SMALLEST_MARGIN: Final = 8
"""Tokens that may pass beyond a small cap: a rule counts the longest word for no more."""


def allowance(when: CutAtHold, account: Account, price: Price, bounds: Bounds, most_cost: int | None) -> int | None:
    """Tokens of output that may pass, by our count, for all answers of a call together. None: any number.

    most_cost: nano-USD that the call may cost at most, as its caller says; then it is cut whatever the setting, and no
    later than the money for it ends.
    """
    prepaid = account.credit_limit is not None
    if most_cost is None and (when == "never" or (when == "prepaid" and not prepaid)):
        return None
    tokens = max(bounds.tokens_out * 3 // 2, bounds.tokens_out + SMALLEST_MARGIN)
    if most_cost is None:
        return tokens
    affordable = affords(price, bounds.tokens_in, ONE_REQUEST, most_cost)
    return tokens if affordable is None else min(tokens, affordable)
