"""Whose usage is meant, and how it is grouped."""

from typing import Annotated, Final, Literal

from msgspec import Struct, field

from tollhouse.core.fields import AccountReference, Help, KeyReference, ProjectReference
from tollhouse.core.roll_up import Metric, UsageBy

_DIALECT: Final = "count only calls asked in this dialect: openai, anthropic or gemini"
_OPERATION: Final = "count only calls of this operation, such as chat, embeddings or images"


class AdminUsageQuery(Struct, frozen=True, kw_only=True):
    account: AccountReference = None
    project: ProjectReference = None
    key: KeyReference = None
    dialect: Annotated[str | None, Help(_DIALECT)] = None
    operation: Annotated[str | None, Help(_OPERATION)] = None
    by: Annotated[UsageBy, Help("")] = "model"
    start: Annotated[
        str | None, Help("a date, a time, or 7d: so long ago; default: 30 days before --to", option="from")
    ] = field(default=None, name="from")
    end: Annotated[str | None, Help("a date, a time, or 1d: so long ago; exclusive; default: now", option="to")] = (
        field(default=None, name="to")
    )
    mode: Annotated[Literal["live", "test"] | None, Help("only live or only test calls")] = None
    format: Literal["json", "csv"] = "json"


class UsageSeriesQuery(Struct, frozen=True, kw_only=True):
    """Usage over time. `every`: as fits the time. `member`: by the keys that they made."""

    account: AccountReference = None
    project: ProjectReference = None
    key: KeyReference = None
    model: Annotated[str | None, Help("count only calls to this model")] = None
    dialect: Annotated[str | None, Help(_DIALECT)] = None
    operation: Annotated[str | None, Help(_OPERATION)] = None
    by: Annotated[Literal["model", "key", "project", "member", "tag", "client", "dialect", "operation"], Help("")] = (
        "model"
    )
    metric: Annotated[Metric, Help("what the largest groups have most of")] = "spend"
    every: Annotated[Literal["minute", "hour", "day", "week"] | None, Help("one figure for each; absent: as fits")] = (
        None
    )
    start: Annotated[
        str | None, Help("a date, a time, or 7d: so long ago; default: 7 days before --to", option="from")
    ] = field(default=None, name="from")
    end: Annotated[str | None, Help("a date, a time, or 1d: so long ago; exclusive; default: now", option="to")] = (
        field(default=None, name="to")
    )
    mode: Annotated[Literal["live", "test"], Help("")] = "live"
    format: Literal["json", "csv"] = "json"
