"""A call as one could make it again, in three languages: its model and its kind; content and key are the reader's."""

from collections.abc import Mapping
from json import dumps
from typing import Any, Final

from tollhouse.core.operation import Operation
from tollhouse.core.usage_record import UsageRecord

_PATHS: Final[Mapping[Operation, str]] = {
    "chat": "chat/completions",
    "completions": "completions",
    "responses": "responses",
    "embeddings": "embeddings",
    "moderations": "moderations",
}
_METHODS: Final[Mapping[Operation, str]] = {
    "chat": "chat.completions.create",
    "completions": "completions.create",
    "responses": "responses.create",
    "embeddings": "embeddings.create",
    "moderations": "moderations.create",
}
_CONTENT: Final = "YOUR TEXT"
_KEY: Final = "TOLLHOUSE_API_KEY"


def snippets(call: UsageRecord, base_url: str) -> tuple[tuple[str, str], ...]:
    """(language, text) each."""
    body = _body(call)
    return (
        ("curl", _curl(call, base_url, body)),
        ("Python", _python(call, base_url, body)),
        ("Node", _node(call, base_url, body)),
    )


def _body(call: UsageRecord) -> dict[str, Any]:
    body: dict[str, Any] = {"model": call.model or (call.detail.model if call.detail else "") or "MODEL"}
    if call.operation == "chat":
        body["messages"] = [{"role": "user", "content": _CONTENT}]
    elif call.operation == "completions":
        body["prompt"] = _CONTENT
    else:
        body["input"] = _CONTENT
    return body | ({"stream": True} if call.stream else {})


def _curl(call: UsageRecord, base_url: str, body: Mapping[str, Any]) -> str:
    data = dumps(body, ensure_ascii=False).replace("'", "'\\''")
    return (
        f"curl {base_url}/v1/{_PATHS[call.operation]} \\\n"
        f'  -H "Authorization: Bearer ${_KEY}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{data}'"
    )


def _python(call: UsageRecord, base_url: str, body: Mapping[str, Any]) -> str:
    given = "".join(f"    {name}={value!r},\n" for name, value in body.items())
    read = "for event in answer:\n    print(event)" if call.stream else "print(answer)"
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{base_url}/v1", api_key=os.environ["{_KEY}"])\n'
        f"answer = client.{_METHODS[call.operation]}(\n{given})\n{read}"
    )


def _node(call: UsageRecord, base_url: str, body: Mapping[str, Any]) -> str:
    given = dumps(body, indent=2, ensure_ascii=False)
    read = "for await (const event of answer) console.log(event);" if call.stream else "console.log(answer);"
    return (
        'import OpenAI from "openai";\n\n'
        f'const client = new OpenAI({{ baseURL: "{base_url}/v1", apiKey: process.env.{_KEY} }});\n'
        f"const answer = await client.{_METHODS[call.operation]}({given});\n{read}"
    )
