"""What can be called: providers, and models with the offers that serve them. Records of configuration, immutable.

A changed configuration is a new `Catalogue` with the next generation; whoever holds the old one finishes with it.
"""

from functools import cached_property
from typing import Literal

from msgspec import Struct, field

TextFormat = Literal["openai_chat", "openai_responses", "anthropic_messages", "gemini_content"]
ManagedBy = Literal["file", "api"]
Amounts = dict[str, str]  # bucket or per_request, per_image, ... -> decimal USD
_Tiers = list[dict[str, str | int]]  # above_input_tokens, and amounts
PriceList = dict[str, str | _Tiers | dict[str, dict[str, str | _Tiers]]]  # amounts, `tiers`, `service_tiers` by name


class Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    id: str
    kind: str  # a file in providers/
    base_url: str = ""
    api_keys: tuple[str, ...] = ()  # `env:NAME`, `file:PATH` or the text itself; resolved when the catalogue is made
    connect_seconds: int = 5
    first_byte_seconds: int = 600
    idle_seconds: int = 300
    total_seconds: int = 3600
    on_disconnect: Literal["abort", "drain"] = "abort"
    speaks: tuple[TextFormat, ...] = ()  # empty: what the kind speaks
    streams_only: bool = False  # who asked for a whole answer gets its stream gathered
    buffers_only: bool = False  # who asked for a stream gets its whole answer as one; streams_only goes before it
    reports_stream_usage: bool = True  # False: never send a forced include_usage
    output_caps: tuple[Literal["max_tokens", "max_completion_tokens"], ...] = ()  # of a chat; empty: as the kind sends
    ca_file: str | None = None
    proxy: str | None = None  # http://user:pass@host:port, by CONNECT
    headers: dict[str, str] = {}
    cost: dict[str, PriceList] = {}
    managed_by: ManagedBy = "file"


class Offer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One way to serve a model. Lower priority goes first; within one, weight shares the traffic."""

    provider: str
    model: str  # what the provider calls it
    priority: int = 0
    weight: int = 1


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    id: str
    offers: tuple[Offer, ...] = ()
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    price: PriceList = {}
    free: bool = False
    groups: tuple[str, ...] = ("default",)
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    description: str = ""
    owned_by: str = "tollhouse"
    modalities: tuple[str, ...] = ("text",)
    operations: tuple[str, ...] = ()  # chat, completions, ...; empty: any that a provider of its offers serves
    created: int = 0  # Unix seconds, as the models list shows it
    retires_at: str | None = None  # a date, YYYY-MM-DD (UTC)
    successor: str | None = None
    managed_by: ManagedBy = "file"


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What new accounts get."""

    id: str
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    parallel_requests: int | None = None
    limits: dict[str, int] = field(default_factory=dict)  # of any kind, by its name
    credit_limit_usd: str = "0"
    system_hard_limit_usd: str | None = None
    balance_below_usd: str = "5"  # what is left below this is little: its owners are told; 0: never
    groups: tuple[str, ...] = ("default",)


class Catalogue(Struct, frozen=True, kw_only=True, dict=True):
    generation: int = 0
    providers: dict[str, Provider] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)

    @cached_property
    def has_free_models(self) -> bool:
        return any(model.free for model in self.models.values())

    @cached_property
    def ids_by_alias(self) -> dict[str, str]:
        """Of an alias that several models claim, the first holds."""
        claims = [(alias, model.id) for model in self.models.values() for alias in model.aliases]
        return dict(reversed(claims))
