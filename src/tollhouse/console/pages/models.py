"""/console/models: what this account may call, at which price, and what it used of each this month."""

from tollhouse.billing.prices import PARENT, UNITS, Price, Rates
from tollhouse.console import snippets
from tollhouse.console.months import month_start_ms
from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.roll_up import UsageSum
from tollhouse.services import models, usage
from tollhouse.services.models import OfferedModel

_SHOWN_MAX = 300
_KEY = "$TOLLHOUSE_API_KEY"


@page("GET /console/models", may="models.list")
async def listing(visit: Visit) -> Answer:
    services, account = visit.context.services, visit.shown_account
    wanted, asked = visit.asked("q").casefold(), visit.asked("model")
    offered = models.offered(services, account)
    found = [one for one in offered if _fits(one, wanted)]
    sums = await usage.report(services, visit.actor, by="model", from_ms=month_start_ms(visit.now_ms), mode="live")
    used: dict[str, UsageSum] = {one.group: one for one in sums}
    chosen = next((one for one in offered if one.model.id == asked), None)
    return Shown(
        "models.html",
        {
            "models": [(one, None if one.price is None else one.price.tiers[0]) for one in found[:_SHOWN_MAX]],
            "is_whole": len(found) <= _SHOWN_MAX,
            "offered": len(offered),
            "q": visit.asked("q"),
            "used": used,
            "chosen": chosen,
            "tiers": [] if chosen is None or chosen.price is None else _tiers(chosen.price),
            "curl": "" if chosen is None else _curl(visit, chosen.model.id),
            "today": visit.now_ms,
        },
    )


def _fits(one: OfferedModel, wanted: str) -> bool:
    """Whether each of the words stands in its id, an alias, its maker, a tag or its description, in any case."""
    model = one.model
    text = " ".join((model.id, *model.aliases, model.owned_by, *model.tags, model.description)).casefold()
    return all(word in text for word in wanted.split())


def _tiers(price: Price) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """Each price that may hold: of which service tier (empty: none), above how many tokens of input, and its rates."""
    found = [("", price), *price.service_tiers.items()]
    return [(name, rates.above_input_tokens, _rates(rates)) for name, one in found for rates in one.tiers]


def _rates(rates: Rates) -> list[tuple[str, int]]:
    """What has a price of its own: buckets in nano-USD per million tokens, then units."""
    tokens = [
        (bucket, rate)
        for bucket, rate in rates.per_million.items()
        if bucket in ("input", "output") or rate != rates.per_million[PARENT[bucket]]
    ]
    return tokens + [(UNITS[bucket], rate) for bucket, rate in rates.per_unit.items()]


def _curl(visit: Visit, model: str) -> str:
    curl = next(one for one in snippets.clients() if one.label == "curl")
    (part,) = snippets.filled(curl, visit.base_url, _KEY, model).parts
    return part.text.replace(f"'Authorization: Bearer {_KEY}'", f'"Authorization: Bearer {_KEY}"')
