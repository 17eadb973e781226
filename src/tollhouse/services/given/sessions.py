"""Whose session is meant."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.fields import Help


class SessionQuery(Struct, frozen=True, kw_only=True):
    person: Annotated[str | None, Help("whose, by id or mail address; absent: of whoever asks")] = None
