"""Where the OpenAI format's operations stand below a base URL."""

from collections.abc import Mapping
from typing import Final

from tollhouse.core.operation import Operation

PATHS: Final[Mapping[Operation, str]] = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "responses": "/responses",
    "embeddings": "/embeddings",
    "moderations": "/moderations",
}
