"""A limit that people set, beside those of the plan: how much, of what, for whom, until when."""

from typing import Annotated, Literal

from tollhouse.core.fields import Fields, Help

LimitLevel = Literal["account", "project", "key", "model", "address"]
LimitKind = str
"""The name of a limit kind, as rows and people write it: `requests_per_minute`."""


class LimitFields(Fields, frozen=True, kw_only=True):
    """`model`: counts only calls to this model, or to those that begin so where it ends in `*`."""

    model: Annotated[str | None, Help("only calls to this model (or gpt-4*); alone: the model, whoever calls it")] = (
        None
    )
    note: Annotated[str, Help("why, for whoever reads the limit")] = ""


class Rule(LimitFields, frozen=True):
    """A limit on an account, a project, a key, or on a model whoever calls it.

    `until_ms`: afterwards it is as if it had never been, and the rule without an end, or the plan, holds again.
    """

    id: str  # lim_...
    level: LimitLevel
    object_id: str  # the account, project, key or model it stands on
    kind: LimitKind
    most: int
    until_ms: int | None = None
    created_at_ms: int = 0
