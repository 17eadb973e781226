"""Which providers are meant."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.fields import Help


class DrainFields(Struct, frozen=True, kw_only=True):
    """What a drain takes."""

    reason: Annotated[str | None, Help("for whoever looks at it next")] = None


class ProviderQuery(Struct, frozen=True, kw_only=True):
    provider: Annotated[str | None, Help("")] = None  # absent: all
