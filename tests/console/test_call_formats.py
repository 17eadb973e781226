"""What a page sends in each wire format, what it reads of the answer, and the code that does the same."""

import ast
import json
import shlex
from itertools import pairwise
from typing import Any, get_args
from urllib.parse import quote

import msgspec
import pytest

from tests.console.harness import HOSTILE
from tests.store.samples import request
from tollhouse.console.call_code import CURL, PLACEHOLDER, code, code_again, libraries
from tollhouse.console.call_formats import CallFormat, Given, arguments_of, body_of, call_formats, places_of, texts_at
from tollhouse.core.operation import WIRE_FORMATS, Operation
from tollhouse.formats import codecs

BASE = "https://toll.example"
ALL = list(call_formats().values())
BODIES = [one for one in ALL if not one.file]
FORMS = [one for one in ALL if one.file]
"""Those that are asked for with files, which no page sends."""
NAMES = ("gpt-4o", "maker/模型:free", 'it\'s "quoted" \\ $HOME `id` @TEXT@', HOSTILE, "@ARGUMENTS@", "a\nb\r\u2028")
BARE = Given(model="m", text="hi")
FULL = Given(model="m", text="hi", instructions="be brief", max_tokens=5, temperature=0.5, stream=True)


def test_every_operation_that_is_served_has_its_format() -> None:
    assert {one.name for one in ALL} >= {*WIRE_FORMATS.values()}
    assert all(codecs()[one.dialect, one.operation].wire == one.name for one in ALL)
    assert {one.operation for one in ALL} == set(get_args(Operation))


@pytest.mark.parametrize("call_format", BODIES, ids=lambda one: one.name)
def test_body_is_read_by_the_codec_of_its_format(call_format: CallFormat) -> None:
    codec = codecs()[call_format.dialect, call_format.operation]
    for given in (BARE, FULL):
        request = codec.read(json.dumps(body_of(call_format, given)).encode())
        if not call_format.names_model:
            assert request.model == "m"
        if not call_format.names_model and call_format.shows != "sound":
            assert request.stream == (given.stream and bool(call_format.deltas))
        if call_format.deltas:
            assert request.output_cap == (given.max_tokens or call_format.defaults.get("@MAX_TOKENS@"))


@pytest.mark.parametrize(
    ("name", "bare", "full"),
    [
        (
            "openai_chat",
            {"messages": [{"role": "user", "content": "hi"}]},
            {
                "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
                "max_tokens": 5,
                "temperature": 0.5,
                "stream": True,
            },
        ),
        (
            "openai_responses",
            {"input": "hi"},
            {"instructions": "be brief", "input": "hi", "max_output_tokens": 5, "temperature": 0.5, "stream": True},
        ),
        ("openai_embeddings", {"input": "hi"}, {"input": "hi"}),
    ],
)
def test_what_is_not_given_is_left_out(name: str, bare: dict[str, Any], full: dict[str, Any]) -> None:
    assert body_of(call_formats()[name], BARE) == {"model": "m"} | bare
    assert body_of(call_formats()[name], FULL) == {"model": "m"} | full


def test_what_looks_like_a_place_stays_what_it_is() -> None:
    given = Given(model="@TEXT@", text="@INSTRUCTIONS@", instructions="@MODEL@")
    body = body_of(call_formats()["openai_chat"], given)
    assert body["model"] == "@TEXT@"
    assert [one["content"] for one in body["messages"]] == ["@MODEL@", "@INSTRUCTIONS@"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("call_format", BODIES, ids=lambda one: one.name)
def test_code_sends_the_very_same_body(call_format: CallFormat, name: str) -> None:
    given = Given(model=name, text=name, instructions=name, max_tokens=7, temperature=0.1, stream=True)
    body, texts = body_of(call_format, given), code(call_format, given, BASE)
    assert list(texts) == [CURL, *(one.label for one in libraries()[call_format.library].languages)]
    words = shlex.split(texts[CURL].replace("\\\n", " "))
    path = call_format.stream_path or call_format.path
    assert words[1] == BASE + path.replace("@MODEL@", quote(name, safe=""))
    assert json.loads(words[-1]) == body
    calls = [one for one in ast.walk(ast.parse(texts["Python"])) if isinstance(one, ast.Call)]
    (made,) = [one.keywords for one in calls if "model" in [each.arg for each in one.keywords]]
    arguments = arguments_of(call_format, given)
    assert {one.arg: ast.literal_eval(one.value) for one in made} == arguments
    method = call_format.stream_method or call_format.method
    begin = texts["Node"].index(f"{method}({{") + len(method) + 1
    assert json.JSONDecoder().raw_decode(texts["Node"][begin:])[0] == arguments
    assert "sk-th" not in "".join(texts.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("call_format", FORMS, ids=lambda one: one.name)
def test_code_of_a_form_sends_its_fields_and_its_file(call_format: CallFormat, name: str) -> None:
    given = Given(model=name, text=name)
    body, texts = body_of(call_format, given), code(call_format, given, BASE)
    words = shlex.split(texts[CURL].replace("\\\n", " "))
    assert words[1] == BASE + call_format.path
    assert words[words.index("-F") + 1] == f"{call_format.file}=@{call_format.file_name}"
    sent = [after for word, after in pairwise(words) if word == "--form-string"]
    assert sent == [f"{member}={value}" for member, value in body.items()]
    assert "Content-Type" not in texts[CURL]
    (made,) = [
        one.keywords
        for one in ast.walk(ast.parse(texts["Python"]))
        if isinstance(one, ast.Call) and call_format.file in [each.arg for each in one.keywords]
    ]
    written = {one.arg: one.value for one in made}
    assert ast.unparse(written.pop(call_format.file)) == f"open('{call_format.file_name}', 'rb')"
    assert {member: ast.literal_eval(value) for member, value in written.items()} == body
    assert f'{call_format.file}: createReadStream("{call_format.file_name}")' in texts["Node"]
    begin = texts["Node"].index("...") + 3
    assert json.JSONDecoder().raw_decode(texts["Node"][begin:])[0] == body


@pytest.mark.parametrize("call_format", ALL, ids=lambda one: one.name)
def test_file_of_a_format_is_whole(call_format: CallFormat) -> None:
    assert "@TEXT@" in places_of(call_format) or call_format.file
    assert bool(call_format.file) is bool(call_format.file_name)
    assert ("@MODEL@" in places_of(call_format)) is not call_format.names_model
    assert bool(call_format.deltas) == ("@STREAM@" in places_of(call_format) or bool(call_format.stream_path))
    assert set(call_format.defaults) <= places_of(call_format)
    assert call_format.library in libraries()


def test_call_of_a_kind_that_pages_do_not_know_has_no_code() -> None:
    assert code_again(request(1, dialect="other"), BASE) == {}
    again = code_again(request(1, dialect="openai", operation="chat", model="m", stream=True), BASE)
    assert PLACEHOLDER in again[CURL]
    assert '"stream": true' in again[CURL]


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, {"a": 5}, {"a": [{"b": {"c": 1}}]}, {"a": [["x"]]}])
def test_value_of_another_shape_has_no_text(value: object) -> None:
    assert texts_at(value, (("a", "*", "b"),)) == ""


def test_texts_are_found_in_their_order() -> None:
    value = {"output": [{"content": [{"text": "a"}, {"text": "b"}]}, {"content": None}, {"content": [{"text": "c"}]}]}
    assert texts_at(value, (("output", "*", "content", "*", "text"), ("refusal",))) == "abc"


GENERATE_CONTENT = """
name = "other_content"
label = "Generate content"
order = 70
dialect = "gemini"
operation = "chat"
path = "/v1beta/models/@MODEL@:generateContent"
stream_path = "/v1beta/models/@MODEL@:streamGenerateContent?alt=sse"
library = "openai"
method = "models.generate_content"
stream_method = "models.generate_content_stream"
texts = [["candidates", "*", "content", "parts", "*", "text"]]
deltas = [["candidates", "*", "content", "parts", "*", "text"]]

[body]
systemInstruction = { parts = [{ text = "@INSTRUCTIONS@" }] }
contents = [{ role = "user", parts = [{ text = "@TEXT@" }] }]
generationConfig = { maxOutputTokens = "@MAX_TOKENS@", temperature = "@TEMPERATURE@" }

[arguments]
model = "@MODEL@"
contents = "@TEXT@"
config = { system_instruction = "@INSTRUCTIONS@", max_output_tokens = "@MAX_TOKENS@", temperature = "@TEMPERATURE@" }
"""
"""A format whose model stands in the path, and whose library is called with other arguments than the body has."""


def test_format_of_another_shape_is_a_file_as_well() -> None:
    content = msgspec.toml.decode(GENERATE_CONTENT, type=CallFormat)
    assert body_of(content, BARE) == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    assert body_of(content, FULL)["systemInstruction"] == {"parts": [{"text": "be brief"}]}
    given = Given(model="maker/m 1", text="hi", max_tokens=5, stream=True)
    texts = code(content, given, BASE)
    assert shlex.split(texts[CURL])[1] == f"{BASE}/v1beta/models/maker%2Fm%201:streamGenerateContent?alt=sse"
    assert "client.models.generate_content_stream(" in texts["Python"]
    assert "config={'max_output_tokens': 5}" in texts["Python"]
    whole = code(content, Given(model="m", text="hi"), BASE)
    assert shlex.split(whole[CURL])[1] == f"{BASE}/v1beta/models/m:generateContent"
    assert "client.models.generate_content(" in whole["Python"]
