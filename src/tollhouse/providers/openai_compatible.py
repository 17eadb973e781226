"""Any server that speaks OpenAI's format: vLLM, Ollama, llama.cpp, another gateway, most vendors.

It may need no key, has no address of its own, and is not expected to offer `/responses` unless `speaks` says so.
"""

from typing import Final

from tollhouse.providers.headers import with_bearer
from tollhouse.providers.kind import Kind
from tollhouse.providers.openai_errors import read_compatible_error
from tollhouse.providers.openai_paths import PATHS

KIND: Final = Kind(
    name="openai_compatible",
    title="OpenAI-compatible server",
    speaks=("openai_chat",),
    paths=PATHS,
    make_headers=with_bearer,
    read_error=read_compatible_error,
    needs_api_key=False,
)
