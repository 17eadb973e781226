"""Which providers are meant."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.fields import Help


class ProviderQuery(Struct, frozen=True, kw_only=True):
    provider: Annotated[str | None, Help("")] = None  # absent: all
