"""[providers.*], [models.*] and [plans.*] of platform.toml as records of `core.catalogue`.

Each reader takes what an operator wrote, reports every mistake it sees, and returns the best record it can, or None;
what the records say about one another is checked by `relations` at the end.
"""

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from tollhouse.billing.prices import PRICE_KEYS, BadPrice, costs_nothing, nearest_amount, read_price, unlikely
from tollhouse.core.amount import BadAmount, parse_usd
from tollhouse.core.catalogue import Catalogue, Model, Offer, Plan, PriceList, Provider
from tollhouse.core.spelling import alike, meant, nearest
from tollhouse.limits.discovery import limit_kinds
from tollhouse.services.findings import Findings
from tollhouse.services.toml_text import KeyPath, written
from tollhouse.settings import explain

Given = Mapping[str, object]
Reader = Callable[[KeyPath, object, Findings], Any]

_NOT_WRITTEN = ("id", "managed_by")  # fields of the records that no table holds
_MINIMUM: Mapping[str, int] = {"priority": 0, "weight": 0, "created": 0}  # every other whole number is at least 1
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
MODEL_ID_CHARACTERS_MAX = 200
_IN_ADDRESS = "it stands in base_url"
_ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(("region", "aws_region", "location", "project", "project_id", "resource", "endpoint"), _IN_ADDRESS),
    **dict.fromkeys(("deployment", "deployment_id"), "it is the `model` of an offer"),
    "api_version": "it stands behind the `model` of an offer, as in NAME?api-version=VERSION",
}
"""Where a provider has what others write as a key of their own."""
_MISSPELT = 0.6  # as alike are `prices` and `price`: what is less so was meant to be another word


def provider(path: KeyPath, given: object, found: Findings) -> Provider | None:
    """One [providers.ID]. Its address and keys are judged by its kind: see `platform_file`."""
    own: dict[str, Reader] = {"cost": _cost, "headers": _headers, "proxy": _proxy}
    fields = _fields(path, given, Provider, found, own)
    if _ID.fullmatch(path[-1]) is None:
        found.wrong(path, "a provider's name is 1 to 64 of A-Z a-z 0-9 . _ - and begins with a letter or digit")
    if fields is None:
        return None
    if "kind" not in fields:
        if not (isinstance(given, Mapping) and "kind" in given):
            found.wrong((*path, "kind"), 'missing: say what it speaks, such as kind = "openai_compatible"')
        return None
    return Provider(id=path[-1], **fields)


def model(path: KeyPath, given: object, found: Findings) -> Model | None:
    """One [models.ID]."""
    own: dict[str, Reader] = {"price": _price, "offers": _offers, "retires_at": _date}
    if not is_model_id(path[-1]):
        found.wrong(
            path, f"a model's name is 1 to {MODEL_ID_CHARACTERS_MAX} printing characters, none at its ends blank"
        )
    if path[-1].startswith("simulate/"):
        found.wrong(path, "names that begin with simulate/ belong to the simulator's scripts")
    fields = _fields(path, given, Model, found, own)
    if fields is None:
        return None
    record = Model(id=path[-1], **fields)
    if record.price and not record.free and costs_nothing(record.price):
        found.wrong((*path, "price"), "a price of nothing: write free = true instead, or what the model costs")
    if record.free and record.price:
        found.odd(path, "free = true and a price: its calls are free")
    if not record.price and not record.free and isinstance(given, Mapping) and "price" not in given:
        found.has_no_price(path, record.id)
    if not record.offers and isinstance(given, Mapping) and "offers" not in given:
        found.odd(path, "no offers: nothing serves it")
    return record


def plan(path: KeyPath, given: object, found: Findings) -> Plan | None:
    """One [plans.ID]."""
    amounts: dict[str, Reader] = {"system_hard_limit_usd": _amount, "balance_below_usd": _amount}
    own: dict[str, Reader] = {"credit_limit_usd": _credit_limit, "limits": _limits, **amounts}
    fields = _fields(path, given, Plan, found, own)
    return None if fields is None else Plan(id=path[-1], **fields)


def relations(catalogue: Catalogue, found: Findings) -> None:
    """What records say about one another: offers, aliases, successors."""
    taken: dict[str, str] = {}
    for name, record in catalogue.models.items():
        path = ("models", name)
        for offer in record.offers:
            if offer.provider not in catalogue.providers:
                found.wrong((*path, "offers"), _no_such("provider", offer.provider, catalogue.providers))
        for alias in record.aliases:
            owner = taken.setdefault(alias, name)
            if not is_model_id(alias):
                found.wrong((*path, "aliases"), f"{alias!r} is no name a model can have")
            elif alias in catalogue.models:
                found.wrong((*path, "aliases"), f"{alias!r} is a model of its own")
            elif owner != name:
                found.wrong((*path, "aliases"), f"{alias!r} is already an alias of {owner!r}")
        if record.successor is not None and record.successor not in catalogue.models:
            # Only odd: it may be offered by the time this one retires.
            found.odd((*path, "successor"), _no_such("model", record.successor, catalogue.models))
        elif record.successor == name:
            found.wrong((*path, "successor"), "a model cannot succeed itself")


def check_keys(path: KeyPath, given: Given, known: tuple[str, ...], found: Findings) -> None:
    """Name each unknown key with the one that is meant, or with all that are known."""
    for name in given:
        if name in known:
            continue
        near, place = meant(name, known), _ELSEWHERE.get(name, "") if path[0] == "providers" else ""
        hint = f"the nearest known one is {near}" if near else f"known: {', '.join(known)}"
        found.wrong((*path, name), f"unknown key; {place or hint}")


def _name_was_cut(path: KeyPath, given: Given, known: tuple[str, ...], found: Findings) -> bool:
    """Whether a table is what TOML makes of a name with a dot in it that stands without quotes: [models.gpt-4.1] is a
    table `1` in a model `gpt-4`. Each such name is told with its cure."""
    before = len(found.mistakes)
    for name, value in given.items():
        if name in known or not isinstance(value, Mapping) or alike(name, nearest(name, known)) >= _MISSPELT:
            continue
        cure = written((*path[:-1], ".".join((path[-1], *_rest(name, value, known)))))
        found.wrong((*path, name), f"a name with a dot stands in quotes: write [{cure}]")
    return len(found.mistakes) > before


def _rest(name: str, value: Given, known: tuple[str, ...]) -> Iterator[str]:
    """The parts of a cut name: tables that hold nothing but the next one."""
    yield name
    for inner, further in value.items():
        if len(value) == 1 and inner not in known and isinstance(further, Mapping):
            yield from _rest(inner, further, known)


def _fields(
    path: KeyPath, given: object, record: type[Struct], found: Findings, own: Mapping[str, Reader]
) -> dict[str, Any] | None:
    """The fields of a record from a table; one with a mistake is left out, so that the rest can still be judged."""
    if not isinstance(given, Mapping):
        heading = f": [{written(path)}], in one pair of brackets" if isinstance(given, list) else ""
        found.wrong(path, f"expected a table{heading}")
        return None
    types = {name: kind for name, kind in get_type_hints(record).items() if name not in _NOT_WRITTEN}
    if _name_was_cut(path, given, tuple(types), found):
        return None
    check_keys(path, given, tuple(types), found)
    fields: dict[str, Any] = {}
    for name, kind in types.items():
        if name not in given:
            continue
        if name in own:
            value = own[name]((*path, name), given[name], found)
        else:
            value = _plain((*path, name), given[name], kind, found)
        if value is not None:
            fields[name] = value
    return fields


def _plain(path: KeyPath, given: object, kind: Any, found: Findings) -> Any:
    try:
        value = msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        found.wrong(path, explain(error, kind))
        return None
    minimum = _MINIMUM.get(path[-1], 1)
    if isinstance(value, int) and not isinstance(value, bool) and not minimum <= value < 2**31:
        found.wrong(path, f"expected a whole number from {minimum} to {2**31 - 1}")
        return None
    return value


def _limits(path: KeyPath, given: object, found: Findings) -> dict[str, int]:
    known = tuple(kind.name for kind in limit_kinds())
    if not isinstance(given, Mapping):
        found.wrong(path, f"expected a table such as {{ {known[-1]} = 100 }}")
        return {}
    check_keys(path, given, known, found)
    limits = {name: _plain((*path, name), figure, int, found) for name, figure in given.items() if name in known}
    return {name: figure for name, figure in limits.items() if figure is not None}


def _amount(path: KeyPath, given: object, found: Findings) -> str | None:
    """Decimal USD, written as text: a float cannot hold every amount exactly."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        found.wrong(path, _as_text(given))
        return None
    if not isinstance(given, str):
        found.wrong(path, 'expected an amount of US dollars as text, such as "2.50"')
        return None
    try:
        parse_usd(given)
    except BadAmount as error:
        found.wrong(path, str(error))
        return None
    return given


def _as_text(given: float) -> str:
    """What to write instead of a number of TOML."""
    text = f"{Decimal(repr(given)):f}"
    try:
        parse_usd(text)
    except BadAmount as error:
        return f"write the amount as text; and {error}"
    return f'write the amount as text: "{text}", not as a number, which cannot hold every amount exactly'


def _credit_limit(path: KeyPath, given: object, found: Findings) -> str | None:
    return given if given == "unlimited" and isinstance(given, str) else _amount(path, given, found)


def _price(path: KeyPath, given: object, found: Findings) -> PriceList | None:
    """{ input = "2.50", ... }: US dollars per million tokens, or per unit; `tiers` above an input size;
    `service_tiers`, each a price like this one."""
    if not isinstance(given, Mapping):
        found.wrong(path, 'expected a table such as { input = "2.50", output = "10.00" }')
        return None
    before = len(found.mistakes)
    _check_amounts(path, given, ("tiers", "service_tiers"), found)
    price: PriceList = dict(_amounts_and_tiers(path, given, found))
    if "service_tiers" in given:
        price["service_tiers"] = _service_tiers((*path, "service_tiers"), given["service_tiers"], found)
    if len(found.mistakes) > before:
        return None
    try:
        read_price(price, id="", model="")
    except BadPrice as error:
        inputless = "input has no price: what is not named takes it from there"
        found.wrong(path, inputless if error.field == "input" else str(error))
        return None
    for words in unlikely(price):
        found.odd(path, words)
    return price


def _check_amounts(path: KeyPath, given: Given, besides: tuple[str, ...], found: Findings) -> None:
    known = (*PRICE_KEYS, *besides)
    for name in given:
        if name not in known:
            found.wrong((*path, name), f"unknown key; {nearest_amount(name, known)}")


def _amounts_and_tiers(path: KeyPath, given: Given, found: Findings) -> dict[str, str | list[dict[str, str | int]]]:
    price: dict[str, str | list[dict[str, str | int]]] = dict(_amounts(path, given, found))
    if "tiers" in given:
        price["tiers"] = _tiers((*path, "tiers"), given["tiers"], found)
    return price


def _service_tiers(
    path: KeyPath, given: object, found: Findings
) -> dict[str, dict[str, str | list[dict[str, str | int]]]]:
    if not isinstance(given, Mapping):
        found.wrong(path, 'expected a table such as { priority = { input = "4.25", output = "17.00" } }')
        return {}
    tiers = {}
    for name, entry in given.items():
        if not isinstance(entry, Mapping):
            found.wrong((*path, name), 'expected a table such as { input = "4.25", output = "17.00" }')
            continue
        _check_amounts((*path, name), entry, ("tiers",), found)
        tiers[name] = _amounts_and_tiers((*path, name), entry, found)
    return tiers


def _tiers(path: KeyPath, given: object, found: Findings) -> list[dict[str, str | int]]:
    if not isinstance(given, list):
        found.wrong(path, 'expected a list such as [{ above_input_tokens = 200000, input = "5.00", output = "15.00" }]')
        return []
    tiers = []
    for entry in given:
        if not isinstance(entry, Mapping):
            found.wrong(path, "each entry is a table with above_input_tokens and amounts")
            continue
        _check_amounts(path, entry, ("above_input_tokens",), found)
        tier: dict[str, str | int] = dict(_amounts(path, entry, found))
        above = entry.get("above_input_tokens")
        if type(above) is int:
            tier["above_input_tokens"] = above
        else:
            found.wrong((*path, "above_input_tokens"), "expected a whole number of tokens, such as 200000")
        tiers.append(tier)
    return tiers


def _amounts(path: KeyPath, given: Given, found: Findings) -> dict[str, str]:
    amounts = {name: _amount((*path, name), given[name], found) for name in PRICE_KEYS if name in given}
    return {name: amount for name, amount in amounts.items() if amount is not None}


def _cost(path: KeyPath, given: object, found: Findings) -> dict[str, PriceList] | None:
    if not isinstance(given, Mapping):
        found.wrong(path, "expected a table of prices by the provider's own model name")
        return None
    costs = {name: _price((*path, name), value, found) for name, value in given.items()}
    return {name: cost for name, cost in costs.items() if cost is not None}


def _offers(path: KeyPath, given: object, found: Findings) -> tuple[Offer, ...] | None:
    if not isinstance(given, list):
        found.wrong(path, 'expected a list such as [{ provider = "main", model = "gpt-4o" }]')
        return None
    offers = []
    for entry in given:
        if not isinstance(entry, Mapping):
            found.wrong(path, 'each entry is a table such as { provider = "main", model = "gpt-4o" }')
            continue
        fields = _fields(path, entry, Offer, found, {})
        if fields is None:
            continue
        missing = [name for name in ("provider", "model") if name not in fields]
        for name in missing:
            if name not in entry:
                found.wrong((*path, name), "missing: each offer names a provider and the provider's own model name")
        if not missing:
            offers.append(Offer(**fields))
    if len({(offer.provider, offer.model) for offer in offers}) < len(offers):
        found.odd(path, "the same provider and model are offered twice")
    return tuple(offers)


def _date(path: KeyPath, given: object, found: Findings) -> str | None:
    if isinstance(given, datetime.date) and not isinstance(given, datetime.datetime):
        return given.isoformat()
    try:
        if isinstance(given, str) and len(given) == 10:
            return datetime.date.fromisoformat(given).isoformat()
    except ValueError:
        pass
    found.wrong(path, 'expected a date such as "2027-06-01" (UTC)')
    return None


def _headers(path: KeyPath, given: object, found: Findings) -> dict[str, str] | None:
    if not isinstance(given, Mapping):
        found.wrong(path, "expected a table of header names and values")
        return None
    for name, value in given.items():
        if _HEADER_NAME.fullmatch(name) is None:
            found.wrong((*path, name), "is not the name of a header")
        elif not isinstance(value, str) or not value.isascii() or not value.isprintable():
            found.wrong((*path, name), "a header's value is text of printing ASCII characters")
        else:
            continue
        return None
    return {name: str(value) for name, value in given.items()}


def _proxy(path: KeyPath, given: object, found: Findings) -> str | None:
    if isinstance(given, str) and re.fullmatch(r"http://[!-~]+:[0-9]{1,5}/?", given, re.ASCII):
        return given
    found.wrong(path, "expected http://host:port or http://user:password@host:port")
    return None


def is_model_id(text: str) -> bool:
    return 0 < len(text) <= MODEL_ID_CHARACTERS_MAX and text.isprintable() and text == text.strip()


def _no_such(noun: str, name: str, known: Mapping[str, object]) -> str:
    hint = f"; did you mean {nearest(name, known)!r}" if known else f"; the file names no {noun}"
    return f"there is no {noun} {name!r}{hint}"
