"""Legacy completions in core words: asked of providers of other formats."""

import json
from typing import Any

import pytest
from msgspec import json as msgspec_json
from openai.types import Completion

from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.conversation import Conversation, Part, Reasoning, TextPart
from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.reply import Reply, ReplyChoice, StreamEnded, TextAdded, TokenProbability
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats import codecs
from tollhouse.formats.openai import request as requests
from tollhouse.formats.openai.words.by_operation import WORDS

COMPLETIONS, CHAT = WORDS["completions"], WORDS["chat"]


def asked(**members: Any) -> Conversation:
    body = {"model": "m", "prompt": "Once", **members}
    return COMPLETIONS.read_request(requests.read("completions", json.dumps(body).encode()))


def context() -> AnswerContext:
    request = requests.read("completions", b'{"model":"m","prompt":"Once"}')
    return AnswerContext(request_id="req_1", created=7, request=request)


def test_a_prompt_is_what_a_user_says() -> None:
    conversation = asked(stop="x", temperature=0.5, seed=3, user="u")
    body = msgspec_json.decode(CHAT.write_request(conversation, model="up", stream=False, include_usage=False))
    assert body == {
        "model": "up",
        "messages": [{"role": "user", "content": "Once"}],
        "stop": ["x"],
        "temperature": 0.5,
        "seed": 3,
        "user": "u",
    }


@pytest.mark.parametrize(
    ("members", "feature"),
    [
        ({"prompt": ["a", "b"]}, "prompts"),
        ({"prompt": [1, 2]}, "token_prompts"),
        ({"prompt": [[1], [2]]}, "token_prompts"),
        ({"suffix": "z"}, "suffix"),
        ({"echo": True}, "echo"),
        ({"best_of": 3}, "best_of"),
        ({"logprobs": 2}, "logprobs"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"n": 2}, "n"),
        ({"colour": "red"}, "other"),
    ],
)
def test_each_feature_is_noted(members: dict[str, Any], feature: str) -> None:
    assert feature in asked(**members).uses


def test_no_provider_is_asked_to_go_on_with_a_conversation() -> None:
    with pytest.raises(UnsupportedParameter):
        COMPLETIONS.write_request(asked(), model="up", stream=False, include_usage=False)
    with pytest.raises(BadRequest):
        asked(logprobs="x")


def test_an_answer_is_its_text_whole_and_streamed() -> None:
    parts: list[Part] = [Reasoning(text="Hm"), TextPart(text="upon "), TextPart(text="a time")]
    tokens = [TokenProbability(token="upon ", logprob=-0.5, top=[TokenProbability(token="in ", logprob=-2)])]
    choice = ReplyChoice(parts=parts, finish="length", logprobs=tokens)
    reply = Reply(choices=[choice], id="c1", model="x", created=1, usage=Usage(input=2, output=5))
    whole = msgspec_json.decode(COMPLETIONS.write_reply(reply, context()))
    Completion.model_validate(whole)
    assert whole["choices"] == [
        {
            "text": "upon a time",
            "index": 0,
            "logprobs": {
                "tokens": ["upon "],
                "token_logprobs": [-0.5],
                "top_logprobs": [{"in ": -2}],
                "text_offset": [0],
            },
            "finish_reason": "length",
        }
    ]
    chat = codecs()["openai", "chat"]
    assert chat.streams is not None
    stream = chat.streams.unfold(CHAT.write_reply(reply, context()))
    writer, reader = COMPLETIONS.write_stream(context()), CHAT.read_stream(NOTHING_KNOWN)
    codec = codecs()["openai", "completions"]
    assert codec.streams is not None
    gathered = codec.streams.gather(count=len, known=NOTHING_KNOWN)
    for event in reader.feed(stream):
        gathered.feed(writer.write(event))
    again = msgspec_json.decode(gathered.finish())
    assert again["choices"][0]["text"] == "upon a time"
    assert again["choices"][0]["finish_reason"] == "length"
    assert gathered.usage == reply.usage


def test_a_providers_completion_is_read() -> None:
    body = b'{"id":"c","object":"text_completion","choices":[{"index":0,"text":"upon","finish_reason":"stop"}]}'
    reply = COMPLETIONS.read_reply(body, NOTHING_KNOWN)
    assert reply.choices[0].parts == [TextPart(text="upon")]
    codec = codecs()["openai", "completions"]
    assert codec.streams is not None
    events = COMPLETIONS.read_stream(NOTHING_KNOWN).feed(codec.streams.unfold(body))
    assert [event.text for event in events if isinstance(event, TextAdded)] == ["upon"]
    assert isinstance(events[-1], StreamEnded)
