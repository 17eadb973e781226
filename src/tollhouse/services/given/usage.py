"""Whose usage is meant, and how it is grouped."""

from typing import Annotated, Literal

from msgspec import Struct, field

from tollhouse.core.fields import AccountReference, Help, ProjectReference


class AdminUsageQuery(Struct, frozen=True, kw_only=True):
    account: AccountReference = None
    project: ProjectReference = None
    key: str | None = None
    by: Annotated[Literal["model", "key", "project", "day", "tag"], Help("")] = "model"
    start: Annotated[
        str | None, Help("a date, a time, or 7d: so long ago; default: 30 days before --to", option="from")
    ] = field(default=None, name="from")
    end: Annotated[str | None, Help("a date, a time, or 1d: so long ago; exclusive; default: now", option="to")] = (
        field(default=None, name="to")
    )
    mode: Literal["live", "test"] | None = None
    format: Literal["json", "csv"] = "json"
