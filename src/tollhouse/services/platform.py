"""The configuration in force: what `plan` would change, and `apply`, which changes all of it or nothing.

What the file names is managed by the file and changed nowhere else; what the file no longer names goes, unless it is
managed by the API. A provider's secrets that stand in the file as they are (not as `env:` or `file:`) are not stored:
the database holds a fingerprint in their place, enough to see that one has changed, and `with_secrets` puts them back
from the file at a start.
"""

import hashlib
from collections.abc import Mapping
from typing import Literal, TypeVar

from msgspec import Struct, structs

from tollhouse.billing.price_list import PriceLists
from tollhouse.core.audit import Actor
from tollhouse.core.catalogue import Catalogue, Model, Plan, Provider
from tollhouse.core.failure import BadRequest, Conflict
from tollhouse.core.phrase import Phrase
from tollhouse.services import audit, prices, reach
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories

Kind = Literal["provider", "model", "plan"]
One = TypeVar("One", Provider, Model, Plan)

_FINGERPRINT = "sha256:"


class Change(Struct, frozen=True, kw_only=True):
    """One object that differs. `before` and `after` hold the members that do; secrets only as fingerprints."""

    kind: Kind
    id: str
    action: Literal["create", "update", "delete"]
    before: dict[str, object] = {}
    after: dict[str, object] = {}


class Applied(Struct, frozen=True):
    generation: int
    changes: tuple[Change, ...]


async def plan(services: ServiceContext, actor: Actor, wanted: Catalogue) -> tuple[Change, ...]:
    """What `apply` would change. Raises ScopeMissing, BadRequest."""
    reach.require_operator(actor, "see the configuration")
    stored = await services.rows.read(lambda tables: tables.catalogue.load())
    return changes(stored, _merged(stored, wanted))


async def apply(services: ServiceContext, actor: Actor, wanted: Catalogue) -> Applied:
    """Put a configuration in force: durable first, then from the next request on. The same one twice changes nothing.

    A changed price is a new row of the price list, in force from this instant.

    Raises ScopeMissing, BadRequest (an offer of no provider, a secret that is not there, a price that is none), and
    Conflict if somebody else applied another meanwhile; then nothing has changed.
    """
    reach.require_operator(actor, "change the configuration")
    stored = await services.rows.read(lambda tables: tables.catalogue.load())
    merged = _merged(stored, wanted)
    prices.check(merged)
    differ = changes(stored, merged)
    merged = structs.replace(merged, generation=stored.generation + bool(differ))
    in_force = with_secrets(merged, wanted, services.catalogue)
    put_in_force = services.prepare(in_force)
    now_ms = services.clock.now_ms()
    told = {f"{change.kind} {change.id}": change.action for change in differ}
    row = audit.entry(services, actor, "platform.apply", f"generation {merged.generation}", after=dict(told))

    def transaction(tables: SqlRepositories) -> tuple[Applied, PriceLists | None]:
        if tables.catalogue.load().generation != stored.generation:
            raise Conflict("somebody else has just applied another configuration: look at `plan`, and try again")
        if differ:
            tables.catalogue.save(without_secrets(merged), now_ms)
            tables.audit.add(row)
        added = prices.write(services, tables, merged.models, now_ms)
        return Applied(merged.generation, differ), PriceLists(tables.prices.list_all()) if added else None

    def follow(done: tuple[Applied, PriceLists | None]) -> None:
        services.catalogue = in_force
        services.prices = done[1] or services.prices
        put_in_force()

    return (await services.rows.change(transaction, follow))[0]


def changes(before: Catalogue, after: Catalogue) -> tuple[Change, ...]:
    """What differs, in the order providers, models, plans, each by id."""
    old, new = without_secrets(before), without_secrets(after)
    return (
        *_differences("provider", old.providers, new.providers),
        *_differences("model", old.models, new.models),
        *_differences("plan", old.plans, new.plans),
    )


def without_secrets(catalogue: Catalogue) -> Catalogue:
    """As it is stored and shown: with a fingerprint wherever a secret stands as it is."""
    return structs.replace(
        catalogue, providers={name: _hidden(provider) for name, provider in catalogue.providers.items()}
    )


def with_secrets(catalogue: Catalogue, *sources: Catalogue) -> Catalogue:
    """A stored catalogue with its secrets put back from where they stand: the file, the catalogue in force. A secret
    that stands nowhere any more keeps its fingerprint, which no provider will accept; see `missing_secrets`."""
    known: dict[str, str] = {}
    for source in sources:
        for provider in source.providers.values():
            for secret in _secrets(provider):
                known[fingerprint(secret)] = secret
    return structs.replace(
        catalogue,
        providers={
            name: structs.replace(
                provider,
                api_keys=tuple(known.get(key, key) for key in provider.api_keys),
                headers={header: known.get(value, value) for header, value in provider.headers.items()},
                proxy=None if provider.proxy is None else known.get(provider.proxy, provider.proxy),
            )
            for name, provider in catalogue.providers.items()
        },
    )


def missing_secrets(catalogue: Catalogue) -> tuple[str, ...]:
    """Ids of providers with a secret of which only the fingerprint is left: apply the file that holds it again."""
    return tuple(
        provider.id
        for provider in catalogue.providers.values()
        if any(secret.startswith(_FINGERPRINT) for secret in _texts(provider))
    )


def fingerprint(secret: str) -> str:
    return _FINGERPRINT + hashlib.sha256(secret.encode()).hexdigest()[:16]


def _merged(stored: Catalogue, wanted: Catalogue) -> Catalogue:
    """What is in force after an apply: all of the file, and of the rest what the API manages."""
    merged = Catalogue(
        generation=stored.generation,
        providers={**_by_api(stored.providers), **wanted.providers},
        models={**_by_api(stored.models), **wanted.models},
        plans=wanted.plans,
    )
    for model in merged.models.values():
        for offer in model.offers:
            if offer.provider not in merged.providers:
                raise BadRequest(
                    Phrase(
                        "models.%(model)s: its offer names %(provider)s, which is no provider",
                        model=model.id,
                        provider=repr(offer.provider),
                    )
                )
    return merged


def _by_api(records: Mapping[str, One]) -> dict[str, One]:
    return {name: record for name, record in records.items() if getattr(record, "managed_by", "file") == "api"}


def _differences(kind: Kind, before: Mapping[str, Struct], after: Mapping[str, Struct]) -> list[Change]:
    found = []
    for name in sorted({*before, *after}):
        old = {} if name not in before else structs.asdict(before[name])
        new = {} if name not in after else structs.asdict(after[name])
        if not old:
            found.append(Change(kind=kind, id=name, action="create", after=new))
        elif not new:
            found.append(Change(kind=kind, id=name, action="delete", before=old))
        elif differ := [member for member in new if old[member] != new[member]]:
            found.append(
                Change(
                    kind=kind,
                    id=name,
                    action="update",
                    before={member: old[member] for member in differ},
                    after={member: new[member] for member in differ},
                )
            )
    return found


def _hidden(provider: Provider) -> Provider:
    secrets = set(_secrets(provider))

    def hide(text: str) -> str:
        return fingerprint(text) if text in secrets else text

    return structs.replace(
        provider,
        api_keys=tuple(hide(key) for key in provider.api_keys),
        headers={header: hide(value) for header, value in provider.headers.items()},
        proxy=None if provider.proxy is None else hide(provider.proxy),
    )


def _secrets(provider: Provider) -> list[str]:
    """What stands in the configuration as it is and may be secret: keys, values of headers, a proxy with a password."""
    return [
        text
        for text in _texts(provider)
        if not text.startswith(("env:", "file:", _FINGERPRINT)) and (text != provider.proxy or "@" in text)
    ]


def _texts(provider: Provider) -> list[str]:
    return [*provider.api_keys, *provider.headers.values(), *([] if provider.proxy is None else [provider.proxy])]
