"""Histories whose calls and results do not stand as other formats want them."""

import pytest

from tollhouse.core.conversation import Conversation, Message, Part, TextPart, ToolCall, ToolResult
from tollhouse.core.pairing import pair_calls

REPORTED = {
    "nothing": ("", ""),
    "in order": ("u a:x+y r:x=1+y=2 a", "u a:x+y r:x=1+y=2 a"),
    "results the other way round": ("u a:x+y r:y=2+x=1", "u a:x+y r:x=1+y=2"),
    "each result a message": ("u a:x+y r:x=1 r:y=2", "u a:x+y r:x=1+y=2"),
    "a user between": ("u a:x u r:x=1 u", "u a:x r:x=1 u u"),
    "a system between": ("u a:x s r:x=1", "u a:x r:x=1 s"),
    "an assistant between": ("u a:x+y r:x=1 a r:y=2", "u a:x+y r:x=1+y=2 a"),
    "a message for each call": ("u a:x a:y r:x=1 r:y=2", "u a:x+y r:x=1+y=2"),
    "words after a call": ("u a:x a r:x=1", "u a:x r:x=1"),
    "an id in two turns": ("u a:x r:x=1 a:x r:x=2", "u a:x r:x=1 a:x_2 r:x_2=2"),
    "an id three times, one taken": (
        "a:x+x_2 r:x=1+x_2=2 a:x r:x=3 a:x r:x=4",
        "a:x+x_2 r:x=1+x_2=2 a:x_3 r:x_3=3 a:x_4 r:x_4=4",
    ),
    "an id twice in one turn": ("u a:x+x r:x=1+x=2", "u a:x+x_2 r:x=1+x_2=2"),
    "no ids": ("u a:+ r:=1+=2", "u a:call_2+call_3 r:call_2=1+call_3=2"),
    "a call without a result": ("u a:x+y r:y=2 u", "u a:x+y r:x!+y=2 u"),
    "a call at the end": ("u a:x", "u a:x r:x!"),
    "a result told twice": ("u a:x r:x=1 r:x=2 u", "u a:x r:x=1,2 u"),
    "a result without a call": ("u r:x=1 a", "u u=?,1 a"),
    "a result before its call": ("u r:x=1 a:x u", "u u=?,1 a:x r:x! u"),
    "an empty message of a user": ("u= a:x r:x=1", "u= a:x r:x=1"),
}


def part(word: str, *, is_call: bool) -> Part:
    if is_call:
        return ToolCall(id=word, name="look")
    name, _, text = word.partition("=")
    return ToolResult(id=name, parts=[TextPart(text=text)])


def read(words: str) -> Conversation:
    messages = []
    for word in words.split():
        who, colon, parts = word.partition(":")
        held: list[Part] = [part(one, is_call=who == "a") for one in parts.split("+")] if colon else []
        if not colon and who in ("u", "s"):
            held = [TextPart(text="hi")]
        role = "assistant" if who[0] == "a" else "system" if who[0] == "s" else "user"
        messages.append(Message(role=role, parts=held))  # type: ignore[arg-type]
    return Conversation(messages=messages)


def shown(conversation: Conversation) -> str:
    return " ".join(map(shown_message, conversation.messages))


def shown_message(message: Message) -> str:
    calls = "+".join(part.id for part in message.parts if isinstance(part, ToolCall))
    results = "+".join(map(shown_result, (part for part in message.parts if isinstance(part, ToolResult))))
    if message.role == "assistant":
        return f"a:{calls}" if calls else "a"
    if results:
        return f"r:{results}"
    texts = [part.text for part in message.parts if isinstance(part, TextPart)]
    if texts == ["hi"]:
        return message.role[0]
    return "u=" + ",".join("?" if text.startswith("The result of") else text for text in texts)


def shown_result(result: ToolResult) -> str:
    assert result.name == "look"
    if result.is_error:
        return f"{result.id}!"
    return f"{result.id}={','.join(part.text for part in result.parts if isinstance(part, TextPart))}"


@pytest.mark.parametrize("case", sorted(REPORTED))
def test_results_follow_their_calls_and_ids_are_told_apart(case: str) -> None:
    given, expected = REPORTED[case]
    conversation = read(given)
    pair_calls(conversation)
    assert shown(conversation) == expected
    pair_calls(conversation)
    assert shown(conversation) == expected, "what is paired stays as it is"


def test_calls_and_results_of_the_wrong_speaker_are_put_right() -> None:
    call, result = part("x", is_call=True), part("x=1", is_call=False)
    stray, odd = part("y=2", is_call=False), part("z", is_call=True)
    conversation = Conversation(
        messages=[
            Message(role="user", parts=[TextPart(text="hi"), odd]),
            Message(role="assistant", parts=[call]),
            Message(role="assistant", parts=[result, stray, TextPart(text="done")]),
            Message(role="assistant", parts=[part("x=3", is_call=False)]),
        ]
    )
    pair_calls(conversation)
    said = [
        [one.text if isinstance(one, TextPart) else type(one).__name__ for one in message.parts]
        for message in conversation.messages
    ]
    words = ["The result of a tool (y):", "2", "done"]
    assert said == [["hi", "A call of look: "], ["ToolCall", *words], ["ToolResult"]]
    assert isinstance(result, ToolResult)
    assert [one.text for one in result.parts if isinstance(one, TextPart)] == ["1", "3"]
    pair_calls(conversation)
    assert len(conversation.messages) == 3


def test_a_long_history_of_one_id_is_paired_in_linear_time() -> None:
    """Each id is tried about once, and each result is moved once."""
    conversation = read("u " + "a:x r:x=1 " * 20_000)
    pair_calls(conversation)
    calls = [part.id for message in conversation.messages for part in message.parts if isinstance(part, ToolCall)]
    assert len(set(calls)) == 20_000
    assert calls[-1] == "x_20000"
