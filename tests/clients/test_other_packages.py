"""Frameworks of Python and the packages of npm: a text, a stream and a tool both ways, each to every upstream."""

import json
import subprocess
from typing import Final

import pytest

from tests.clients.client_packages import ROOT, npm, python, with_node
from tests.clients.platform_with_upstreams import SHAPES, Platform
from tests.clients.upstreams.plan import CITIES

pytestmark = pytest.mark.clients
PYTHON: Final = (
    "with_langchain openai",
    "with_langchain responses",
    "with_langchain anthropic",
    "with_langchain google",
    "with_llama_index",
    "with_litellm openai",
    "with_litellm anthropic",
    "with_litellm gemini",
)
NODE: Final = (
    "with_openai.mjs",
    "with_openai.mjs responses",
    "with_anthropic.mjs",
    "with_google.mjs",
    "with_ai_sdk.mjs",
)
SECONDS_MAX: Final = 120
HELLO: Final = "You said: Grüße aus Bern"
RESULT: Final = f"{CITIES[0]}: 12 °C"


def holds(platform: Platform, *command: str) -> None:
    models = [f"{shape.name}-1" for shape in SHAPES]
    for upstream in platform.upstreams.values():
        upstream.forget()
    environment = with_node(BASE_URL=platform.base_url, API_KEY=platform.key, MODELS=" ".join(models))
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX)
    complaints = [one for upstream in platform.upstreams.values() for one in upstream.complaints]
    assert (done.returncode, complaints) == (0, []), done.stderr[-3000:]
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [one["model"] for one in told] == models
    for one in told:
        assert (one["text"], one["stream"]) == (HELLO, HELLO)
        assert one["calls"] == [["get_weather", {"city": CITIES[0], "days": 7}]]
        assert one["result"].startswith("The tool said: ")
        assert RESULT in one["result"]


@pytest.mark.parametrize("program", PYTHON)
def test_package_of_python(platform: Platform, program: str) -> None:
    name, *words = program.split()
    holds(platform, str(python()), "-m", f"tests.clients.programs.{name}", *words)


@pytest.mark.parametrize("program", NODE)
def test_package_of_npm(platform: Platform, program: str) -> None:
    name, *words = program.split()
    holds(platform, "node", str(npm("node") / name), *words)
