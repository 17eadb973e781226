"""The programs of /docs/errors that try again: more calls than a limit allows are all answered in the end."""

import json
import subprocess
import sys
import urllib.request
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.clients.client_packages import npm, with_node
from tests.support.server_process import ServerProcess

CALLS, A_MINUTE = 30, 10
PYTHON_LOOP = """
for _ in range({calls}):
    print(ask(model={model!r}, messages=[{{"role": "user", "content": "Hello"}}], max_tokens=5).object)
"""
NODE_LOOP = """
for (let n = 0; n < {calls}; n++) {{
  const given = {{ model: {model!r}, messages: [{{ role: "user", content: "Hello" }}], max_tokens: 5 }};
  console.log((await ask(given)).object);
}}
"""


def program(demo: ServerProcess, name: str, loop: str, calls: int, model: str) -> str:
    """The page's text with an own loop in place of its one call."""
    text = files("tollhouse.console").joinpath("backoff", f"{name}.txt").read_text("utf-8")
    begin = text.partition("\nanswer = " if name == "python" else "\nconst answer = ")[0]
    assert begin != text
    return begin.replace("@BASE@", demo.facts["base_url"]) + loop.format(calls=calls, model=model)


def control(demo: ServerProcess, path: str, **given: Any) -> Any:
    sent = urllib.request.Request(
        demo.facts["base_url"] + path,
        json.dumps(given).encode(),
        {"authorization": f"Bearer {demo.facts['admin_key']}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(sent) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def node() -> Path:
    """A folder in which programs find OpenAI's library."""
    return npm("node")


def started(command: list[str], secret: str, folder: Path) -> "subprocess.Popen[str]":
    environment = with_node(TOLLHOUSE_API_KEY=secret)
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.long
def test_more_calls_than_a_limit_allows_are_all_answered(demo: ServerProcess, node: Path) -> None:
    running = []
    (node / "ask.mjs").write_text(program(demo, "node", NODE_LOOP, CALLS, "gpt-4o-mini"))
    python = program(demo, "python", PYTHON_LOOP, CALLS, "gpt-4o-mini")
    for name, command in (("a", [sys.executable, "-c", python]), ("b", ["node", "ask.mjs"])):
        made = control(demo, "/api/v1/keys", name=f"patient {name}", mode="test")
        control(demo, "/api/v1/limits", key=made["id"], requests_per_minute=A_MINUTE)
        running.append(started(command, made["secret"], node))
    for one in running:
        told, _ = one.communicate(timeout=420)
        assert one.returncode == 0
        assert told.split() == ["chat.completion"] * CALLS


@pytest.mark.long
@pytest.mark.parametrize("name", ["python", "node"])
def test_third_try_is_answered(demo: ServerProcess, node: Path, name: str) -> None:
    text = program(
        demo,
        name,
        PYTHON_LOOP if name == "python" else NODE_LOOP,
        1,
        f"simulate/error=overloaded,times=2,tokens={len(name)}",
    )
    (node / "once.mjs").write_text(text)
    command = [sys.executable, "-c", text] if name == "python" else ["node", "once.mjs"]
    one = started(command, demo.facts["test_key"], node)
    told, _ = one.communicate(timeout=60)
    assert (one.returncode, told.split()) == (0, ["chat.completion"])
