"""A provider that takes no new calls, because somebody of the platform said so; those under way end."""

from msgspec import Struct


class Drain(Struct, frozen=True, kw_only=True):
    """`id`: the provider's. `since_ms`: Unix milliseconds. `reason`: may be empty."""

    id: str
    since_ms: int
    actor_id: str
    reason: str
