"""How much output may pass before an answer is cut: half more than was held for, where `cut_at_hold` says so.

Who pays in advance could else be made to owe what they never put in, by a provider that ignores a cap. A margin is
left because our count may be off by a third, and one word of a small cap by several tokens.
"""

from typing import Final, Literal

from tollhouse.billing.bounds import Bounds
from tollhouse.core.account import Account

CutAtHold = Literal["prepaid", "always", "never"]
"""`prepaid`: accounts whose credit limit is not unlimited."""

SMALLEST_MARGIN: Final = 8
"""Tokens that may pass beyond a small cap: a rule counts the longest word for no more."""


def allowance(
    when: CutAtHold, account: Account, bounds: Bounds, *, has_maximum: bool, affordable: int | None
) -> int | None:
    """Tokens of output that may pass, by our count, for all answers of a call together. None: any number.

    has_maximum: the caller says what the call may cost at most. Then it is cut whatever the setting, and no later than
    that money ends: after `affordable` tokens (None: output costs nothing).
    """
    prepaid = account.credit_limit is not None
    if not has_maximum and (when == "never" or (when == "prepaid" and not prepaid)):
        return None
    tokens = max(bounds.tokens_out * 3 // 2, bounds.tokens_out + SMALLEST_MARGIN)
    return tokens if affordable is None else min(tokens, affordable)
