"""The official `openai` package: chat completions."""

import json
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Final

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.clients.drivers.driver import ABOUT, SCHEMA, TOOL, Errors, SdkAnswer, Trip, run
from tests.clients.upstreams.typed import valid

TOOLS: Final[Any] = [{"type": "function", "function": {"name": TOOL, "description": ABOUT, "parameters": SCHEMA}}]
FINISH: Final = {"stop": "stop", "length": "length", "tool_calls": "tools", "content_filter": "filter"}
THOUGHTS: Final = ("reasoning_content", "reasoning_details")
OPENAI_ERRORS: Final = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
    502: openai.InternalServerError,
    503: openai.InternalServerError,
    504: openai.InternalServerError,
}


class OpenAIChat:
    name = "openai-chat"
    errors = Errors(by_status=OPENAI_ERRORS, broken=openai.APIError, timeout=openai.APITimeoutError)

    def __init__(self, base_url: str, key: str) -> None:
        self._client = openai.OpenAI(base_url=f"{base_url}/v1", api_key=key, max_retries=0)

    def close(self) -> None:
        self._client.close()

    def status(self, error: Exception) -> int:
        assert isinstance(error, openai.APIStatusError)
        assert error.body
        return error.status_code

    def _ask(self, model: str, messages: list[Any], retries: int = 0, **more: Any) -> ChatCompletion:
        client = self._client.with_options(max_retries=retries)
        answer: ChatCompletion = client.chat.completions.create(model=model, messages=messages, **more)
        valid(ChatCompletion, answer.model_dump(exclude_unset=True))
        return answer

    def text(self, model: str, prompt: str, *, system: str = "", stop: str = "", retries: int = 0) -> SdkAnswer:
        told = [{"role": "system", "content": system}] if system else []
        more: dict[str, Any] = {"stop": [stop], "temperature": 0.5, "top_p": 0.9} if stop else {}
        return heard(self._ask(model, [*told, {"role": "user", "content": prompt}], retries, **more))

    def stream(self, model: str, prompt: str) -> SdkAnswer:
        return streamed(self._streaming(model, [{"role": "user", "content": prompt}]))[0]

    def _streaming(self, model: str, messages: list[Any], **more: Any) -> Iterable[ChatCompletionChunk]:
        chunks: Iterable[ChatCompletionChunk] = self._client.chat.completions.create(
            model=model, messages=messages, stream=True, stream_options={"include_usage": True}, **more
        )
        return chunks

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
        forgets: bool = False,
    ) -> list[SdkAnswer]:
        """forgets: thoughts are not sent back, as applications do that know OpenAI's own members alone."""
        more: dict[str, Any] = {"tools": TOOLS} | ({"reasoning_effort": "medium"} if thinks else {})
        messages: list[Any] = [{"role": "user", "content": prompt}]
        told = []
        for asked in (model, then or model):
            if stream:
                answer, message = streamed(self._streaming(asked, messages, **more))
            else:
                completion = self._ask(asked, messages, **more)
                answer, message = heard(completion), completion.choices[0].message.model_dump(exclude_none=True)
            told.append(answer)
            if forgets:
                message = {name: one for name, one in message.items() if name not in THOUGHTS}
            messages.append(message)
            for call in message.get("tool_calls") or ():
                content = run(call["function"]["name"], json.loads(call["function"]["arguments"]))
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})
        return told

    def forced(self, model: str, prompt: str) -> SdkAnswer:
        choice = {"type": "function", "function": {"name": TOOL}}
        return heard(self._ask(model, [{"role": "user", "content": prompt}], tools=TOOLS, tool_choice=choice))

    def show(self, model: str, prompt: str, kind: str, data: bytes) -> SdkAnswer:
        url = f"data:{kind};base64,{b64encode(data).decode()}"
        part: dict[str, Any] = {"type": "image_url", "image_url": {"url": url}}
        if not kind.startswith("image/"):
            part = {"type": "file", "file": {"file_data": url, "filename": "paper.pdf"}}
        content = [{"type": "text", "text": prompt}, part]
        return heard(self._ask(model, [{"role": "user", "content": content}]))

    def parse(self, model: str, prompt: str) -> SdkAnswer:
        answer = self._client.chat.completions.parse(
            model=model, messages=[{"role": "user", "content": prompt}], response_format=Trip
        )
        return SdkAnswer(parsed=answer.choices[0].message.parsed)

    def wait(self, model: str, prompt: str, seconds: float) -> SdkAnswer:
        client = self._client.with_options(timeout=seconds)
        return heard(client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}]))


def heard(answer: ChatCompletion) -> SdkAnswer:
    choice = answer.choices[0]
    message, usage = choice.message, answer.usage
    assert choice.index == 0
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    calls = [call for call in message.tool_calls or () if call.type == "function"]
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
    return SdkAnswer(
        text=message.content or "",
        thoughts=getattr(message, "reasoning_content", None) or "",
        calls=[(call.function.name, json.loads(call.function.arguments)) for call in calls],
        finish="refusal" if message.refusal else FINISH[choice.finish_reason],
        usage=(usage.prompt_tokens, cached or 0, usage.completion_tokens),
        reasoning=_reasoning(usage),
    )


def _reasoning(usage: CompletionUsage) -> int:
    details = usage.completion_tokens_details
    return (details.reasoning_tokens if details else 0) or 0


def streamed(chunks: Iterable[ChatCompletionChunk]) -> tuple[SdkAnswer, dict[str, Any]]:
    """What a stream brought, and the message that goes back in the next turn."""
    text, thoughts, refusal, pieces, finish = "", "", "", 0, ""
    details: list[Any] = []
    calls: dict[int, dict[str, Any]] = {}
    usage = None
    for chunk in chunks:
        assert usage is None, "nothing follows the usage"
        usage = chunk.usage
        for choice in chunk.choices:
            delta = choice.delta
            text += delta.content or ""
            refusal += delta.refusal or ""
            pieces += bool(delta.content)
            thoughts += getattr(delta, "reasoning_content", None) or ""
            details += getattr(delta, "reasoning_details", None) or []
            for part in delta.tool_calls or ():
                assert part.function is not None
                call = calls.setdefault(part.index, {"id": part.id, "type": "function", "name": "", "arguments": ""})
                call["name"] += part.function.name or ""
                call["arguments"] += part.function.arguments or ""
            finish = choice.finish_reason or finish
    assert usage is not None
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
    found = SdkAnswer(
        text=text,
        thoughts=thoughts,
        calls=[(call["name"], json.loads(call["arguments"])) for call in calls.values()],
        finish="refusal" if refusal else FINISH[finish],
        usage=(usage.prompt_tokens, cached or 0, usage.completion_tokens),
        reasoning=_reasoning(usage),
        pieces=pieces,
    )
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if thoughts:
        message["reasoning_content"] = thoughts
    if details:
        message["reasoning_details"] = details
    if calls:
        message["tool_calls"] = [
            {"id": one["id"], "type": "function", "function": {"name": one["name"], "arguments": one["arguments"]}}
            for one in calls.values()
        ]
    return found, message
