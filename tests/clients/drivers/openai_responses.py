"""The official `openai` package: responses, without what the provider would keep."""

import json
from base64 import b64encode
from typing import Any, Final

import openai
from openai.types.responses import Response

from tests.clients.drivers.driver import ABOUT, SCHEMA, TOOL, Errors, SdkAnswer, Trip, run
from tests.clients.drivers.openai_chat import OPENAI_ERRORS
from tests.clients.upstreams.typed import valid

TOOLS: Final[Any] = [{"type": "function", "name": TOOL, "description": ABOUT, "parameters": SCHEMA, "strict": True}]
THINKS: Final[dict[str, Any]] = {
    "reasoning": {"effort": "medium", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
}
INCOMPLETE: Final = {"max_output_tokens": "length", "content_filter": "filter"}
OUTPUT_ONLY: Final = ("status", "parsed", "parsed_arguments")
"""Members of answers that its own API does not want back, or that the SDK adds."""


class OpenAIResponses:
    name = "openai-responses"
    errors = Errors(by_status=OPENAI_ERRORS, broken=openai.OpenAIError, timeout=openai.APITimeoutError)

    def __init__(self, base_url: str, key: str) -> None:
        self._client = openai.OpenAI(base_url=f"{base_url}/v1", api_key=key, max_retries=0)

    def close(self) -> None:
        self._client.close()

    def status(self, error: Exception) -> int:
        assert isinstance(error, openai.APIStatusError)
        assert error.body
        return error.status_code

    def _ask(self, model: str, given: Any, retries: int = 0, **more: Any) -> Response:
        client = self._client.with_options(max_retries=retries)
        answer: Response = client.responses.create(model=model, input=given, store=False, **more)
        valid(Response, answer.model_dump(exclude_unset=True))
        return answer

    def text(self, model: str, prompt: str, *, system: str = "", stop: str = "", retries: int = 0) -> SdkAnswer:
        assert not stop, "this API has no stop sequences"
        more = {"instructions": system} if system else {}
        return heard(self._ask(model, prompt, retries, **more))

    def stream(self, model: str, prompt: str) -> SdkAnswer:
        answer, pieces = self._streamed(model, prompt)
        return heard(answer, pieces)

    def _streamed(self, model: str, given: Any, **more: Any) -> tuple[Response, int]:
        """The last event's response, after the SDK put its own together from the events before."""
        pieces, text, last, number = 0, "", None, -1
        with self._client.responses.stream(model=model, input=given, store=False, **more) as events:
            for event in events:
                assert event.sequence_number > number, "the events are numbered"
                number = event.sequence_number
                if event.type == "error":  # the SDK leaves this one to its caller
                    raise openai.OpenAIError(event.message)
                if event.type == "response.output_text.delta":
                    pieces, text = pieces + 1, text + event.delta
                if event.type in ("response.completed", "response.incomplete", "response.failed"):
                    last = event.response
        assert last is not None, "no end"
        assert last.output_text == text
        return last, pieces

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
        more: dict[str, Any] = {"tools": TOOLS} | (THINKS if thinks else {})
        items: list[Any] = [{"role": "user", "content": prompt}]
        told = []
        for asked in (model, then or model):
            if stream:
                answer, pieces = self._streamed(asked, items, **more)
            else:
                answer, pieces = self._ask(asked, items, **more), 0
            told.append(heard(answer, pieces))
            for item in answer.output:
                made = item.model_dump(exclude_none=True, by_alias=True)
                items.append({name: one for name, one in made.items() if name not in OUTPUT_ONLY})
            for item in answer.output:
                if item.type == "function_call":
                    output: Any = run(item.name, json.loads(item.arguments))
                    if picture:
                        url = f"data:image/png;base64,{b64encode(picture).decode()}"
                        output = [{"type": "input_text", "text": output}, {"type": "input_image", "image_url": url}]
                    items.append({"type": "function_call_output", "call_id": item.call_id, "output": output})
        return told

    def forced(self, model: str, prompt: str) -> SdkAnswer:
        return heard(self._ask(model, prompt, tools=TOOLS, tool_choice={"type": "function", "name": TOOL}))

    def show(self, model: str, prompt: str, kind: str, data: bytes) -> SdkAnswer:
        url = f"data:{kind};base64,{b64encode(data).decode()}"
        part: dict[str, Any] = {"type": "input_image", "image_url": url, "detail": "auto"}
        if not kind.startswith("image/"):
            part = {"type": "input_file", "file_data": url, "filename": "paper.pdf"}
        content = [{"type": "input_text", "text": prompt}, part]
        return heard(self._ask(model, [{"role": "user", "content": content}]))

    def parse(self, model: str, prompt: str) -> SdkAnswer:
        answer = self._client.responses.parse(model=model, input=prompt, text_format=Trip, store=False)
        return SdkAnswer(parsed=answer.output_parsed)

    def wait(self, model: str, prompt: str, seconds: float) -> SdkAnswer:
        return heard(self._client.with_options(timeout=seconds).responses.create(model=model, input=prompt))


def heard(answer: Response, pieces: int = 0) -> SdkAnswer:
    usage = answer.usage
    assert usage is not None
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    thoughts = [s.text for item in answer.output if item.type == "reasoning" for s in item.summary]
    calls = [item for item in answer.output if item.type == "function_call"]
    refused = any(p.type == "refusal" for item in answer.output if item.type == "message" for p in item.content)
    finish = "tools" if calls else "refusal" if refused else "stop"
    if answer.status == "incomplete":
        assert answer.incomplete_details is not None
        finish = INCOMPLETE[answer.incomplete_details.reason or ""]
    else:
        assert answer.status == "completed"
    return SdkAnswer(
        text=answer.output_text,
        thoughts="".join(thoughts),
        calls=[(call.name, json.loads(call.arguments)) for call in calls],
        finish=finish,
        usage=(usage.input_tokens, usage.input_tokens_details.cached_tokens, usage.output_tokens),
        reasoning=usage.output_tokens_details.reasoning_tokens,
        pieces=pieces,
    )
