"""One request that somebody got wrong."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple


class BrokenRequest(NamedTuple):
    """`broken` and `mended`: what is sent; what they do not name is as in a good request. `step`, `reason`, `cure`:
    where the checklist is to turn red, and its words. `refused`: who refuses it: this platform (the test sends it and
    sees), a provider behind it, or the library of the caller, so that nothing is sent."""

    name: str
    seen: str  # where people had it
    step: str
    reason: str
    cure: str
    broken: Mapping[str, Any]
    mended: Mapping[str, Any] = {}
    refused: Literal["platform", "provider", "library"] = "platform"
