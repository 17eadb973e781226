"""What a report of usage is grouped by, and what one group used."""

from typing import Literal

from msgspec import Struct

from tollhouse.core.usage import Usage

UsageBy = Literal["model", "key", "project", "day", "tag"]


class UsageSum(Struct, frozen=True, kw_only=True):
    group: str  # a model, key id, project id, tag `name=value`, or the start of a UTC day in Unix milliseconds
    calls: int
    failed: int  # of them: ended with a status of 400 or more
    usage: Usage
    charge: int = 0  # nano-USD; test mode charges nothing
