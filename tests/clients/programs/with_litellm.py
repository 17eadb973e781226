"""LiteLLM as a client, by each of its ways to call a server: `with_litellm.py openai|anthropic|gemini`."""

import json
import os
import sys
from typing import Any, Final

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it fetches one when it is imported

import litellm

from tests.clients.programs.asked import BASE, HELLO, KEY, QUESTION, TOOL, run, tell

ADDRESSES: Final = {"openai": f"{BASE}/v1", "anthropic": BASE, "gemini": BASE}
litellm.suppress_debug_info = True


def complete(model: str, messages: list[Any], **more: Any) -> Any:
    way = sys.argv[1]
    return litellm.completion(
        model=f"{way}/{model}", api_base=ADDRESSES[way], api_key=KEY, messages=messages, num_retries=0, **more
    )


def ask(model: str) -> dict[str, Any]:
    hello = [{"role": "user", "content": HELLO}]
    asked: list[Any] = [{"role": "user", "content": QUESTION}]
    called = complete(model, asked, tools=[TOOL]).choices[0].message
    asked.append(called.model_dump())
    for call in called.tool_calls:
        content = run(json.loads(call.function.arguments))
        asked.append({"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": content})
    return {
        "text": complete(model, hello).choices[0].message.content,
        "stream": "".join(chunk.choices[0].delta.content or "" for chunk in complete(model, hello, stream=True)),
        "calls": [[call.function.name, json.loads(call.function.arguments)] for call in called.tool_calls],
        "result": complete(model, asked, tools=[TOOL]).choices[0].message.content,
    }


tell(ask)
