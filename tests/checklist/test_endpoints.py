"""The addresses that the checklist knows are those that are served."""

from collections.abc import Mapping
from typing import Final

import pytest

from tollhouse.checklist.endpoint import OPERATIONS, canonical, read_endpoint
from tollhouse.checklist.request import read_request
from tollhouse.edge import paths
from tollhouse.formats import codecs

BASE = "https://toll.example"


def test_calls_are_those_of_the_listener() -> None:
    assert dict(OPERATIONS) == {one.path: one.operation for one in paths.CALLS}
    for one in paths.CALLS:
        assert read_endpoint(one.path, BASE).format == one.dialect


@pytest.mark.parametrize("start", ["/v1beta/models", "/v1/models"])
@pytest.mark.parametrize("action", sorted(paths.ACTIONS))
def test_actions_of_a_model_are_those_of_the_listener(action: str, start: str) -> None:
    path = f"{start}/vendor/m-1:{action}"
    served, found = paths.action(path), read_endpoint(f"POST {BASE}{path}?alt=sse&key=sk-th-live-x", BASE)
    if served is None:
        assert found.trouble is not None
        assert "not offered" in found.trouble.reason
        return
    assert (found.operation, found.format, found.model) == (served.operation, served.dialect, "vendor/m-1")
    assert (found.trouble, found.key) == (None, "sk-th-live-x")
    assert found.counts == (served.name == paths.COUNTING)


MESSAGES: Final = (
    '{"model": "m", "max_tokens": 5, "system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}'
)
CONTENTS: Final = '{"contents": [{"parts": [{"text": "Hi"}]}]}'


@pytest.mark.parametrize(
    ("path", "body", "trouble", "cure"),
    [
        ("/v1/messages", MESSAGES, "", ""),
        ("/messages", MESSAGES.replace('"max_tokens": 5, ', ""), "'max_tokens'", "Add `max_tokens`"),
        ("/v1/messages", MESSAGES[:-1] + ",}", "not valid JSON", "comma"),
        ("/v1beta/models/m:generateContent", CONTENTS, "", ""),
        ("/v1beta/models/m:generateContent", MESSAGES, "'contents'", "send it to `/v1/messages`"),
        ("/v1beta/models/m:generateContent", '{"tools": []}', "'contents'", "Add `contents`"),
        ("/v1/models/m:generateContent", CONTENTS, "", ""),
        ("/v1/models/m:countTokens", CONTENTS, "", ""),
        ("/v1/models/m:embedContent", '{"content": {"parts": [{"text": "Hi"}]}}', "", ""),
        ("/v1/messages/count_tokens", MESSAGES.replace('"max_tokens": 5, ', ""), "", ""),
        ("/v1/messages", CONTENTS[:-1] + ', "model": "m"}', "'messages'", "`/v1beta/models/m:generateContent`"),
        ("/v1/chat/completions", CONTENTS[:-1] + ', "model": "m"}', "'messages'", "`/v1beta/models/m:generateContent`"),
        ("/v1/chat/completions", MESSAGES, "Anthropic", "Send the body to `/v1/messages`"),
        ("/v1beta/models/m:generateContent", CONTENTS.replace('Hi"', "Hi"), "not valid JSON", ""),
    ],
)
def test_bodies_of_other_formats_are_read_by_them(path: str, body: str, trouble: str, cure: str) -> None:
    found = read_request(f"POST {path}", {}, body, codecs(), BASE)
    assert found.step.state == ("red" if trouble else "green"), found.step
    assert trouble in found.step.reason
    assert cure in found.step.cure
    assert found.model == "m" or "JSON" in trouble


@pytest.mark.parametrize(
    "path", ["/v1/v1/chat/completions", "//v1//chat/completions/", "/chat/completions", "/v1/embeddings", "/embeddings"]
)
def test_paths_are_repaired_as_the_listener_repairs_them(path: str) -> None:
    found = paths.find(path)
    assert found is not None
    assert canonical(path) == found.path
    assert read_endpoint(f"POST {BASE}{path}", BASE).operation == found.operation


TRANSCRIPTIONS: Final = "POST /v1/audio/transcriptions"
PART: Final = '--x\r\nContent-Disposition: form-data; name="file"'


@pytest.mark.parametrize(
    ("kind", "body", "reason", "cure"),
    [
        ("application/json", '{"model": "whisper-1"}', "takes a form", "`-F`"),  # neuron-core/neuron-ai#459
        ("", '{"model": "whisper-1"}', "takes a form", "`-F`"),
        ("multipart/form-data", None, "without a `boundary`", "Leave the header out"),  # whisper-asr-webservice#145
        ("multipart/form-data; boundary=x", f"{PART}\r\n\r\n./a.mp3", "has no file name", "`@`"),  # vox-box#9
        ("multipart/form-data; boundary=x", f'{PART}; filename="a.mp3"\r\n\r\n', "", ""),
        ("multipart/form-data; boundary=x", None, "", ""),
        ("", None, "", ""),
    ],
)
def test_calls_with_files_are_forms(kind: str, body: str | None, reason: str, cure: str) -> None:
    headers = {"content-type": kind} if kind else {}
    step = read_request(TRANSCRIPTIONS, headers, body, codecs(), BASE).step
    assert step.state == ("red" if reason else "green"), step
    assert reason in step.reason
    assert cure in step.cure


@pytest.mark.parametrize(
    ("headers", "body", "form"),
    [
        ({}, MESSAGES, "anthropic"),
        ({}, CONTENTS, "gemini"),
        (
            {"anthropic-version": "2023-06-01"},
            '{"model": "m", "max_tokens": 5, "messages": [{"role": "user"}]}',
            "anthropic",
        ),
        ({"x-goog-api-key": "k"}, '{"content": {"parts": [{"text": "Hi"}]}}', "gemini"),
        ({}, '{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}', "openai"),
    ],
)
def test_body_without_an_address_tells_its_format(headers: Mapping[str, str], body: str, form: str) -> None:
    assert read_request("", headers, body, codecs(), BASE).format == form


@pytest.mark.parametrize(
    ("given", "reason", "cure"),
    [
        ("/v1/chat/completion", "no `/v1/chat/completion`", "`/v1/chat/completions`"),
        ("https://toll.example/openai/v1/chat/completions", "before or behind", "https://toll.example/v1"),
        ("POST /v1/engines/davinci/completions", "no `/v1/engines", "https://toll.example/v1"),
        ("GET /v1/chat/completions", "takes POST, not GET", "with POST"),
        ("https://api.openai.com/v1/chat/completions", "api.openai.com", "https://toll.example/v1"),
        ("http://[::1/v1", "cannot be read", "base URL"),
        ("https://api.anthropic.com/v1/messages", "api.anthropic.com", "`https://toll.example`, without `/v1`"),
        ("https://toll.example/anthropic/v1/messages", "`/v1/messages`", "`https://toll.example`, without `/v1`"),
        ("/google/v1beta/models/m:generateContent", ":generateContent`", "without `/v1`"),
        ("POST /v1beta/models/m:generateAnswer", "`generateAnswer`", "/v1beta/models/m:generateContent"),
        ("GET /v1beta/models/m:generateContent", "not GET", "with POST"),
        ("/v1/complete", "/v1/complete", "`/v1/messages`"),
    ],
)
def test_wrong_addresses_are_named(given: str, reason: str, cure: str) -> None:
    trouble = read_endpoint(given, BASE).trouble
    assert trouble is not None
    assert reason in trouble.reason
    assert cure in trouble.cure


@pytest.mark.parametrize(
    "given", ["", BASE, f"{BASE}/v1", f"{BASE}/v1/", "/v1/models", "toll.example/v1/responses", "/v1/models/m:free"]
)
def test_right_addresses_are_fine(given: str) -> None:
    assert read_endpoint(given, BASE).trouble is None
