"""What is given to set limits, and to see them."""

from typing import Annotated

from msgspec import Struct, field

from tollhouse.core.fields import AccountReference, Help, KeyReference, ProjectReference
from tollhouse.core.limit import LimitFields


class NewLimitFields(LimitFields, frozen=True, kw_only=True):
    account: AccountReference = None
    project: ProjectReference = None
    key: KeyReference = None


class NewLimits(NewLimitFields, frozen=True):
    """On one of `account`, `project` and `key`, where `model` narrows it to the calls of one model (`prefix*`: of those
    that begin so); on `model` alone, whoever calls it."""

    requests_per_minute: Annotated[int | None, Help("calls a minute")] = None
    tokens_per_minute: Annotated[int | None, Help("tokens in and out a minute")] = None
    parallel_requests: Annotated[int | None, Help("calls at the same time")] = None
    limits: dict[str, int] = field(default_factory=dict)  # by kind: also of kinds that have no field here
    until: Annotated[str | None, Help("30d, a date, or a time: then what held before holds again")] = None


class LimitQuery(Struct, frozen=True, kw_only=True):
    """Nothing: all that people set within the caller's reach, and what the plan sets for the caller's own account, or
    for the only one there is."""

    account: AccountReference = None
    project: ProjectReference = None
    key: KeyReference = None
    model: Annotated[str | None, Help("only what a call to this model has to pass; alone: the model's own")] = None
