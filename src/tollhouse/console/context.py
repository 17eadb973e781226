"""What the pages have at hand."""

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from tollhouse.console.live import LiveCalls
from tollhouse.console.page_calls import PageCalls
from tollhouse.gateway.running import RunningPlatform
from tollhouse.services.context import ServiceContext
from tollhouse.settings import Settings

Scope = MutableMapping[str, Any]
Line = AbstractContextManager[AbstractAsyncContextManager[Any]]
"""Entered while a request waits and is at work; what it gives, while it is at work."""


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """`address_of` gives a browser's address, forwarded headers judged. `line` is where an account stands whose page is
    made: few are at once. `live` tells pages of calls that end, until `is_draining`. `running` is None where nobody
    serves. `defect` is told of an exception that nothing in the platform expected. `calls`: those that pages
    make. `api_document`: the OpenAPI document of the control API."""

    services: ServiceContext
    settings: Settings
    address_of: Callable[[Scope], str]
    line: Callable[[str], Line] = lambda account_id: nullcontext(nullcontext())
    live: LiveCalls = field(default_factory=lambda: LiveCalls(0))
    is_draining: Callable[[], bool] = lambda: False
    running: RunningPlatform | None = None
    defect: Callable[[str, BaseException], None] = lambda request_id, error: None
    calls: PageCalls = field(default_factory=PageCalls)
    api_document: Callable[[], Mapping[str, Any]] = dict
