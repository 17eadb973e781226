"""What a test asks of an SDK, whichever it is, and what it heard. Each driver does it as its SDK's readme shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from pydantic import BaseModel

TOOL: Final = "get_weather"
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "a city"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
ABOUT: Final = "The weather of a city"
CAP: Final = 4096
BUDGET: Final = 2048
SIGNS: Final = frozenset(("stop", "length", "filter", "tools", "stop_sequence", "refusal"))


class Trip(BaseModel):
    """The form of a structured answer."""

    city: str
    days: int
    tags: list[str]


@dataclass(frozen=True, kw_only=True)
class SdkAnswer:
    """An answer. calls: names and arguments. finish: one of SIGNS. usage: input (caches included), of it from a cache,
    output (thoughts included). pieces: of text that a stream brought."""

    text: str = ""
    thoughts: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    finish: str = ""
    usage: tuple[int, int, int] = (0, 0, 0)
    reasoning: int = 0  # of the output
    pieces: int = 0
    parsed: BaseModel | None = None


Run = Callable[[str, Mapping[str, Any]], str]


def run(name: str, arguments: Mapping[str, Any]) -> str:
    """The tool that the model may call."""
    assert name == TOOL
    return f"{arguments['city']}: {arguments['days'] + 5} °C"


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Which exception the SDK raises, by the status that it got; `broken`: for an error in a stream; `timeout`: when it
    waited long enough itself."""

    by_status: Mapping[int, type[Exception]]
    broken: type[Exception]
    timeout: type[Exception]
    overloaded: int = 503


class SdkDriver(Protocol):
    name: str
    errors: Errors

    def text(self, model: str, prompt: str, *, system: str = "", stop: str = "", retries: int = 0) -> SdkAnswer: ...

    def stream(self, model: str, prompt: str) -> SdkAnswer: ...

    def chat(self, model: str, *turns: str) -> SdkAnswer:
        """Turns of a user and an assistant, one by one."""
        ...

    def use_tools(
        self,
        model: str,
        prompt: str,
        *,
        stream: bool = False,
        thinks: bool = False,
        picture: bytes = b"",
        then: str = "",
    ) -> list[SdkAnswer]:
        """The answer that calls, and the one to the results. picture: what the tool gives beside its words.
        then: the model that gets the results, where it is another."""
        ...

    def forced(self, model: str, prompt: str) -> SdkAnswer:
        """The tool must be called."""
        ...

    def show(self, model: str, prompt: str, kind: str, data: bytes) -> SdkAnswer:
        """A picture or a document."""
        ...

    def parse(self, model: str, prompt: str) -> SdkAnswer: ...

    def wait(self, model: str, prompt: str, seconds: float) -> SdkAnswer:
        """Wait so long at most."""
        ...

    def status(self, error: Exception) -> int: ...
