"""What is written in Gemini's format, held against the types that google-genai ships."""

import json
from pathlib import Path

import pytest
from google.genai import types

from tests.translation.golden_case import cases


def golden(where: str, name: str) -> list[Path]:
    return [case / name for case in cases() if where in case.parent.name.split("--")[-1:] and (case / name).exists()]


@pytest.mark.parametrize("path", golden("gemini_content", "upstream_request.json"), ids=lambda path: path.parent.name)
def test_what_is_sent_is_of_the_types_of_google_genai(path: Path) -> None:
    body = json.loads(path.read_text())
    contents = [types.Content.model_validate(one) for one in body.pop("contents")]
    assert all(content.parts for content in contents)
    for name, kind in (("systemInstruction", types.Content), ("toolConfig", types.ToolConfig)):
        if name in body:
            kind.model_validate(body.pop(name))
    types.GenerationConfig.model_validate(body.pop("generationConfig", {}))
    for tool in body.pop("tools", []):
        types.Tool.model_validate(tool)
    assert not body.keys() - {"serviceTier"}


OUTBOUND = [
    case for case in cases() if case.parent.name.startswith("gemini_content--") and not (case / "refused.json").exists()
]


@pytest.mark.parametrize("case", OUTBOUND, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_what_a_caller_gets_is_of_the_types_of_google_genai(case: Path) -> None:
    stream = case / "outbound.sse"
    if stream.exists():
        events = [one.removeprefix(b"data: ") for one in stream.read_bytes().split(b"\r\n\r\n") if one]
    else:
        events = [(case / "outbound.json").read_bytes()]
    for event in events:
        body = json.loads(event)
        body.pop("tollhouse", None)
        if "error" not in body:
            found = types.GenerateContentResponse.model_validate(body)
            assert found.candidates
            assert found.candidates[0].content is not None
