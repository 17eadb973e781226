"""Stage 5: the worst case a call can cost is held on everything that must pay for it, or the call does not go out.

A caller who names an output cap gets it or is refused; where none is named, one is added that the tightest counter can
pay, and the answer's head says so. The hold ends in `settle`, by the charge or by nothing.
"""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct, structs

from tollhouse.billing import holds
from tollhouse.billing.bounds import LARGEST_CONTEXT, Bounds, InputSize, OutputSize, affords, bound
from tollhouse.billing.holds import SpendingCounter
from tollhouse.billing.prices import Price, demand
from tollhouse.core.account import ApiKey
from tollhouse.core.amount import BadAmount, format_usd, parse_usd
from tollhouse.core.catalogue import Model
from tollhouse.core.failure import BadRequest, InsufficientQuota, MaxCostExceeded, UnsupportedParameter
from tollhouse.core.model_request import InputBounds, ModelRequest, is_countable
from tollhouse.core.usage import Usage
from tollhouse.gateway.allowance import allowance
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext
from tollhouse.gateway.sold_tools import sell_tools

MAX_COST: Final = b"x-tollhouse-max-cost-usd"
ONE_REQUEST: Final = Usage(requests=1)
_PLAIN_UNITS: Final = frozenset(("requests", "searches"))


class RequestHold(Struct):
    """What stands against a call: its price, and the hold (none in test mode and for free models)."""

    price: Price | None = None
    hold: holds.Hold | None = None


class WorstCase(Struct):
    """What a call can cost at most, by which price, and every counter that has to pay for it."""

    price: Price
    bounds: Bounds
    counters: list[SpendingCounter]


async def hold(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, model: Model, counted: int | None = None
) -> RequestHold:
    """Raises ModelNotPriced, MaxCostExceeded, InsufficientQuota; BadRequest for a maximum that is no amount."""
    maximum = max_cost(context) if MAX_COST in context.fields else None
    weighed = await weigh(gateway, context, request, model, counted)
    if weighed is None:
        return RequestHold()
    price, bounds, counters = weighed.price, weighed.bounds, weighed.counters
    for counter in counters:
        context.counters.append((counter, counter.spent, counter.held))
    if maximum is not None:
        within(maximum, bounds)
    try:
        held = await gateway.holds.hold(counters, bounds.amount)
    except holds.InsufficientFunds as short:
        raise too_little(gateway, short, context.call.time_ms) from None
    context.held, context.most_in, context.most_cost = bounds.amount, bounds.tokens_in, maximum
    affordable = maximum
    if maximum is not None:
        context.most_units = units_of(price, request, context.asked, model)
        affordable = affords(price, bounds.tokens_in, context.most_units, maximum)
    context.most_out = allowance(
        gateway.cut_at_hold, context.identity.account, bounds, has_maximum=maximum is not None, affordable=affordable
    )
    if bounds.added_cap is not None:
        context.output_cap = context.added_cap = bounds.added_cap
        context.headers.append((b"x-tollhouse-output-cap", b"%d" % bounds.added_cap))
    return RequestHold(price, held)


async def weigh(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, model: Model, counted: int | None = None
) -> WorstCase | None:
    """None: the call is free, in test mode or by a model that is. `counted`: see `counted_text`.

    Raises ModelNotPriced; InsufficientQuota for a free one, too, under a budget that lets nothing in.
    """
    key, now_ms = context.identity.key, context.call.time_ms
    if key.mode == "test":
        return None
    if model.free:
        if request.hosted:
            await sell_tools(gateway, context, request, model, None)
        _served(None, model, request)
        await nothing_in(gateway, key, model, now_ms)
        return None
    account = context.identity.account
    listed = gateway.prices().sold(model.id, now_ms, account.price_list, account.multiplier_ppm)
    listed = demand(listed, model.id, context.asked.units or ONE_REQUEST)
    if request.hosted:
        await sell_tools(gateway, context, request, model, listed)
    price = _served(listed, model, request) if request.tier or request.unit_tier else listed
    assert price is not None
    asked = context.asked
    counters = await gateway.holds.paying(key, now_ms, model.id)
    readings = _readings(request, asked) if asked.has_remote_input else request.prompts
    bounds = bound(
        price,
        InputSize(asked.bytes, asked.media, asked.has_remote_input, counted, texts=readings),
        OutputSize(
            request.output_cap,
            request.n if context.codec.generates or context.codec.draws else 0,
            thinking=request.thinking,
            uncapped=request.uncapped,
            thinks_beside=request.thinks_beside,
            other_cap=request.other_cap,
            takes_cap=context.codec.takes_cap,
        ),
        units_of(price, request, asked, model),
        context_tokens=model.context_tokens,
        max_output_tokens=model.max_output_tokens,
        left=holds.tightest(counters),
    )
    return WorstCase(price, bounds, counters)


def _served(price: Price | None, model: Model, request: ModelRequest) -> Price | None:
    """The price of the tier that a call asks for: of service, or of a price by the unit.

    Raises UnsupportedParameter where it has none: the provider would bill what nobody here pays."""
    tier, param = request.tier, request.tier_param
    if not tier and price is not None and not price.tiers[0].per_million:
        tier, param = request.unit_tier, request.unit_tier_param  # where tokens have a price, they tell it apart
    if not tier:
        return price
    served = None if price is None else price.served(tier)
    if served is None:
        raise UnsupportedParameter(
            f"'{param}' changes what the provider bills, and the model {model.id} has no price for"
            f" '{tier[:40]}' here: leave it out.",
            param=param,
        )
    return served


def _readings(request: ModelRequest, asked: InputBounds) -> int:
    """How often a context may be read: for each text; and, where the input is not all here, for each answer, since each
    of them may search for itself."""
    return max(request.prompts, request.n) if asked.has_remote_input else request.prompts


def units_of(price: Price, request: ModelRequest, asked: InputBounds, model: Model) -> Usage:
    """Units that a call uses at most, of those that its price names. A second of sound is a token of the context at the
    least, and no size of a file bounds its seconds: silence takes no room."""
    if asked.units is not None:
        most = model.context_tokens or LARGEST_CONTEXT
        return asked.units if asked.units.seconds <= most else structs.replace(asked.units, seconds=most)
    tiers = price.tiers
    plain = tiers[0].per_unit.keys() <= _PLAIN_UNITS
    if plain and (len(tiers) == 1 or all(rates.per_unit.keys() <= _PLAIN_UNITS for rates in tiers)):
        return Usage(requests=1, searches=searches_of(request)) if request.hosted else ONE_REQUEST
    seconds = 0
    if asked.audio_tokens or asked.has_remote_input:
        seconds = (model.context_tokens or LARGEST_CONTEXT) * _readings(request, asked)
    return Usage(
        requests=1,
        images=asked.parts + request.n,
        seconds=seconds,
        characters=asked.bytes,
        searches=searches_of(request) if request.hosted else 0,
    )


def searches_of(request: ModelRequest) -> int:
    """Searches that a call may make: each answer for itself, and every tool as often as it may."""
    return request.n * sum(tool.most for tool in request.hosted if tool.is_search)


async def counted_text(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, model: Model
) -> int | None:
    """The exact tokens of a text whose bytes bound it too dearly. None: nobody can count them, or they would not help.

    Only asked for where a call would be refused: most calls fit by their bytes, which cost nothing to know.
    """
    asked = context.asked
    if not (is_countable(asked) and gateway.count.exact(context.model)):
        return None
    least, maximum = await weigh(gateway, context, request, model, 0), max_cost(context)
    if least is None or too_dear(least, maximum):
        return None
    read = context.prompt or context.request_codec.prompt_of(request, asked)
    tokens = await gateway.count.count_aside(read.text, context.model, context.identity.account.id)
    return min(tokens + read.ids, asked.bytes)


def too_dear(weighed: WorstCase, maximum: int | None) -> bool:
    """Whether a call would be refused for what it can cost."""
    amount = weighed.bounds.amount
    return (maximum is not None and amount > maximum) or holds.insufficient(weighed.counters, amount) is not None


async def nothing_in(gateway: GatewayContext, key: ApiKey, model: Model, now_ms: int) -> None:
    """Raises InsufficientQuota where a budget of 0 lets nothing in, be it free."""
    paying = await gateway.holds.paying(key, now_ms, model.id)
    budgets = [counter for counter in paying if counter.kind == "budget"]
    short = holds.insufficient(budgets, 0)
    if short is not None:
        raise too_little(gateway, short, now_ms)


async def something_left(gateway: GatewayContext, key: ApiKey, now_ms: int) -> None:
    """Raises InsufficientQuota where a live key has nothing left for any call: known before its body is."""
    if key.mode == "test" or gateway.catalogue.has_free_models:
        return
    short = holds.insufficient(await gateway.holds.paying(key, now_ms), 1)
    if short is not None:
        raise too_little(gateway, holds.InsufficientFunds(short.counter, None), now_ms)


def within(maximum: int, bounds: Bounds) -> None:
    """Raises MaxCostExceeded where a call can cost more than its caller allows."""
    if bounds.amount > maximum:
        raise MaxCostExceeded(
            f"This call can cost up to {format_usd(bounds.amount)} USD, more than the {format_usd(maximum)} USD that"
            " x-tollhouse-max-cost-usd allows: name a smaller output cap, or allow more.",
            param=MAX_COST.decode(),
        )


def too_little(gateway: GatewayContext, short: holds.InsufficientFunds, now_ms: int) -> InsufficientQuota:
    """What the caller is told whose call a counter cannot pay."""
    return holds.refusal(short, now_ms, _when(short.counter.resets_at_ms), gateway.contact)


def max_cost(context: RequestContext) -> int | None:
    """What the caller allows in nano-USD, if he says; said twice, the least. Raises BadRequest for what is no amount,
    nothing among it: a script whose variable is empty meant to set a maximum."""
    if MAX_COST not in context.fields:
        return None
    said = [value for name, value in context.call.headers if name == MAX_COST]
    try:
        return min(parse_usd(value.decode("latin-1")) for value in said)
    except BadAmount as error:
        raise BadRequest(f"x-tollhouse-max-cost-usd: {error}", param=MAX_COST.decode()) from None


def _when(time_ms: int | None) -> str | None:
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
