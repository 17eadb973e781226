"""Agents for the terminal, without one: each reads a file by a call of its own tool, through every upstream.

The settings are those of the pages that tell people how to connect them.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.clients.client_packages import npm, with_node
from tests.clients.platform_with_upstreams import SHAPES, Platform
from tests.clients.upstreams.server import VendorShape

pytestmark = pytest.mark.clients
SECONDS_MAX: Final = 120
PAPER: Final = "The word of the day is narwhal."

Prepare = Callable[[Platform, str, Path], tuple[list[str], dict[str, str]]]
"""Of a platform, a model and a home: the command, and what its environment says. Writes the agent's settings."""


def asked_to(tool: str, argument: str, value: str) -> str:
    return f"Read the paper.\nCALL {tool} {argument} {value}"


def claude_code(platform: Platform, model: str, home: Path) -> tuple[list[str], dict[str, str]]:
    environment = {
        "ANTHROPIC_BASE_URL": platform.base_url,
        "ANTHROPIC_AUTH_TOKEN": platform.key,
        "ANTHROPIC_API_KEY": "",
        "ANTHROPIC_MODEL": model,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": model,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    prompt = asked_to("Read", "file_path", str(home / "paper.txt"))
    return ["claude", "-p", prompt, "--allowedTools", "Read"], environment


def codex(platform: Platform, model: str, home: Path) -> tuple[list[str], dict[str, str]]:
    settings = f"""
model = "{model}"
model_provider = "tollhouse"
[model_providers.tollhouse]
name = "tollhouse"
base_url = "{platform.base_url}/v1"
env_key = "TOLLHOUSE_API_KEY"
wire_api = "responses"
"""
    written(home / ".codex" / "config.toml", settings)
    prompt = asked_to("exec_command", "cmd", f"cat {home / 'paper.txt'}")
    beside = ["--skip-git-repo-check", "--sandbox", "danger-full-access"]  # its sandbox has a /dev/shm of its own
    return ["codex", "exec", *beside, prompt], {"TOLLHOUSE_API_KEY": platform.key}


def gemini_cli(platform: Platform, model: str, home: Path) -> tuple[list[str], dict[str, str]]:
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False}}
    written(home / ".gemini" / "settings.json", json.dumps(settings))
    environment = {
        "GOOGLE_GEMINI_BASE_URL": platform.base_url,
        "GEMINI_API_KEY": platform.key,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    }
    return ["gemini", "-m", model, "-p", asked_to("read_file", "file_path", "paper.txt")], environment


def opencode(platform: Platform, model: str, home: Path) -> tuple[list[str], dict[str, str]]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "tollhouse",
        "options": {"baseURL": f"{platform.base_url}/v1", "apiKey": "{env:TOLLHOUSE_API_KEY}"},
        "models": {model: {"name": model}},
    }
    name = f"tollhouse/{model}"
    settings = {"autoupdate": False, "share": "disabled", "small_model": name, "provider": {"tollhouse": provider}}
    written(home / "opencode.json", json.dumps(settings))
    prompt = asked_to("read", "filePath", str(home / "paper.txt"))
    environment = {"TOLLHOUSE_API_KEY": platform.key, "OPENCODE_DISABLE_MODELS_FETCH": "1"}
    return ["opencode", "run", "-m", name, prompt], environment


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: str(shape.name))
@pytest.mark.parametrize("prepare", [claude_code, codex, gemini_cli, opencode])
def test_agent_reads_a_file(platform: Platform, tmp_path: Path, prepare: Prepare, shape: VendorShape) -> None:
    written(tmp_path / "paper.txt", PAPER)
    (name, *words), settings = prepare(platform, f"{shape.name}-1", tmp_path)
    program = npm("agents") / "node_modules" / ".bin" / name
    environment = {"PATH": with_node()["PATH"], "HOME": str(tmp_path), **settings}
    with platform.uncomplaining(shape.name) as upstream:
        done = subprocess.run(
            [str(program), *words],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "The tool said: " in done.stdout
    assert PAPER in done.stdout
    assert len(upstream.received) >= 2
