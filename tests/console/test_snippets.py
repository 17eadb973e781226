"""What people paste: it reads as what it is, whatever a model or an address is called."""

import ast
import json
import shlex
import tomllib
from typing import get_args

import pytest

from tests.console.harness import HOSTILE
from tollhouse.console.snippets import Client, clients, filled, served
from tollhouse.core.operation import Operation

BASE, KEY = "https://toll.example", "sk-th-live-abc"
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
        elif part.kind == "sh":
            assert shlex.split(part.text)
    assert BASE in "".join(texts)
    assert KEY in "".join(texts)


def test_address_ends_in_v1_where_the_client_does_not_add_it() -> None:
    texts = {one.label: "".join(part.text for part in one.parts) for one in clients()}
    for label, text in texts.items():
        has_version = "@BASE@/v1" in text
        assert has_version == (label not in ("Claude Code", "Anthropic Python", "Gemini CLI", "Cherry Studio")), label


def test_clients_of_operations_that_are_not_served_are_not_shown() -> None:
    shown = {one.label for found in served().values() for one in found}
    hidden = {one.label for one in clients() if one.operation not in get_args(Operation)}
    assert shown == {one.label for one in clients()} - hidden
    assert {"curl", "Python", "Node", "Codex", "Cline", "Open WebUI"} <= shown
