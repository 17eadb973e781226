"""One of LangChain's classes for chat models: `with_langchain.py openai|responses|anthropic|google`."""

import sys
from collections.abc import Callable
from typing import Any, Final

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI

from tests.clients.programs.asked import BASE, HELLO, KEY, QUESTION, TOOL, run, tell

CLASSES: Final[dict[str, Callable[[str], Any]]] = {
    "openai": lambda model: ChatOpenAI(model=model, base_url=f"{BASE}/v1", api_key=KEY, max_retries=0),
    "responses": lambda model: ChatOpenAI(
        model=model, base_url=f"{BASE}/v1", api_key=KEY, max_retries=0, use_responses_api=True
    ),
    "anthropic": lambda model: ChatAnthropic(model=model, base_url=BASE, api_key=KEY, max_retries=0, max_tokens=1024),
    "google": lambda model: ChatGoogleGenerativeAI(model=model, base_url=BASE, api_key=KEY, max_retries=1),
}


def ask(model: str) -> dict[str, Any]:
    chat = CLASSES[sys.argv[1]](model)
    with_tool = chat.bind_tools([TOOL])
    called = with_tool.invoke([HumanMessage(QUESTION)])
    results = [ToolMessage(run(call["args"]), tool_call_id=call["id"], name=call["name"]) for call in called.tool_calls]
    streamed = list(chat.stream(HELLO))
    return {
        "text": chat.invoke(HELLO).text,
        "stream": "".join(chunk.text for chunk in streamed),
        "calls": [[call["name"], call["args"]] for call in called.tool_calls],
        "result": with_tool.invoke([HumanMessage(QUESTION), called, *results]).text,
        "usage": called.usage_metadata["total_tokens"],
    }


tell(ask)
