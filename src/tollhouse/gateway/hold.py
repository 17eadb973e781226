"""Stage 5: the worst case a call can cost is held on everything that must pay for it, or the call does not go out.

A caller who names an output cap gets it or is refused; where none is named, one is added that the tightest purse can
pay, and the answer's head says so. The hold ends in `settle`, by the charge or by nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from tollhouse.billing import book
from tollhouse.billing.book import Purse
from tollhouse.billing.bounds import LARGEST_CONTEXT, Bounds, Input, Output, affords, bound
from tollhouse.billing.price_list import terms_of
from tollhouse.billing.prices import Price, demand
from tollhouse.core.account import ApiKey
from tollhouse.core.amount import BadAmount, format_usd, parse_usd
from tollhouse.core.catalogue import Model
from tollhouse.core.failure import BadRequest, InsufficientQuota, MaxCostExceeded, UnsupportedParameter
from tollhouse.core.usage import Usage
from tollhouse.gateway.allowance import GENERATES, allowance
from tollhouse.gateway.journey import Journey
from tollhouse.gateway.ports import House
from tollhouse.protocols.openai.extent import Extent
from tollhouse.protocols.openai.prompt import is_countable, prompt_of
from tollhouse.protocols.openai.request import Request

MAX_COST: Final = b"x-tollhouse-max-cost-usd"
ONE_REQUEST: Final = Usage(requests=1)
_PLAIN_UNITS: Final = frozenset(("requests",))


@dataclass(slots=True)
class Held:
    """What stands against a call: its price, and the hold (none in test mode and for free models)."""

    price: Price | None = None
    hold: book.Hold | None = None


class Weighed(NamedTuple):
    """What a call can cost at most, by which price, and every purse that has to pay for it."""

    price: Price
    bounds: Bounds
    purses: list[Purse]


def hold(house: House, journey: Journey, request: Request, model: Model, counted: int | None = None) -> Held:
    """Raises ModelNotPriced, MaxCostExceeded, InsufficientQuota; BadRequest for a maximum that is no amount."""
    most = max_cost(journey)
    weighed = weigh(house, journey, request, model, counted)
    if weighed is None:
        return Held()
    price, bounds, purses = weighed
    journey.purses = [(purse, purse.spent, purse.held) for purse in purses]
    within(most, bounds)
    try:
        held = book.hold(purses, bounds.amount)
    except book.Short as short:
        raise too_little(house, short, journey.call.time_ms) from None
    journey.held, journey.most_in, journey.most_cost = bounds.amount, bounds.tokens_in, most
    affordable = most
    if most is not None:
        journey.most_units = units_of(price, request, journey.asked, model)
        affordable = affords(price, bounds.tokens_in, journey.most_units, most)
    journey.most_out = allowance(
        house.cut_at_hold, journey.identity.account, bounds, has_maximum=most is not None, affordable=affordable
    )
    if bounds.added_cap is not None:
        journey.output_cap = journey.added_cap = bounds.added_cap
        journey.headers.append((b"x-tollhouse-output-cap", b"%d" % bounds.added_cap))
    return Held(price, held)


def weigh(house: House, journey: Journey, request: Request, model: Model, counted: int | None = None) -> Weighed | None:
    """None: the call is free, in test mode or by a model that is. `counted`: see `counted_text`.

    Raises ModelNotPriced; InsufficientQuota for a free one, too, under a budget that lets nothing in.
    """
    key, now_ms = journey.identity.key, journey.call.time_ms
    if key.mode == "test":
        return None
    if model.free:
        _served(None, model, request)
        nothing_in(house, key, model, now_ms)
        return None
    listed = demand(house.prices().find(model.id, now_ms, terms_of(journey.identity.account)), model.id, ONE_REQUEST)
    price = _served(listed, model, request)
    assert price is not None
    asked = journey.asked
    purses = house.purses.of(key, now_ms, model.id)
    bounds = bound(
        price,
        Input(asked.bytes, asked.media, asked.elsewhere, counted, texts=_readings(request, asked)),
        Output(
            request.output_cap,
            request.n if request.operation in GENERATES else 0,
            thinking=request.thinking,
            uncapped=request.uncapped,
            thinks_beside=request.thinks_beside,
            other_cap=request.other_cap,
        ),
        units_of(price, request, asked, model),
        context_tokens=model.context_tokens,
        max_output_tokens=model.max_output_tokens,
        left=book.tightest(purses),
    )
    return Weighed(price, bounds, purses)


def _served(price: Price | None, model: Model, request: Request) -> Price | None:
    """The price of the service tier that a call asks for. Raises UnsupportedParameter where it has none: the provider
    would bill what nobody here pays."""
    if not request.tier:
        return price
    served = None if price is None else price.served(request.tier)
    if served is None:
        raise UnsupportedParameter(
            f"'{request.tier_param}' changes what the provider bills, and the model {model.id} has no price for"
            f" '{request.tier[:40]}' here: leave it out.",
            param=request.tier_param,
        )
    return served


def _readings(request: Request, asked: Extent) -> int:
    """How often a context may be read: for each text; and, where the input is not all here, for each answer, since each
    of them may search for itself."""
    return max(request.prompts, request.n) if asked.elsewhere else request.prompts


def units_of(price: Price, request: Request, asked: Extent, model: Model) -> Usage:
    """Units that a call uses at most, of those that its price names. A second of sound is a token of the context at the
    least, and no size of a file bounds its seconds: silence takes no room."""
    tiers = price.tiers
    plain = tiers[0].per_unit.keys() <= _PLAIN_UNITS
    if plain and (len(tiers) == 1 or all(rates.per_unit.keys() <= _PLAIN_UNITS for rates in tiers)):
        return ONE_REQUEST
    seconds = 0
    if asked.heard or asked.elsewhere:
        seconds = (model.context_tokens or LARGEST_CONTEXT) * _readings(request, asked)
    return Usage(requests=1, images=asked.parts + request.n, seconds=seconds, characters=asked.bytes)


async def counted_text(house: House, journey: Journey, request: Request, model: Model) -> int | None:
    """The exact tokens of a text whose bytes bound it too dearly. None: nobody can count them, or they would not help.

    Only asked for where a call would be refused: most calls fit by their bytes, which cost nothing to know.
    """
    asked = journey.asked
    if not (is_countable(asked) and house.count.exact(journey.model)):
        return None
    least, most = weigh(house, journey, request, model, 0), max_cost(journey)
    if least is None or too_dear(least, most):
        return None
    read = journey.prompt or prompt_of(request, asked)
    tokens = await house.count.count_aside(read.text, journey.model, journey.identity.account.id)
    return min(tokens + read.ids, asked.bytes)


def too_dear(weighed: Weighed, most: int | None) -> bool:
    """Whether a call would be refused for what it can cost."""
    amount = weighed.bounds.amount
    return (most is not None and amount > most) or book.short(weighed.purses, amount) is not None


def nothing_in(house: House, key: ApiKey, model: Model, now_ms: int) -> None:
    """Raises InsufficientQuota where a budget of 0 lets nothing in, be it free."""
    budgets = [purse for purse in house.purses.of(key, now_ms, model.id) if purse.kind == "budget"]
    short = book.short(budgets, 0)
    if short is not None:
        raise too_little(house, short, now_ms)


def something_left(house: House, key: ApiKey, now_ms: int) -> None:
    """Raises InsufficientQuota where a live key has nothing left for any call: known before its body is."""
    if key.mode == "test" or any(model.free for model in house.catalogue.models.values()):
        return
    short = book.short(house.purses.of(key, now_ms), 1)
    if short is not None:
        raise too_little(house, book.Short(short.purse, None), now_ms)


def within(most: int | None, bounds: Bounds) -> None:
    """Raises MaxCostExceeded where a call can cost more than its caller allows."""
    if most is not None and bounds.amount > most:
        raise MaxCostExceeded(
            f"This call can cost up to {format_usd(bounds.amount)} USD, more than the {format_usd(most)} USD that"
            " x-tollhouse-max-cost-usd allows: name a smaller output cap, or allow more.",
            param=MAX_COST.decode(),
        )


def too_little(house: House, short: book.Short, now_ms: int) -> InsufficientQuota:
    """What the caller is told whose call a purse cannot pay."""
    return book.refusal(short, now_ms, _when(short.purse.resets_at_ms), house.contact)


def max_cost(journey: Journey) -> int | None:
    """What the caller allows in nano-USD, if he says; said twice, the least. Raises BadRequest for what is no amount,
    nothing among it: a script whose variable is empty meant to set a maximum."""
    said = [value for name, value in journey.call.headers if name == MAX_COST]
    try:
        return min((parse_usd(value.decode("latin-1")) for value in said), default=None)
    except BadAmount as error:
        raise BadRequest(f"x-tollhouse-max-cost-usd: {error}", param=MAX_COST.decode()) from None


def _when(time_ms: int | None) -> str | None:
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
