"""Any server that speaks OpenAI's format: vLLM, Ollama, llama.cpp, another gateway, most vendors.

It may need no key and has no address of its own. It is asked for `/responses` too; the operator of a server without it
writes `speaks = ["openai_chat"]`.
"""

from typing import Final

from tollhouse.providers.headers import with_bearer
from tollhouse.providers.kind import Kind
from tollhouse.providers.openai_errors import read_compatible_error
from tollhouse.providers.openai_target import target

KIND: Final = Kind(
    name="openai_compatible",
    title="OpenAI-compatible server",
    speaks=("openai_chat", "openai_responses"),
    target=target,
    make_headers=with_bearer,
    read_error=read_compatible_error,
    needs_api_key=False,
)
