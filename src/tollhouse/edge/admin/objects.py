"""Records as the control API and `--json` show them. Times are RFC 3339 in UTC, money decimal USD as text."""

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct, field, structs

from tollhouse.billing.prices import write_multiplier
from tollhouse.core.account import Account, ApiKey, Project, Secret
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import AuditRow
from tollhouse.core.catalogue import Model, Provider
from tollhouse.core.roll_up import UsageSum
from tollhouse.core.usage import BUCKETS
from tollhouse.edge.admin.moments import written
from tollhouse.services import pages

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound=Struct)


class PageObject(Struct, Generic[T], frozen=True, kw_only=True, tag_field="object", tag="list"):
    """A list; `next` is given back as `after` to read on, null at the end."""

    data: tuple[T, ...]
    next: str | None = None


class AccountObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="account"):
    id: str
    name: str
    email: str | None
    plan: str
    state: Literal["active", "suspended"]
    state_reason: str | None
    credit_limit_usd: str
    price_list: str  # by which it buys
    multiplier: str  # how many times its prices it pays
    groups: tuple[str, ...]  # of models open to it, besides those of its plan
    zone: str
    created_at: str | None


class ProjectObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="project"):
    id: str
    account_id: str
    name: str
    state: Literal["active", "archived"]
    created_at: str | None


class SecretObject(Struct, frozen=True, kw_only=True):
    """What may be known of a secret. `overlap_seconds`: it lives that much longer once its successor is first used."""

    prefix: str
    last4: str
    created_at: str | None
    valid_until: str | None
    overlap_seconds: int | None


class KeyObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="key"):
    id: str
    name: str
    account_id: str
    project_id: str
    mode: Literal["live", "test", "admin"]
    scopes: tuple[str, ...]
    models: tuple[str, ...]
    networks: tuple[str, ...]
    tags: dict[str, str]
    state: Literal["active", "frozen", "revoked"]
    state_reason: str | None
    prefix: str
    last4: str
    expires_at: str | None
    created_at: str | None
    rotated_at: str | None
    last_used_at: str | None
    last_used_client: str | None
    secrets: tuple[SecretObject, ...]


class NewKeyObject(KeyObject, frozen=True, kw_only=True, tag_field="object", tag="key"):
    """A key with the secret that was just made for it: shown this once."""

    secret: str
    message: str


class ProviderObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="provider"):
    id: str
    kind: str
    base_url: str
    api_keys: int  # how many; never what
    managed_by: str
    speaks: tuple[str, ...]
    on_disconnect: str
    state: dict[str, Any] = field(default_factory=dict)


class OfferObject(Struct, frozen=True, kw_only=True):
    provider: str
    model: str
    priority: int
    weight: int


class ModelObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="model"):
    id: str
    offers: tuple[OfferObject, ...]
    context_tokens: int | None
    max_output_tokens: int | None
    price: dict[str, Any]  # what the asking account pays; for the operator, what the default list says
    below_cost: tuple[str, ...]  # for the operator: where it is sold for less than a provider takes
    free: bool
    groups: tuple[str, ...]
    aliases: tuple[str, ...]
    retires_at: str | None
    successor: str | None
    managed_by: str


class UsageObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="usage"):
    """What one group used; `usage` holds the buckets that are not zero."""

    by: str
    group: str
    calls: int
    failed: int
    charge_nusd: int
    charge_usd: str
    usage: dict[str, int]


class AuditObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="audit"):
    id: str
    time: str | None
    actor: dict[str, str | None]
    account_id: str | None
    action: str
    object_id: str
    before: dict[str, Any]
    after: dict[str, Any]


def fill(kind: type[S], record: Struct, **more: object) -> S:
    """An object from a record: `x_usd` from its nano-USD `x`, `x_at` from its Unix milliseconds `x_at_ms`, any other
    field from the one of its name. more: those that the record has not, or in another form."""
    names = [name for name in kind.__struct_fields__ if name not in more]
    return kind(**{name: _shown(record, name) for name in names}, **more)


def _shown(record: Struct, name: str) -> object:
    if name.endswith("_usd"):
        return format_usd(getattr(record, name.removesuffix("_usd")))
    return written(getattr(record, f"{name}_ms")) if name.endswith("_at") else getattr(record, name)


def page_object(page: pages.Page[R], shown: Callable[[R], T]) -> PageObject[T]:
    return PageObject(data=tuple(shown(record) for record in page.records), next=page.next)


def account_object(account: Account) -> AccountObject:
    limit = "unlimited" if account.credit_limit is None else format_usd(account.credit_limit)
    return AccountObject(
        id=account.id,
        name=account.name,
        email=account.email,
        plan=account.plan,
        state=account.state,
        state_reason=account.state_reason,
        credit_limit_usd=limit,
        price_list=account.price_list,
        multiplier=write_multiplier(account.multiplier_ppm),
        groups=account.groups,
        zone=account.zone,
        created_at=written(account.created_at_ms),
    )


def project_object(project: Project) -> ProjectObject:
    return ProjectObject(
        id=project.id,
        account_id=project.account_id,
        name=project.name,
        state=project.state,
        created_at=written(project.created_at_ms),
    )


def key_object(key: ApiKey) -> KeyObject:
    newest = key.secrets[0] if key.secrets else None
    return KeyObject(
        id=key.id,
        name=key.name,
        account_id=key.account_id,
        project_id=key.project_id,
        mode=key.mode,
        scopes=key.scopes,
        models=key.models,
        networks=key.networks,
        tags=key.tags,
        state=key.state,
        state_reason=key.state_reason,
        prefix=newest.prefix if newest else "",
        last4=newest.last4 if newest else "",
        expires_at=written(key.expires_at_ms),
        created_at=written(key.created_at_ms),
        rotated_at=written(key.rotated_at_ms),
        last_used_at=written(key.last_used_at_ms),
        last_used_client=key.last_used_client,
        secrets=tuple(_secret_object(secret) for secret in key.secrets),
    )


def new_key_object(key: ApiKey, secret: str, message: str) -> NewKeyObject:
    return NewKeyObject(**structs.asdict(key_object(key)), secret=secret, message=message)


def _secret_object(secret: Secret) -> SecretObject:
    return SecretObject(
        prefix=secret.prefix,
        last4=secret.last4,
        created_at=written(secret.created_at_ms),
        valid_until=written(secret.valid_until_ms),
        overlap_seconds=None if secret.overlap_ms is None else secret.overlap_ms // 1000,
    )


def provider_object(provider: Provider, state: dict[str, Any] | None = None) -> ProviderObject:
    return ProviderObject(
        id=provider.id,
        kind=provider.kind,
        base_url=provider.base_url,
        api_keys=len(provider.api_keys),
        managed_by=provider.managed_by,
        speaks=provider.speaks,
        on_disconnect=provider.on_disconnect,
        state=state or {},
    )


def model_object(model: Model, price: dict[str, Any], below_cost: tuple[str, ...] = ()) -> ModelObject:
    return ModelObject(
        id=model.id,
        offers=tuple(OfferObject(**structs.asdict(offer)) for offer in model.offers),
        context_tokens=model.context_tokens,
        max_output_tokens=model.max_output_tokens,
        price=price,
        below_cost=below_cost,
        free=model.free,
        groups=model.groups,
        aliases=model.aliases,
        retires_at=model.retires_at,
        successor=model.successor,
        managed_by=model.managed_by,
    )


def usage_object(by: str, row: UsageSum) -> UsageObject:
    group = (written(int(row.group)) or "")[:10] if by == "day" else row.group
    buckets = {name: getattr(row.usage, name) for name in BUCKETS if getattr(row.usage, name)}
    return UsageObject(
        by=by,
        group=group,
        calls=row.calls,
        failed=row.failed,
        charge_nusd=row.charge,
        charge_usd=format_usd(row.charge),
        usage=buckets,
    )


def audit_object(row: AuditRow) -> AuditObject:
    return AuditObject(
        id=row.id,
        time=written(row.time_ms),
        actor={"kind": row.actor_kind, "id": row.actor_id, "address": row.address},
        account_id=row.account_id,
        action=row.action,
        object_id=row.object_id,
        before=row.before,
        after=row.after,
    )
