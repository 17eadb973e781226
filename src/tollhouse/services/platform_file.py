"""platform.toml: bytes in, settings and catalogue out, with every mistake of the file in one run.

Pure: the environment, the files that secrets stand in and the kinds of providers are handed in. Secrets are looked
up only to be judged; the catalogue keeps their references (`env:NAME`, `file:PATH`), and `keys_of` resolves them when
a provider's destination is made.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, structs

from tollhouse import settings
from tollhouse.core.catalogue import Catalogue, Provider
from tollhouse.core.data_folder import PLATFORM_FILE
from tollhouse.core.operation import TEXT_OPERATIONS
from tollhouse.core.spelling import nearest
from tollhouse.providers import Kind, base_url
from tollhouse.providers.api_keys import check_api_key
from tollhouse.providers.foreign_keys import foreign_vendor, owner_of
from tollhouse.services import catalogue_tables, file_texts
from tollhouse.services.findings import Findings
from tollhouse.services.secret_references import MissingSecret, ReadFile, resolve
from tollhouse.services.toml_text import NotToml, parse
from tollhouse.settings import MailSettings, Mistake, Settings

_NAMED = ("providers", "models", "plans")
TABLES = (*settings.SECTIONS, *_NAMED)


class BadApiKey(ValueError):
    """A text cannot be a provider's API key; the message names the place and the character, never the key."""


class ConfigEnvironment(Struct, frozen=True, kw_only=True):
    """Where the file's references lead, and the kinds of providers there are."""

    environment: Mapping[str, str]
    read_file: ReadFile
    kinds: Mapping[str, Kind]
    forbidden: Callable[[str, tuple[str, ...]], str | None] = lambda base_url, allow_networks: None
    """Why a provider's address must not be called, given [outbound] allow_networks."""
    read_smtp: Callable[[str], object] = str
    """Raises ValueError for what is no mail server."""
    read_sender: Callable[[str], object] = str
    """Raises ValueError for what is no sender of mail."""


class PlatformFile(Struct, frozen=True, kw_only=True):
    """What a file says. With mistakes, settings and catalogue hold only what could be read and must not be used."""

    settings: Settings
    catalogue: Catalogue
    mistakes: tuple[Mistake, ...] = ()
    warnings: tuple[Mistake, ...] = ()
    unpriced: Mapping[str, Mistake] = {}
    """What to say of each model that the file does not price, unless an imported list does."""


def read(
    data: bytes, environment: ConfigEnvironment, flags: Mapping[str, str | int | None] | None = None
) -> PlatformFile:
    """Read the file; raises nothing. Empty bytes are an empty file: everything has a default."""
    try:
        tables, lines = parse(data, PLATFORM_FILE)
    except NotToml as error:
        return PlatformFile(settings=Settings(), catalogue=Catalogue(), mistakes=(error.mistake,))
    found = Findings(lines)
    file_texts.check((), tables, found)
    for name in tables:
        if name not in TABLES:
            found.wrong((name,), _unknown(name, tables[name]))
        elif not isinstance(tables[name], dict):
            found.wrong((name,), f"expected a table: [{name}{'.NAME' if name in _NAMED else ''}]")
    tables = {name: table for name, table in tables.items() if isinstance(table, dict)}
    sections = {name: tables.get(name, {}) for name in settings.SECTIONS}
    built, mistakes = settings.build(sections, environment.environment, flags or {})
    for mistake in mistakes:
        found.of_setting(mistake)
    _judge_mail(built.mail, environment, found)
    for row in settings.table():
        reason = settings.NOT_YET.get(f"{row.section}.{row.name}")
        if reason and getattr(getattr(built, row.section), row.attribute) != row.default:
            found.odd((row.section, row.name), f"it has no effect: {reason}")
    catalogue = Catalogue(
        providers=_records(tables, "providers", catalogue_tables.provider, found),
        models=_records(tables, "models", catalogue_tables.model, found),
        plans=_records(tables, "plans", catalogue_tables.plan, found),
    )
    written = tables.get("providers", {})
    catalogue_tables.relations(structs.replace(catalogue, providers={**written, **catalogue.providers}), found)
    allowed = built.outbound.allow_networks
    providers = {name: _judge(one, environment, allowed, found) for name, one in catalogue.providers.items()}
    catalogue = structs.replace(catalogue, providers=providers)
    _judge_operations(catalogue, environment.kinds, found)
    return PlatformFile(
        settings=built,
        catalogue=catalogue,
        mistakes=tuple(sorted(found.mistakes, key=lambda mistake: mistake.line or 0)),
        warnings=tuple(found.warnings),
        unpriced=found.unpriced,
    )


def keys_of(provider: Provider, environment: ConfigEnvironment) -> tuple[str, ...]:
    """A provider's API keys themselves, repeated ones merged. Raises MissingSecret, BadApiKey."""
    keys = [_key(reference, provider, environment) for reference in provider.api_keys]
    return tuple(dict.fromkeys(keys))


def _unknown(name: str, given: object) -> str:
    section = settings.section_of(name)
    if section and not isinstance(given, dict):
        return f"it belongs below [{section}]"
    known = ", ".join(TABLES)
    return f"unknown table; the nearest known one is [{nearest(name, TABLES)}] (known: {known})"


def _records(
    tables: Mapping[str, Any], name: str, reader: Callable[[tuple[str, str], object, Findings], Any], found: Findings
) -> dict[str, Any]:
    records = {key: reader((name, key), given, found) for key, given in tables.get(name, {}).items()}
    return {key: record for key, record in records.items() if record is not None}


def _judge_mail(mail: MailSettings, environment: ConfigEnvironment, found: Findings) -> None:
    try:
        if mail.smtp:
            environment.read_smtp(resolve(mail.smtp, environment.environment, environment.read_file))
    except ValueError as error:
        found.wrong(("mail", "smtp"), str(error))
    try:
        if mail.sender:
            environment.read_sender(mail.sender)
    except ValueError as error:
        found.wrong(("mail", "from"), str(error))


def _judge(provider: Provider, environment: ConfigEnvironment, allowed: tuple[str, ...], found: Findings) -> Provider:
    """Hold a provider against the rules of its kind; gives it back with its address as it will be used."""
    path, kind = ("providers", provider.id), environment.kinds.get(provider.kind)
    if kind is None:
        known = ", ".join(environment.kinds)
        hint = nearest(provider.kind, environment.kinds)
        message = f"unknown kind {provider.kind!r}; the nearest known one is {hint} (known: {known})"
        found.wrong((*path, "kind"), message)
        return provider
    if not kind.in_process:
        try:
            address = base_url.read(kind, provider.base_url)
            provider = structs.replace(provider, base_url=address.base_url)
            reason = environment.forbidden(address.base_url, allowed)
            if reason is None:
                reason = kind.check_address(address.host, address.path)
            if reason is not None:
                found.wrong((*path, "base_url"), reason)
            owner = owner_of(kind, address.host, environment.kinds.values())
            if owner is not None:
                cure = f"write kind = {owner.name!r}, or the address of {kind.title}"
                found.odd((*path, "base_url"), f"this is the address of {owner.title}, which speaks otherwise: {cure}")
        except base_url.InvalidBaseUrl as error:
            found.wrong((*path, "base_url"), str(error))
    unspoken = [one for one in provider.speaks if one not in kind.speaks]
    if unspoken:
        spoken = ", ".join(kind.speaks)
        found.odd((*path, "speaks"), f"kind {kind.name!r} speaks {spoken}: nothing is sent in {', '.join(unspoken)}")
    if not provider.api_keys and kind.needs_api_key:
        found.odd((*path, "api_keys"), "none: calls are sent without a key")
    _judge_keys((*path, "api_keys"), provider, environment, found)
    return provider


def _judge_operations(catalogue: Catalogue, kinds: Mapping[str, Kind], found: Findings) -> None:
    """Name what a model is said to serve, and no offer's provider can be asked for."""
    served = {
        name: (kind := kinds[one.kind]).operations(kind.spoken_by(one))
        for name, one in catalogue.providers.items()
        if one.kind in kinds
    }
    for name, model in catalogue.models.items():
        providers = [offer.provider for offer in model.offers]
        if not providers or any(one not in served for one in providers):
            continue  # none, or one that is a mistake already
        wanted = model.operations or TEXT_OPERATIONS
        unserved = [one for one in wanted if all(one not in served[provider] for provider in providers)]
        if unserved:
            words = ", ".join(unserved)
            cure = "take it out" if model.operations else "name in `operations` what it serves"
            place = ("models", name, "operations") if model.operations else ("models", name, "offers")
            found.odd(place, f"no offer serves {words}, which kind or `speaks` of their providers leaves out: {cure}")


def _judge_keys(path: tuple[str, ...], provider: Provider, environment: ConfigEnvironment, found: Findings) -> None:
    seen: dict[str, int] = {}
    for position, reference in enumerate(provider.api_keys):
        try:
            key = _key(reference, provider, environment)
        except (MissingSecret, BadApiKey) as error:
            found.wrong(path, f"key {position + 1}: {error}")
            continue
        kind = environment.kinds.get(provider.kind)
        if kind is not None and (vendor := _vendor(kind, provider, key)):
            found.odd(path, f"key {position + 1} begins as a key of {vendor} does: this provider is {kind.title}")
        first = seen.setdefault(key, position)
        if first != position:
            found.odd(path, f"key {position + 1} is the same as key {first + 1}; it is used once")


def _vendor(kind: Kind, provider: Provider, key: str) -> str:
    try:
        return foreign_vendor(kind, provider.base_url, key)
    except base_url.InvalidBaseUrl:
        return ""  # told already


def _key(reference: str, provider: Provider, environment: ConfigEnvironment) -> str:
    key = resolve(reference, environment.environment, environment.read_file)
    kind = environment.kinds.get(provider.kind)
    trouble = check_api_key(key) if kind is None else kind.check_key(key)
    if trouble is not None:
        raise BadApiKey(trouble)
    return key
