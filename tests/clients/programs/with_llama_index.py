"""LlamaIndex's class for servers that speak OpenAI's format."""

from typing import Any

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

from tests.clients.programs.asked import ABOUT, BASE, HELLO, KEY, NAME, QUESTION, run, tell


def get_weather(city: str, days: int) -> str:
    return run({"city": city, "days": days})


def ask(model: str) -> dict[str, Any]:
    llm = OpenAILike(
        model=model,
        api_base=f"{BASE}/v1",
        api_key=KEY,
        is_chat_model=True,
        is_function_calling_model=True,
        context_window=100_000,
        max_retries=0,
    )
    tool = FunctionTool.from_defaults(get_weather, name=NAME, description=ABOUT)
    asked = ChatMessage(QUESTION, role=MessageRole.USER)
    called = llm.chat_with_tools([tool], chat_history=[asked])
    calls = llm.get_tool_calls_from_response(called)
    results = [
        ChatMessage(
            run(call.tool_kwargs),
            role=MessageRole.TOOL,
            additional_kwargs={"tool_call_id": call.tool_id, "name": call.tool_name},
        )
        for call in calls
    ]
    return {
        "text": llm.complete(HELLO).text,
        "stream": "".join(chunk.delta or "" for chunk in llm.stream_complete(HELLO)),
        "calls": [[call.tool_name, call.tool_kwargs] for call in calls],
        "result": llm.chat_with_tools([tool], chat_history=[asked, called.message, *results]).message.content,
    }


tell(ask)
