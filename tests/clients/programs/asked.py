"""What every program here is told and tells: models in, a line of JSON for each out. They run among packages of their
own (`client_packages`), from the root of the repository."""

import json
import os
from collections.abc import Callable
from typing import Any, Final

BASE: Final = os.environ["BASE_URL"]
KEY: Final = os.environ["API_KEY"]
HELLO: Final = "Grüße aus Bern"
QUESTION: Final = "What is it like there?"
NAME: Final = "get_weather"
ABOUT: Final = "The weather of a city"
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "a city"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
TOOL: Final[dict[str, Any]] = {
    "type": "function",
    "function": {"name": NAME, "description": ABOUT, "parameters": SCHEMA},
}


def run(arguments: dict[str, Any]) -> str:
    """The tool."""
    return f"{arguments['city']}: {arguments['days'] + 5} °C"


def tell(ask: Callable[[str], dict[str, Any]]) -> None:
    """`ask` gives `text`, `stream`, `calls` and `result` of a model."""
    for model in os.environ["MODELS"].split():
        print(json.dumps({"model": model, **ask(model)}), flush=True)
