"""Tools that are added and taken away in the middle of a conversation are told to models of other formats as they are
at its end."""

from typing import Any

import pytest

from tests.formats.anthropic_samples import GATE, Object, assistant, text, user
from tests.formats.test_anthropic_asked import asked

SEARCH_OF_TOOLS: Object = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
LATER = {**GATE, "name": "later", "defer_loading": True}
OTHER = {**GATE, "description": "Opens it wide."}


def system(*blocks: Object) -> Object:
    return {"role": "system", "content": list(blocks)}


def added(tool: Object) -> Object:
    return {"type": "tool_addition", "tool": tool}


def named(name: str) -> Object:
    return {"type": "tool_reference", "name": name}


def defined(tool: Object) -> Object:
    return {"type": "tool_definition", "definition": tool}


FOUND = user({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_reference", "tool_name": "later"}]})
CALL = assistant({"type": "tool_use", "id": "t", "name": "search", "input": {}})


@pytest.mark.parametrize(
    ("tools", "messages", "told"),
    [
        ([GATE, LATER], [], {"open_gate": "Opens a gate."}),
        ([GATE, LATER], [system(added(named("later")))], {"open_gate": "Opens a gate.", "later": "Opens a gate."}),
        ([GATE, LATER], [CALL, FOUND], {"open_gate": "Opens a gate.", "later": "Opens a gate."}),
        ([GATE, LATER, SEARCH_OF_TOOLS], [], {"open_gate": "Opens a gate.", "later": "Opens a gate."}),
        ([], [system(added(defined(GATE)))], {"open_gate": "Opens a gate."}),
        ([GATE], [system(added(defined(OTHER)))], {"open_gate": "Opens it wide."}),
        ([GATE], [system({"type": "tool_removal", "tool": named("open_gate")})], {}),
        (
            [GATE],
            [
                system({"type": "tool_removal", "tool": named("open_gate")}),
                assistant(text("Gone.")),
                user("Back."),
                system(added(named("open_gate"))),
            ],
            {"open_gate": "Opens a gate."},
        ),
        (
            [GATE],
            [assistant({"type": "compaction", "content": "Met.", "tool_changes": [added(defined(OTHER))]})],
            {"open_gate": "Opens it wide."},
        ),
    ],
)
def test_the_tools_are_those_at_the_end(tools: list[Any], messages: list[Object], told: dict[str, str]) -> None:
    found = asked(user("Hi"), *messages, tools=tools)
    assert {tool.name: tool.description for tool in found.tools} == told
    assert not any(message.role == "system" for message in found.messages)
    assert set(found.uses) <= {"tools", "offered_tools"}


def test_a_tool_that_is_wrong_is_named_where_it_stands() -> None:
    found = asked(user("Hi"), system(added(defined({**GATE, "strict": True}))))
    assert found.uses["strict_tools"] == "messages[1].content[0].tool.definition.strict"
