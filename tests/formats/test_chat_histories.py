"""Histories as the servers of chats take them: later words of the system, messages that say nothing, calls without
thoughts."""

import pytest

from tests.formats.test_chat_words import HELLO, asked, sent
from tollhouse.core.conversation import MediaPart, Opaque, Reasoning, TextPart, ToolCall


@pytest.mark.parametrize(
    ("model", "role"),
    [
        *(("gpt-5.2", "system"), ("openai/o3", "system"), ("o4-mini", "system"), ("gpt-oss:20b", "system")),
        *(("qwen3.8:27b", "user"), ("o12", "user"), ("my-gpt-like", "user"), ("moonshotai/kimi-k2", "user")),
    ],
)
def test_what_the_system_says_later_is_said_as_the_models_template_takes_it(model: str, role: str) -> None:
    later = {"role": "system", "content": "It is night."}
    said = {"role": "assistant", "content": "Hi."}
    messages = sent(asked(messages=[later, HELLO, said, later, HELLO, later]), model=model)["messages"]
    night = {"role": role, "content": "It is night."}
    joined = {"role": "user", "content": "Hello\n\nIt is night."}
    assert messages == [later, HELLO, said, night, *([HELLO, night] if role == "system" else [joined])]


def test_messages_that_say_nothing_are_none() -> None:
    empty = {"role": "assistant", "content": ""}
    messages = [{"role": "system", "content": ""}, HELLO, empty, HELLO]
    assert sent(asked(messages=messages))["messages"] == [HELLO, HELLO]


def test_what_a_model_drew_goes_back_with_its_words() -> None:
    drawn = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    said = asked(messages=[HELLO, {"role": "assistant", "content": "Here.", "images": [drawn]}, HELLO])
    assert said.messages[1].parts == [
        TextPart(text="Here."),
        MediaPart(kind="image", data="AAAA", media_type="image/png"),
    ]
    assert said.uses == {"images": "messages[1].images[0]"}


@pytest.mark.parametrize(
    ("model", "thoughts", "told"),
    [
        ("kimi-k2.6", None, " "),
        ("moonshotai/kimi-k2-thinking", "sig", " "),
        ("deepseek-v4-pro", None, " "),
        ("deepseek-v4-pro", "own", "Hm."),
        ("kimi-k2-0905-preview", None, None),
        ("gpt-5.6", "sig", None),
    ],
)
def test_calls_stand_with_thoughts_where_the_model_refuses_them_without(
    model: str, thoughts: str | None, told: str | None
) -> None:
    """thoughts: of this maker (`own`), of another, or none."""
    opaque = Opaque("openai_chat", '"reasoning_content"') if thoughts == "own" else Opaque("anthropic_messages", "sig")
    conversation = asked()
    conversation.messages[0].role = "assistant"
    conversation.messages[0].parts = [
        *([] if thoughts is None else [Reasoning(text="Hm.", opaque=opaque)]),
        ToolCall(id="c", name="open"),
    ]
    assert sent(conversation, model=model)["messages"][0].get("reasoning_content") == told
