"""A limit that people set, beside those of the plan: how much, of what, for whom, until when."""

from typing import Literal

from msgspec import Struct

LimitLevel = Literal["account", "project", "key", "model", "address"]
LimitKind = str
"""The name of a limit kind, as rows and people write it: `requests_per_minute`."""


class Rule(Struct, frozen=True, kw_only=True):
    """A limit on an account, a project, a key, or on a model whoever calls it.

    `model`: counts only calls to this model, or to those that begin so where it ends in `*`. `until_ms`: afterwards it
    is as if it had never been, and the rule without an end, or the plan, holds again.
    """

    id: str  # lim_...
    level: LimitLevel
    object_id: str  # the account, project, key or model it stands on
    kind: LimitKind
    most: int
    model: str | None = None
    until_ms: int | None = None
    note: str = ""
    created_at_ms: int = 0
