"""An answer in JSON that a model of Anthropic's gives as the argument of a tool."""

import pytest

from tollhouse.formats.anthropic.answer_tool import NAME, GrowingAnswer, answer_of

GIVEN = (
    ('{"answer": {"a": {"b": "}}"}} }', '{"a": {"b": "}}"}}'),
    ('{"answer":[1, {}]}', "[1, {}]"),
    (' {\n "answer" :  "x } "\n}\n', '"x } "'),
    ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
    ("{}", "{}"),
    ("", ""),
)


@pytest.mark.parametrize(("arguments", "answer"), GIVEN)
def test_an_answer_grows_the_same_however_it_is_cut(arguments: str, answer: str) -> None:
    for size in range(1, len(arguments) + 1):
        growing = GrowingAnswer()
        pieces = [growing.add(arguments[at : at + size]) for at in range(0, len(arguments), size)]
        assert ("".join(pieces) + growing.rest()).lstrip() == answer, "blanks before JSON are none"


def test_what_closes_arguments_is_kept_to_a_bound() -> None:
    growing = GrowingAnswer()
    growing.add('{"answer": 1')
    said = [growing.add("}") for _ in range(1_000)]
    assert len("".join(said)) > 900


@pytest.mark.parametrize(
    ("given", "answer"),
    [({"answer": {"a": 1}}, '{"a":1}'), ({"answer": '{"a": 1}'}, '{"a": 1}'), ({"a": 1}, '{"a":1}'), ({}, "{}")],
)
def test_a_whole_answer_is_the_argument_or_all_of_them(given: object, answer: str) -> None:
    assert answer_of({"type": "tool_use", "name": NAME, "input": given}) == answer
    assert answer_of({"type": "tool_use", "name": "open", "input": given}) is None
