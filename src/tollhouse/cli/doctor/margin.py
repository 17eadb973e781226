"""Nothing is sold for less than a provider takes for it: at no list, multiplier or input size, now or as scheduled."""

from tollhouse.billing.margin import costs_of, losses, terms_in_use
from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.services.margin import as_text

TITLE = "Margins"


def check(context: DiagnosticContext) -> CheckVerdict:
    catalogue = context.catalogue()
    if not costs_of(catalogue):
        return skipped("no provider says what it costs: give it `cost` in platform.toml to be warned of losses")
    lists, accounts = context.prices()
    terms, now_ms = terms_in_use(lists, accounts), context.clock.now_ms()
    found = {
        f"{loss.model}: {as_text(loss)}": None
        for at_ms in (now_ms, *lists.changes_after(now_ms))
        for loss in losses(catalogue, lists, terms, at_ms)
    }
    if found:
        some = "; ".join(list(found)[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
        return red(f"sold below cost: {some}", "raise the price, the multiplier, or correct the provider's `cost`")
    return green("no model is sold below the costs that are known")
