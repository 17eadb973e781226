"""Every model can be served, and says what it costs."""

from tollhouse.billing.price_list import DEFAULT
from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped

TITLE = "Models"


def check(context: DiagnosticContext) -> CheckVerdict:
    models = context.catalogue().models
    lists, _ = context.prices()
    in_force = list(lists.in_force(context.clock.now_ms()))
    priced = {row.model for row in in_force}
    everywhere = {row.model for row in in_force if row.price_list == DEFAULT}
    if not models:
        return skipped("there is none yet: name some in platform.toml and run `tollhouse apply`")
    unserved = sorted(one.id for one in models.values() if not one.offers)
    unpriced = sorted(one.id for one in models.values() if one.id not in priced and not one.free)
    if unserved:
        return red(f"no offers: {_some(unserved)}", "give each `offers`, or remove it from platform.toml")
    if unpriced:
        return red(f"no price: {_some(unpriced)}; calls are refused", "give each a `price`, or say free = true")
    some = sorted(one.id for one in models.values() if one.id not in everywhere and not one.free)
    only = f"; not in the default list, so refused to who buys by it: {_some(some)}" if some else ""
    return green(f"{len(models)} models with offers and prices{only}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
