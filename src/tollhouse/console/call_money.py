"""What became of the money of a call, as its receipt and the playground show it."""

from msgspec import Struct

from tollhouse.core.usage_record import UsageRecord


class CallMoney(Struct, frozen=True):
    """Nano-USD: held before it was sent, charged for it, free again of what was held, charged beyond it."""

    held: int
    charged: int
    released: int
    overrun: int


def money_of(call: UsageRecord) -> CallMoney:
    charge = call.charge
    if charge is None:
        return CallMoney(call.released, 0, call.released, 0)
    charged = charge.amount if call.mode == "live" else 0
    return CallMoney(charge.held, charged, max(0, charge.held - charge.amount), charge.overrun)
