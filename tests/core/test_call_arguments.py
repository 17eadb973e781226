"""Arguments of calls as clients send them back."""

import pytest

from tollhouse.core.call_arguments import open_arguments
from tollhouse.core.conversation import Conversation, Message, ToolCall

SENT_BACK = (
    ("", "{}"),
    (" \n", "{}"),
    ("null", "{}"),
    ("[]", "{}"),
    ('{"a": 1}', '{"a": 1}'),
    (r'"{\"a\": 1}"', '{"a": 1}'),
    ('"a"', '"a"'),
    ('"a', '"a'),
    ("[1]", "[1]"),
    ('{"a": 1', '{"a": 1'),
)


@pytest.mark.parametrize(("given", "opened"), SENT_BACK)
def test_arguments_are_the_object_that_they_are(given: str, opened: str) -> None:
    call, custom = ToolCall(id="c", name="f", arguments=given), ToolCall(id="d", name="g", arguments=given)
    custom.is_custom = True
    open_arguments(Conversation(messages=[Message(role="assistant", parts=[call, custom])]))
    assert (call.arguments, custom.arguments) == (opened, given)
