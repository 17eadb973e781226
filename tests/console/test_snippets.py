"""What people paste: it reads as what it is, whatever a model or an address is called."""

import ast
import json
import shlex
import tomllib
from base64 import b64decode
from typing import get_args
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from tests.console.harness import HOSTILE
from tollhouse.console.snippets import UNGROUPED_MAX, Client, Group, clients, filled, grouped, served
from tollhouse.core.operation import Operation

BASE, KEY = "https://toll.example", "sk-th-live-abc"
WITHOUT_VERSION = (
    *("Anthropic Python", "Anthropic Node", "Google Gen AI Python", "Google Gen AI Node"),
    *("Claude Code", "Gemini CLI", "Cherry Studio", "NextChat"),
)
NAMES = ("gpt-4o", "maker/模型:free", 'it\'s "quoted" \\ $HOME `id` @KEY@', HOSTILE)


@pytest.mark.parametrize("model", NAMES)
@pytest.mark.parametrize("client", clients(), ids=lambda one: one.label)
def test_snippet_is_well_formed(client: Client, model: str) -> None:
    texts = []
    for part in filled(client, BASE, KEY, model).parts:
        texts.append(part.text)
        assert "@BASE@" not in part.text
        if part.kind == "json":
            assert (
                model in json.dumps(json.loads(part.text), ensure_ascii=False) or json.dumps(model)[1:-1] in part.text
            )
        elif part.kind == "toml":
            assert tomllib.loads(part.text)["model"] == model
        elif part.kind == "python":
            ast.parse(part.text)
        elif part.kind == "curl":
            body = shlex.split(part.text.replace("\\\n", " "))[-1]
            assert json.loads(body)["model"] == model
        elif part.kind == "yaml":
            quoted = [json.loads(line.partition(": ")[2]) for line in part.text.splitlines() if line.endswith('"')]
            assert quoted.count(model) == 2
            assert KEY in quoted
        elif part.kind == "link":
            assert whole(part.text)["KEY"] == KEY
            assert whole(part.text)["BASE"].removesuffix("/v1") == BASE
        elif part.kind == "sh":
            assert shlex.split(part.text)
    assert BASE in unquote("".join(texts))
    assert KEY in "".join(texts)


def whole(link: str) -> dict[str, str]:
    """What a client reads in a link that opens it."""
    given = dict(parse_qsl(urlsplit(link).query, strict_parsing=True))
    if "data" in given:
        given = json.loads(b64decode(given["data"], validate=True))
    return {"KEY": given["apiKey"], "BASE": given.get("endpoint") or given["baseUrl"]}


def test_address_ends_in_v1_where_the_client_does_not_add_it() -> None:
    texts = {one.label: "".join(part.text for part in one.parts) for one in clients()}
    for label, text in texts.items():
        has_version = "@BASE@/v1" in text
        assert has_version == (label not in WITHOUT_VERSION), label


def test_clients_of_operations_that_are_not_served_are_not_shown() -> None:
    shown = {one.label for found in served().values() for one in found}
    hidden = {one.label for one in clients() if one.operation not in get_args(Operation)}
    assert shown == {one.label for one in clients()} - hidden
    assert {"curl", "OpenAI Python", "Anthropic Node", "Google Gen AI Python", "Codex", "Cline", "Dify"} <= shown


def test_many_clients_stand_in_groups_and_curl_is_first() -> None:
    found = grouped(clients())
    assert [name for name, _ in found] == list(get_args(Group))
    assert found[0][1][0].label == "curl"
    assert [one for _, members in found for one in members] == list(clients())
    assert grouped(clients()[:UNGROUPED_MAX]) == [(None, list(clients()[:UNGROUPED_MAX]))]
