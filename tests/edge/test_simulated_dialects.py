"""Each error and each fault that test calls can ask for, in each dialect: the commands of the error pages, run as they
stand there, and the scripts of the simulator."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from html import unescape
from typing import Any, Final, NamedTuple

import pytest

from tests.security.platform_process import JSON, DemoPlatform, DemoReply, bearer
from tollhouse.checklist.error_text import read_error
from tollhouse.core.failure import every_failure

KINDS: Final = {kind.code: kind for kind in reversed(list(every_failure()))}
"""The first of each code."""
FORMATS: Final = ("Chat completions", "Messages (Anthropic)", "Generate content (Gemini)")
_SNIPPET: Final = re.compile(
    r"<summary>([^<]+)</summary><div class=\"snippet\"><pre[^>]*><code>(.*?)</code>", re.DOTALL
)


class CallInDialect(NamedTuple):
    """A call: with a tool or not. `stream_path` and `stream`: for its stream."""

    path: str
    body: Mapping[str, Any]
    tools: Any
    stream_path: str
    stream: Mapping[str, Any]


SCHEMA: Final = {"type": "object", "properties": {"n": {"type": "integer"}}}
HELLO: Final = [{"role": "user", "content": "Hello"}]
CALLS: Final = {
    "openai": CallInDialect(
        "/v1/chat/completions",
        {"model": "gpt-4o", "messages": HELLO},
        [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        "/v1/chat/completions",
        {"stream": True},
    ),
    "anthropic": CallInDialect(
        "/v1/messages",
        {"model": "gpt-4o", "max_tokens": 100, "messages": HELLO},
        [{"name": "f", "input_schema": SCHEMA}],
        "/v1/messages",
        {"stream": True},
    ),
    "gemini": CallInDialect(
        "/v1beta/models/gpt-4o:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
        [{"functionDeclarations": [{"name": "f", "parameters": SCHEMA}]}],
        "/v1beta/models/gpt-4o:streamGenerateContent?alt=sse",
        {},
    ),
}
DIALECTS: Final = sorted(CALLS)


def ask(platform: DemoPlatform, dialect: str, script: str, *, stream: bool = False, tools: bool = False) -> DemoReply:
    asked = CALLS[dialect]
    body = {**asked.body, **(asked.stream if stream else {}), **({"tools": asked.tools} if tools else {})}
    headers = {**JSON, **bearer(platform.facts["test_key"]), "x-tollhouse-simulate": script}
    return platform.ask("POST", asked.stream_path if stream else asked.path, headers, json.dumps(body).encode())


@pytest.mark.parametrize("code", sorted(KINDS))
def test_commands_of_an_error_page_fail_so(platform: DemoPlatform, code: str) -> None:
    html = platform.ask("GET", f"/docs/errors/{code}", {"Accept": "text/html"}).body.decode()
    section = html.partition('id="see"')[2]
    found = {unescape(label): unescape(text) for label, text in _SNIPPET.findall(section)}
    assert set(FORMATS) <= set(found)
    environment = {"TOLLHOUSE_TEST_KEY": platform.facts["test_key"], "PATH": os.environ["PATH"]}
    for label in FORMATS:
        command = found[label].replace("curl -i ", "curl -sS -i -m 20 ")
        command = command.replace("http://127.0.0.1/", f"http://127.0.0.1:{platform.port}/")  # as browsers name it
        text = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, timeout=30, check=True, env=environment
        ).stdout
        head, _, body = text.partition("\r\n\r\n" if "\r\n\r\n" in text else "\n\n")
        status = int(head.split()[1])
        kind = KINDS[code]
        if label == FORMATS[1]:
            assert status == (kind.anthropic_status or kind.status)
            assert json.loads(body)["error"]["type"] == kind.anthropic_type
        else:
            assert status == kind.status
            assert read_error(body).code == code
        assert "\nx-tollhouse-charge-usd:" not in head


@pytest.mark.parametrize("dialect", DIALECTS)
def test_answer_that_breaks_off_never_looks_whole(platform: DemoPlatform, dialect: str) -> None:
    whole = ask(platform, dialect, "cut_after=3")
    assert whole.verdict[0] == 502
    text = ask(platform, dialect, "cut_after=3", stream=True).body.decode()
    assert "The provider broke off its answer" in text
    assert read_error(text).code in ("upstream_error", "server_error")
    for end in ("[DONE]", "message_stop", "finishReason", 'finish_reason":"stop'):
        assert end not in text


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("stream", [False, True])
def test_malformed_answer_is_an_error(platform: DemoPlatform, dialect: str, stream: bool) -> None:
    reply = ask(platform, dialect, "malformed", stream=stream)
    assert reply.status == 502
    assert "provider" in reply.error["message"]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("stream", [False, True])
def test_usage_that_nobody_reports_is_counted(platform: DemoPlatform, dialect: str, stream: bool) -> None:
    reply = ask(platform, dialect, "no_usage,tokens=12", stream=stream)
    assert reply.status == 200
    written = re.findall(r'"(?:completion_tokens|output_tokens|candidatesTokenCount)": ?(\d+)', reply.body.decode())
    if dialect != "openai" or not stream:  # whose streams tell it to who asks for it
        assert int(written[-1]) > 0


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("stream", [False, True])
def test_tool_is_called_that_a_script_names(platform: DemoPlatform, dialect: str, stream: bool) -> None:
    reply = ask(platform, dialect, "tool=f", stream=stream, tools=True)
    text = reply.body.decode().replace(" ", "")
    assert reply.status == 200
    assert '"name":"f"' in text
    assert any(kind in text for kind in ("tool_calls", "tool_use", "functionCall"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_fault_strikes_as_often_as_a_script_says(platform: DemoPlatform, dialect: str) -> None:
    seen = [
        ask(platform, dialect, f"error=overloaded,times=2,tokens={DIALECTS.index(dialect)}").status for _ in range(4)
    ]
    busy = 529 if dialect == "anthropic" else 503
    assert seen == [busy, busy, 200, busy]
