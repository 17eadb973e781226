"""Where the OpenAI format's operations stand below a base URL, and which of them serve what a provider speaks."""

from collections.abc import Collection, Mapping
from typing import Final

from tollhouse.core.catalogue import TextFormat
from tollhouse.core.operation import WIRE_FORMATS, Operation
from tollhouse.providers.kind import UpstreamTarget

_PATHS: Final[Mapping[Operation, str]] = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "responses": "/responses",
    "embeddings": "/embeddings",
    "moderations": "/moderations",
}
_TARGETS: Final = {operation: UpstreamTarget(path, WIRE_FORMATS[operation]) for operation, path in _PATHS.items()}
_SPOKEN_BY: Final[Mapping[Operation, TextFormat]] = {
    "chat": "openai_chat",
    "completions": "openai_chat",
    "responses": "openai_responses",
}
_SPEAKING: Final[Mapping[TextFormat, Operation]] = {"openai_chat": "chat", "openai_responses": "responses"}
"""`speaks` is about text: embeddings and moderations are asked for whatever it says."""


def target(operation: Operation, model: str, stream: bool, speaks: Collection[TextFormat]) -> UpstreamTarget | None:
    """See `Kind.target`. The model and whether to stream stand in the body."""
    needed = _SPOKEN_BY.get(operation)
    if needed is None or needed in speaks:
        return _TARGETS[operation]
    return next((_TARGETS[_SPEAKING[one]] for one in speaks if one in _SPEAKING), None)
