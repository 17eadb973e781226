"""The official `google-genai` package."""

from collections.abc import Iterable
from typing import Any, Final

import httpx2
from google import genai
from google.genai import errors, types

from tests.clients.drivers.driver import ABOUT, BUDGET, CAP, SCHEMA, TOOL, Errors, SdkAnswer, Trip, run

TOOLS: Final[Any] = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name=TOOL, description=ABOUT, parameters_json_schema=SCHEMA),
        ]
    )
]
FINISH: Final = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "filter", "PROHIBITED_CONTENT": "filter"}
MILLI: Final = 1_000


class GoogleGenAI:
    name = "google-genai"
    errors = Errors(
        by_status={
            400: errors.ClientError,
            401: errors.ClientError,
            403: errors.ClientError,
            404: errors.ClientError,
            429: errors.ClientError,
            502: errors.ServerError,
            503: errors.ServerError,
            504: errors.ServerError,
        },
        broken=errors.APIError,
        timeout=httpx2.TimeoutException,
    )

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url, self._key = base_url, key
        self._client = self._connect()

    def _connect(self, retries: int = 0, seconds: float | None = None) -> genai.Client:
        return genai.Client(
            api_key=self._key,
            http_options=types.HttpOptions(
                base_url=self._base_url,
                timeout=None if seconds is None else int(seconds * MILLI),
                retry_options=types.HttpRetryOptions(attempts=retries + 1, initial_delay=0.1),
            ),
        )

    def close(self) -> None:
        self._client.close()

    def status(self, error: Exception) -> int:
        assert isinstance(error, errors.APIError)
        assert error.status, "the status has a name"
        return error.code

    def _ask(self, model: str, contents: Any, retries: int = 0, **config: Any) -> types.GenerateContentResponse:
        client = self._connect(retries) if retries else self._client
        return client.models.generate_content(
            model=model, contents=contents, config=types.GenerateContentConfig(max_output_tokens=CAP, **config)
        )

    def text(self, model: str, prompt: str, *, system: str = "", stop: str = "", retries: int = 0) -> SdkAnswer:
        more: dict[str, Any] = {"system_instruction": system} if system else {}
        if stop:
            more |= {"stop_sequences": [stop], "temperature": 0.5, "top_p": 0.9}
        return heard([self._ask(model, prompt, retries, **more)])[0]

    def stream(self, model: str, prompt: str) -> SdkAnswer:
        return heard(self._streamed(model, prompt), streamed=True)[0]

    def _streamed(self, model: str, contents: Any, **config: Any) -> Iterable[types.GenerateContentResponse]:
        return self._client.models.generate_content_stream(
            model=model, contents=contents, config=types.GenerateContentConfig(max_output_tokens=CAP, **config)
        )

    def chat(self, model: str, *turns: str) -> SdkAnswer:
        contents = [
            types.Content(role=("user", "model")[at % 2], parts=[types.Part(text=one)]) for at, one in enumerate(turns)
        ]
        return heard([self._ask(model, contents)])[0]

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
            more["thinking_config"] = types.ThinkingConfig(include_thoughts=True, thinking_budget=BUDGET)
        contents = [types.Content(role="user", parts=[types.Part(text=prompt)])]
        told = []
        for asked in (model, then or model):
            answers = self._streamed(asked, contents, **more) if stream else [self._ask(asked, contents, **more)]
            answer, content = heard(answers, streamed=stream)
            told.append(answer)
            contents.append(content)
            calls = [part.function_call for part in content.parts or () if part.function_call]
            if calls:
                contents.append(types.Content(role="user", parts=[_result(call, picture) for call in calls]))
        return told

    def forced(self, model: str, prompt: str) -> SdkAnswer:
        calling = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY, allowed_function_names=[TOOL])
        config = types.ToolConfig(function_calling_config=calling)
        return heard([self._ask(model, prompt, tools=TOOLS, tool_config=config)])[0]

    def show(self, model: str, prompt: str, kind: str, data: bytes) -> SdkAnswer:
        return heard([self._ask(model, [prompt, types.Part.from_bytes(data=data, mime_type=kind)])])[0]

    def parse(self, model: str, prompt: str) -> SdkAnswer:
        answer = self._ask(model, prompt, response_mime_type="application/json", response_schema=Trip)
        assert isinstance(answer.parsed, Trip)
        return SdkAnswer(parsed=answer.parsed)

    def wait(self, model: str, prompt: str, seconds: float) -> SdkAnswer:
        client = self._connect(seconds=seconds)  # named: one that is left to the garbage closes under its call
        return heard([client.models.generate_content(model=model, contents=prompt)])[0]

    def count(self, model: str, prompt: str) -> int:
        return self._client.models.count_tokens(model=model, contents=prompt).total_tokens or 0


def _result(call: types.FunctionCall, picture: bytes) -> types.Part:
    media = types.FunctionResponseBlob(mime_type="image/png", data=picture)
    response = types.FunctionResponse(
        id=call.id,
        name=call.name,
        response={"output": run(call.name or "", call.args or {})},
        parts=[types.FunctionResponsePart(inline_data=media)] if picture else None,
    )
    return types.Part(function_response=response)


def heard(answers: Iterable[types.GenerateContentResponse], streamed: bool = False) -> tuple[SdkAnswer, types.Content]:
    """What the answer says, of one piece or of many, and the content that goes back in the next turn."""
    parts: list[types.Part] = []
    finish, usage, pieces = None, None, 0
    for answer in answers:
        usage = answer.usage_metadata or usage
        for candidate in (answer.candidates or ())[:1]:
            found = (candidate.content.parts if candidate.content else None) or []
            parts += found
            pieces += any(part.text and not part.thought for part in found)
            finish = candidate.finish_reason or finish
    assert usage is not None
    assert finish is not None, "no reason why it ended"
    calls = [part.function_call for part in parts if part.function_call]
    told = usage.candidates_token_count or 0, usage.thoughts_token_count or 0
    assert usage.total_token_count == (usage.prompt_token_count or 0) + sum(told)
    found_all = SdkAnswer(
        text="".join(part.text for part in parts if part.text and not part.thought),
        thoughts="".join(part.text for part in parts if part.text and part.thought),
        calls=[(call.name or "", call.args or {}) for call in calls],
        finish="tools" if calls else FINISH[finish.value],
        usage=(usage.prompt_token_count or 0, usage.cached_content_token_count or 0, sum(told)),
        reasoning=told[1],
        pieces=pieces if streamed else 0,
    )
    return found_all, types.Content(role="model", parts=[part for part in parts if _says_something(part)])


def _says_something(part: types.Part) -> bool:
    return bool(part.text or part.function_call or part.thought_signature or part.inline_data)
