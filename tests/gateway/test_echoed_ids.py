"""Prompts of token ids that a legacy completion was asked to repeat: where the answer begins with them, they are no
output."""

import json
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import DONE, GatewayHarness, buffered, event, run, streaming


def harness_of(play: ScriptedResponse) -> GatewayHarness:
    return GatewayHarness(first=FakeUpstream(play), money=10**9)


LEGACY = {"prompt": [1, 2], "model": "house-1", "echo": True, "logprobs": 1}


@pytest.mark.parametrize(
    ("asked", "scores", "written"),
    [
        ({}, [None, -1, -1, -1, -1], 3),
        ({}, [-1, -1, -1, -1, -1], 5),  # it was asked to repeat the prompt, and did not
        ({}, None, 5),
        ({}, [], 5),
        ({"prompt": [[1, 2]]}, [None, -1, -1, -1, -1], 3),
        ({"prompt": [*range(400)]}, [None, -1, -1, -1, -1], 5),  # longer than all that was said: no echo
        ({"echo": False}, [None, -1, -1, -1, -1], 5),
    ],
)
def test_token_ids_that_are_echoed_are_no_output(asked: dict[str, Any], scores: object, written: int) -> None:
    """The first token of a prompt has no probability, and no token of an answer lacks one."""
    logprobs = None if scores is None else {"tokens": ["hi", "there", "a", "b", "c"], "token_logprobs": scores}
    choice = {"index": 0, "text": "hi there a b c", "finish_reason": "stop", "logprobs": logprobs}
    request = json.dumps({**LEGACY, **asked}).encode()
    harness = harness_of(buffered(json.dumps({"object": "text_completion", "choices": [choice]}).encode()))
    run(harness.ask(FakeCallerConnection(request), "completions"))
    assert (harness.record.usage.output, harness.record.usage_source) == (written, "counted")

    stream = (
        event(choices=[{**choice, "text": "hi there", "finish_reason": None}]),
        event(choices=[{**choice, "text": " a b c", "logprobs": None}]),
        DONE,
    )
    harness = harness_of(streaming(*stream))
    run(harness.ask(FakeCallerConnection(json.dumps({**LEGACY, **asked, "stream": True}).encode()), "completions"))
    assert (harness.record.usage.output, harness.record.usage_source) == (written, "counted")


def test_a_prompt_that_is_echoed_in_pieces_is_seen() -> None:
    def piece(text: str, *scores: float | None) -> bytes:
        logprobs = {"tokens": ["x"] * len(scores), "token_logprobs": scores}
        return event(choices=[{"index": 0, "text": text, "logprobs": logprobs, "finish_reason": None}])

    end = event(choices=[{"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"}])
    harness = harness_of(streaming(piece("hi ", None), piece("there ", -1), piece("a b c", -1, -1, -1), end, DONE))
    run(harness.ask(FakeCallerConnection(json.dumps({**LEGACY, "stream": True}).encode()), "completions"))
    assert harness.record.usage.output == 3
