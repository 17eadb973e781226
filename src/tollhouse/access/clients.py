"""Which known client a User-Agent names: its name and numeric version, else `other`.

The header itself goes nowhere: it may hold host names, file paths and whatever else a program thought worth telling.
It is read anew each time (about a microsecond) rather than remembered, for the same reason.
"""

import re
from typing import Final

OTHER: Final = "other"

_NAMES: Final = (
    r"(?:Async)?(?:Azure)?(?:OpenAI|Anthropic)(?:Bedrock|Vertex)?/(?:Python|JS|Go|Java|Ruby|PHP|DotNet|Kotlin) ",
    r"(?:claude-cli|claude-code|codex_[a-z_]{1,20}|codex-cli|Codex(?: Desktop)?|GeminiCLI(?:-[a-z]{1,12})?|opencode)/",
    r"(?:google-genai-sdk|genai-js|ai-sdk/[a-z-]{1,30}|litellm|LiteLLM|langchain|LangChain|llama-index)/",
    r"(?:Cline|RooCode|Roo-Code|Kilo-Code|Continue|Cursor|Zed|aider|Aider|Goose|goose|CherryStudio|Cherry Studio)/",
    r"(?:LobeChat|NextChat|OpenWebUI|Open WebUI|Dify|dify|n8n|crush|qwen-code|QwenCode|avante\.nvim)/",
    r"(?:curl|Wget|HTTPie|PostmanRuntime|insomnia|python-requests|python-httpx|axios|node-fetch|undici)/",
    r"(?:Go-http-client|okhttp|reqwest|Apache-HttpClient|Java-http-client|Dart)/",
)
_KNOWN = re.compile(rf"({'|'.join(_NAMES)})v?([0-9]{{1,6}}(?:\.[0-9]{{1,6}}){{0,3}})", re.ASCII)


def client_of(user_agent: bytes) -> str:
    """`OpenAI/Python 3.57.0`, `claude-cli/2.1.197`, ..., or `other`."""
    match = _KNOWN.match(user_agent[:80].decode("latin-1"))
    return OTHER if match is None else match[1] + match[2]
