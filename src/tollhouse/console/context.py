"""What the pages have at hand."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from tollhouse.services.context import ServiceContext
from tollhouse.settings import Settings

Scope = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """`address_of` gives a browser's address, forwarded headers judged. `defect` is
    told of an exception that nothing in the platform expected."""

    services: ServiceContext
    settings: Settings
    address_of: Callable[[Scope], str]
    defect: Callable[[str, BaseException], None] = lambda request_id, error: None
