"""`/v1/models` and `/v1beta/models`: exactly what this key may call, in the words of whoever asks."""

from typing import Final

from tollhouse.access.models import permission
from tollhouse.billing.price_list import terms_of
from tollhouse.billing.quote import quote
from tollhouse.core.account import Identity
from tollhouse.core.catalogue import Model
from tollhouse.core.entry import ModelEntry
from tollhouse.core.operation import Dialect
from tollhouse.core.price import Written
from tollhouse.core.upstream import Headers
from tollhouse.edge.exchange import JSON, Exchange
from tollhouse.edge.paths import Endpoint, model_of
from tollhouse.formats import dialects
from tollhouse.gateway.ports import GatewayContext
from tollhouse.routing.resolve import callable_models, resolve, retirement_headers

MODELS_A_TURN: Final = 200
"""Of a list: what is written without letting others in takes a millisecond or two."""


def dialect(headers: Headers, endpoint: Endpoint) -> Dialect:
    """Who asks on this path: SDKs of all vendors ask at `/v1/models`, told apart by the headers they send. Google's
    go before Anthropic's."""
    if dialects()[endpoint.dialect].prefixes:  # a path of its own
        return endpoint.dialect
    names = {name for name, _ in headers}
    senders = [spec.name for spec in dialects().values() if not spec.sent_by.isdisjoint(names)]
    return senders[-1] if senders else endpoint.dialect


async def listing(
    gateway: GatewayContext, exchange: Exchange, identity: Identity, dialect: Dialect, path: str, now_ms: int
) -> None:
    models = callable_models(gateway.catalogue, permission(gateway.catalogue, identity), now_ms)
    entries: list[ModelEntry] = []
    for begin in range(0, len(models), MODELS_A_TURN):
        if begin:
            await gateway.sleep(0)
        turn = models[begin : begin + MODELS_A_TURN]
        entries += [entry(model, price_of(gateway, identity, model, now_ms)) for model in turn]
    await exchange.send_response(200, _head(), dialects()[dialect].models(entries))


async def item(
    gateway: GatewayContext, exchange: Exchange, identity: Identity, dialect: Dialect, path: str, now_ms: int
) -> None:
    """One model by id or alias; ids may hold slashes, colons and any Unicode."""
    model = resolve(gateway.catalogue, model_of(path), permission(gateway.catalogue, identity), now_ms)
    head = [*_head(), *retirement_headers(model)]
    shown = entry(model, price_of(gateway, identity, model, now_ms))
    await exchange.send_response(200, head, dialects()[dialect].model(shown))


def price_of(gateway: GatewayContext, identity: Identity, model: Model, now_ms: int) -> Written:
    """What a call of this caller would be charged by at this moment; empty: nothing, or the model is not sold."""
    price = None if model.free else gateway.prices().find(model.id, now_ms, terms_of(identity.account))
    return {} if price is None else quote(price)


def entry(model: Model, prices: Written) -> ModelEntry:
    return ModelEntry(
        id=model.id,
        created=model.created,
        owned_by=model.owned_by,
        context_tokens=model.context_tokens,
        max_output_tokens=model.max_output_tokens,
        prices=prices,
        modalities=model.modalities,
        operations=model.operations,
        retires_at=model.retires_at,
        group=model.groups[0] if model.groups else "default",
        tags=model.tags,
        description=model.description,
    )


def _head() -> Headers:
    return [JSON, (b"cache-control", b"no-store"), (b"vary", b"anthropic-version, x-goog-api-key, x-goog-api-client")]
