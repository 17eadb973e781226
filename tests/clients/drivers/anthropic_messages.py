"""The official `anthropic` package."""

from base64 import b64encode
from typing import Any, Final

import anthropic
from anthropic.types import Message

from tests.clients.drivers.driver import ABOUT, BUDGET, CAP, SCHEMA, TOOL, Errors, SdkAnswer, Trip, run
from tests.clients.upstreams.typed import valid

TOOLS: Final[Any] = [{"name": TOOL, "description": ABOUT, "input_schema": SCHEMA}]
FINISH: Final = {
    "end_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tools",
    "refusal": "filter",
    "stop_sequence": "stop_sequence",
}


class Anthropic:
    name = "anthropic"
    errors = Errors(
        by_status={
            400: anthropic.BadRequestError,
            401: anthropic.AuthenticationError,
            403: anthropic.PermissionDeniedError,
            404: anthropic.NotFoundError,
            429: anthropic.RateLimitError,
            502: anthropic.InternalServerError,
            504: anthropic.GatewayTimeoutError,
            529: anthropic.OverloadedError,
        },
        broken=anthropic.APIError,
        timeout=anthropic.APITimeoutError,
        overloaded=529,
    )

    def __init__(self, base_url: str, key: str) -> None:
        self._client = anthropic.Anthropic(base_url=base_url, api_key=key, max_retries=0)

    def close(self) -> None:
        self._client.close()

    def status(self, error: Exception) -> int:
        assert isinstance(error, anthropic.APIStatusError)
        assert isinstance(error.body, dict)
        assert error.body["type"] == "error"
        return error.status_code

    def _ask(self, model: str, messages: list[Any], retries: int = 0, **more: Any) -> Message:
        client = self._client.with_options(max_retries=retries)
        answer: Message = client.messages.create(model=model, messages=messages, max_tokens=CAP, **more)
        valid(Message, answer.model_dump(exclude_unset=True))
        return answer

    def text(self, model: str, prompt: str, *, system: str = "", stop: str = "", retries: int = 0) -> SdkAnswer:
        more: dict[str, Any] = {"system": system} if system else {}
        if stop:
            more |= {"stop_sequences": [stop], "extra_body": {"temperature": 0.5}}
        return heard(self._ask(model, [{"role": "user", "content": prompt}], retries, **more))

    def stream(self, model: str, prompt: str) -> SdkAnswer:
        return heard(*self._streamed(model, [{"role": "user", "content": prompt}]))

    def _streamed(self, model: str, messages: list[Any], **more: Any) -> tuple[Message, int]:
        """The message that the SDK put together from the events."""
        pieces, text = 0, ""
        with self._client.messages.stream(model=model, messages=messages, max_tokens=CAP, **more) as events:
            for event in events:
                if event.type == "text":
                    pieces, text = pieces + 1, text + event.text
            message = events.get_final_message()
        assert text == "".join(block.text for block in message.content if block.type == "text")
        return message, pieces

    def chat(self, model: str, *turns: str) -> SdkAnswer:
        roles = ("user", "assistant")
        return heard(self._ask(model, [{"role": roles[at % 2], "content": one} for at, one in enumerate(turns)]))

    def use_tools(
        self,
        model: str,
        prompt: str,
        *,
        stream: bool = False,
        thinks: bool = False,
        picture: bytes = b"",
        then: str = "",
    ) -> list[SdkAnswer]:
        more: dict[str, Any] = {"tools": TOOLS}
        if thinks:
            more["thinking"] = {"type": "enabled", "budget_tokens": BUDGET}
        messages: list[Any] = [{"role": "user", "content": prompt}]
        told = []
        for asked in (model, then or model):
            if stream:
                answer, pieces = self._streamed(asked, messages, **more)
            else:
                answer, pieces = self._ask(asked, messages, **more), 0
            told.append(heard(answer, pieces))
            content = [block.model_dump(exclude_none=True, exclude={"parsed_output"}) for block in answer.content]
            messages.append({"role": "assistant", "content": content})
            results = [_result(block, picture) for block in answer.content if block.type == "tool_use"]
            if results:
                messages.append({"role": "user", "content": results})
        return told

    def forced(self, model: str, prompt: str) -> SdkAnswer:
        messages = [{"role": "user", "content": prompt}]
        return heard(self._ask(model, messages, tools=TOOLS, tool_choice={"type": "tool", "name": TOOL}))

    def show(self, model: str, prompt: str, kind: str, data: bytes) -> SdkAnswer:
        source = {"type": "base64", "media_type": kind, "data": b64encode(data).decode()}
        part = {"type": "image" if kind.startswith("image/") else "document", "source": source}
        content = [part, {"type": "text", "text": prompt}]
        return heard(self._ask(model, [{"role": "user", "content": content}]))

    def parse(self, model: str, prompt: str) -> SdkAnswer:
        answer = self._client.messages.parse(
            model=model, messages=[{"role": "user", "content": prompt}], max_tokens=CAP, output_format=Trip
        )
        return SdkAnswer(parsed=answer.parsed_output)

    def wait(self, model: str, prompt: str, seconds: float) -> SdkAnswer:
        client = self._client.with_options(timeout=seconds)
        messages: list[Any] = [{"role": "user", "content": prompt}]
        return heard(client.messages.create(model=model, messages=messages, max_tokens=CAP))

    def count(self, model: str, prompt: str) -> int:
        return self._client.messages.count_tokens(
            model=model, messages=[{"role": "user", "content": prompt}]
        ).input_tokens


def _result(call: Any, picture: bytes) -> dict[str, Any]:
    content: Any = run(call.name, call.input)
    if picture:
        source = {"type": "base64", "media_type": "image/png", "data": b64encode(picture).decode()}
        content = [{"type": "text", "text": content}, {"type": "image", "source": source}]
    return {"type": "tool_result", "tool_use_id": call.id, "content": content}


def heard(answer: Message, pieces: int = 0) -> SdkAnswer:
    usage, calls = answer.usage, [block for block in answer.content if block.type == "tool_use"]
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    assert all(isinstance(call.input, dict) for call in calls)
    return SdkAnswer(
        text="".join(block.text for block in answer.content if block.type == "text"),
        thoughts="".join(block.thinking for block in answer.content if block.type == "thinking"),
        calls=[(call.name, dict(call.input)) for call in calls],
        finish=FINISH[answer.stop_reason or ""],
        usage=(usage.input_tokens + read + written, read, usage.output_tokens),
        reasoning=usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else 0,
        pieces=pieces,
    )
