"""Requests that people really got wrong, each with what its sender does about it. A name with a number is a public
issue that tells of it.

`{live}` and the like stand for the secrets of keys that the test makes. `broken` and `mended`: what is sent; what they
do not name is as in a good request. `step`, `reason`, `cure`: where the checklist is to turn red, and its words.
`refused`: who refuses it: this platform (the test sends it and sees), a provider behind it, or the library of the
caller, so that nothing is sent.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

GOOD: Final[Mapping[str, Any]] = {
    "method": "POST",
    "path": "/v1/chat/completions",
    "authorization": "Bearer {live}",
    "kind": "application/json",
    "body": '{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}',
    "error": "",
}


class BrokenRequest(NamedTuple):
    name: str
    seen: str  # where people had it
    step: str
    reason: str
    cure: str
    broken: Mapping[str, Any]
    mended: Mapping[str, Any] = {}
    refused: Literal["platform", "provider", "library"] = "platform"


def _body(text: str) -> Mapping[str, Any]:
    return {"body": text}


def _chat(rest: str) -> Mapping[str, Any]:
    return {"body": f'{{"model": "gpt-4o", {rest}}}'}


_HELLO: Final = '"messages": [{"role": "user", "content": "Hello"}]'
_ASSISTANT: Final = (
    '{"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name":'
    ' "f", "arguments": "{}"}}]}'
)
_RESULT: Final = '{"role": "tool", "tool_call_id": "call_1", "content": "7"}'
_USER: Final = '{"role": "user", "content": "Hello"}'

KEYS: Final = (
    BrokenRequest("the variable of the key is empty", "openai-php/laravel#117", "api_key", "it is empty", "variable",
                  {"authorization": "Bearer "}),
    BrokenRequest("the variable was not found: `undefined`", "jas3333/GPT-Helper#26", "api_key", "placeholder",
                  "variable",
                  {"authorization": "Bearer undefined"}),
    BrokenRequest("quotes around the key, from `set` or %set_env", "Aider-AI/aider#1731, lotus-data/lotus#211",
                  "api_key",
                  "stands in quotes", "whole and alone", {"authorization": 'Bearer "{live}"'}),
    BrokenRequest("the placeholder of the example", "redis-developer/ArXivChatGuru#1", "api_key", "placeholder",
                  "variable", {"authorization": "Bearer ADD_YOUR_API_KEY_HERE"}),
    BrokenRequest("an address in the field of the key", "continuedev/continue#10250", "api_key", "an address",
                  "whole and alone", {"authorization": "Bearer https://toll.example/v1"}),
    BrokenRequest("the short form that a page shows", "Significant-Gravitas/AutoGPT#204", "api_key", "placeholder",
                  "variable", {"authorization": "Bearer sk-th-live-abcd****************wxyz"}),
    BrokenRequest("the short form with an ellipsis", "support threads of several consoles", "api_key", "short form",
                  "whole and alone", {"authorization": "Bearer sk-th-live-abcd\u2026wxyz"}),
    BrokenRequest("a line break behind the key, read from a file", "openai/openai-python: Illegal header value",
                  "api_key",
                  "line break", ".strip()", {"api_key": "{live}\n"}, {"api_key": "{live}"}, "library"),
    BrokenRequest("`Bearer` twice", "settings that add it themselves", "api_key", "`Bearer`", "whole and alone",
                  {"authorization": "Bearer Bearer {live}"}),
    BrokenRequest("a key of OpenAI", "base URL changed, key not", "api_key", "key of OpenAI", "key of this platform",
                  {"authorization": "Bearer sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"}),
    BrokenRequest("a key that was cut when it was copied", "keys copied by hand", "api_key", "was cut",
                  "Copy the key again", {"authorization": "Bearer {cut}"}),
    BrokenRequest("a blank without width within the key", "keys copied from chats and PDFs", "api_key", "not ASCII",
                  "Copy the key again", {"authorization": "Bearer {wide}"}),
    BrokenRequest("a revoked key", "keys replaced and not told", "api_key", "was revoked", "key of this platform",
                  {"authorization": "Bearer {revoked}"}),
    BrokenRequest("an expired key", "trial keys", "api_key", "expired on", "key of this platform",
                  {"authorization": "Bearer {expired}"}),
    BrokenRequest("a frozen key", "keys found by scanners", "api_key", "is frozen", "unfreezes it",
                  {"authorization": "Bearer {frozen}"}),
    BrokenRequest("a suspended account", "unpaid accounts", "api_key", "is suspended", "whoever runs",
                  {"authorization": "Bearer {suspended}"}),
    BrokenRequest("the management key instead of an API key", "LiteLLM's and OpenRouter's keys of administration",
                  "api_key",
                  "admin key", "live or a test key", {"authorization": "Bearer {admin}"}),
)  # fmt: skip
ADDRESSES: Final = (
    BrokenRequest("no base URL: the call went to OpenAI", "libraries that were told no base URL", "request_format",
                  "api.openai.com",
                  "base URL", {"host": "https://api.openai.com"}, refused="library"),
    BrokenRequest("a letter is missing in the path", "typed base URLs", "request_format", "/v1/chat/completion`",
                  "/v1/chat/completions", {"path": "/v1/chat/completion"}),
    BrokenRequest("the path of another proxy before /v1", "harry0703/MoneyPrinterTurbo#1001", "request_format",
                  "before or behind", "/v1", {"path": "/openai/v1/chat/completions"}),
    BrokenRequest("GET instead of POST, by a redirect or a browser", "redirects from http", "request_format",
                  "not GET", "POST", {"method": "GET"}),
)  # fmt: skip
BODIES: Final = (
    BrokenRequest("curl without Content-Type", "curl's default of -d", "request_format", "Content-Type",
                  "Content-Type: application/json", {"kind": "application/x-www-form-urlencoded"}),
    BrokenRequest("the shell of Windows ate the quotes", "curl/curl#4737", "request_format",
                  "not valid JSON", "lost their quotes",
                  _body("{model: gpt-4o, messages: [{role: user, content: Hello}]}")),
    BrokenRequest("single quotes came along", "spring-guides/gs-accessing-data-rest#11", "request_format",
                  "not valid JSON", "cmd.exe", _body("'{\"model\": \"gpt-4o\"}'")),
    BrokenRequest("a dict of Python, printed", "oobabooga/textgen#751", "request_format", "not valid JSON",
                  "json.dumps",
                  _body("{'model': 'gpt-4o', 'stream': False}")),
    BrokenRequest("a comma too many", "bodies written by hand", "request_format", "not valid JSON", "comma",
                  _chat(f"{_HELLO},")),
    BrokenRequest("typographic quotes", "copied from a blog", "request_format", "not valid JSON", "typographic",
                  _body('{\u201cmodel\u201d: \u201cgpt-4o\u201d}')),
    BrokenRequest("a form instead of JSON", "requests.post(data=...)", "request_format", "not valid JSON", "`json=`",
                  _body("model=gpt-4o&messages=role&messages=content")),
    BrokenRequest("JSON written twice", "json=json.dumps(...)", "request_format", "JSON object", "twice",
                  _body('"{\\"model\\": \\"gpt-4o\\", \\"messages\\": []}"')),
    BrokenRequest("a line break within a text", "bodies glued together in a shell", "request_format", "not valid JSON",
                  "line breaks", _body('{"model": "gpt-4o", "messages": [{"role": "user", "content": "one\ntwo"}]}')),
    BrokenRequest("a prompt for a chat", "code from before chat models", "request_format", "'messages'",
                  "replace `prompt`",
                  _chat('"prompt": "Hello"')),
    BrokenRequest("messages is a text", "first calls", "request_format", "'messages'", "as an array",
                  _chat('"messages": "Hello"')),
    BrokenRequest("no model", "settings without a model", "request_format", "'model'", "Add `model`",
                  _body(f"{{{_HELLO}}}")),
    BrokenRequest("max_tokens in quotes", "settings of strings (n8n, Dify)", "request_format", "max_tokens",
                  "without quotes", _chat(f'{_HELLO}, "max_tokens": "100"'), _chat(f'{_HELLO}, "max_tokens": 100')),
    BrokenRequest("stream in quotes", "shell variables", "request_format", "'stream'", "without quotes",
                  _chat(f'{_HELLO}, "stream": "false"'), _chat(f'{_HELLO}, "stream": false')),
    BrokenRequest("stream_options without stream", "LangChain, when streaming is off", "request_format",
                  "stream_options",
                  "Leave `stream_options` out", _chat(f'{_HELLO}, "stream_options": {{"include_usage": true}}')),
    BrokenRequest("a result of a tool without its call", "FoundationAgents/OpenManus#744, miurla/morphic#136",
                  "request_format", "answers no tool call", "right before the results",
                  _chat(f'"messages": [{_USER}, {_RESULT}]'),
                  _chat(f'"messages": [{_USER}, {_ASSISTANT}, {_RESULT}]'), "provider"),
    BrokenRequest("a call of a tool without its result", "CopilotKit/CopilotKit#7277", "request_format",
                  "no message answers", "`tool_call_id`", _chat(f'"messages": [{_USER}, {_ASSISTANT}, {_USER}]'),
                  _chat(f'"messages": [{_USER}, {_ASSISTANT}, {_RESULT}, {_USER}]'), "provider"),
    BrokenRequest("a role of LangChain", "histories saved by LangChain", "request_format", "`human`", "`user`",
                  _chat('"messages": [{"role": "human", "content": "Hello"}]'), refused="provider"),
    BrokenRequest("temperature beyond its range", "sliders from 0 to 100", "request_format", "`temperature`",
                  "from 0 to 2", _chat(f'{_HELLO}, "temperature": 70'), _chat(f'{_HELLO}, "temperature": 0.7'),
                  "provider"),
    BrokenRequest("content is null", "histories with empty answers", "request_format", "missing or null", "a text",
                  _chat('"messages": [{"role": "user", "content": null}]'), refused="provider"),
    BrokenRequest("image_url is a text", "vision examples of other APIs", "request_format", "`url`", "{\"url\"",
                  _chat('"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "https://a.example/b.png"}]}]'),
                  _chat('"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url":'
                        ' "https://a.example/b.png"}}]}]'), "provider"),
    BrokenRequest("a tool in Anthropic's form", "tools shared between SDKs", "request_format", "`function`",
                  "input_schema",
                  _chat(f'{_HELLO}, "tools": [{{"name": "f", "input_schema": {{"type": "object"}}}}]'),
                  _chat(f'{_HELLO}, "tools": [{{"type": "function", "function": {{"name": "f", "parameters":'
                        ' {"type": "object"}}}]'), "provider"),
    BrokenRequest("json_schema without a schema", "structured outputs, first try", "request_format", "json_schema",
                  "`{\"type\": \"json_schema\"", _chat(f'{_HELLO}, "response_format": {{"type": "json_schema"}}'),
                  _chat(f'{_HELLO}, "response_format": {{"type": "json_schema", "json_schema": {{"name": "a", "schema":'
                        ' {"type": "object"}}}'), "provider"),
    BrokenRequest("system beside the messages", "code for Anthropic's API", "request_format", "Anthropic",
                  "first message",
                  _chat(f'{_HELLO}, "system": "Be brief."'),
                  _chat(f'"messages": [{{"role": "system", "content": "Be brief."}}, {_USER}]'),
                  "provider"),
)  # fmt: skip
MODELS: Final = tuple(
    BrokenRequest(name, seen, "model", reason, cure, {"model": wrong}, {"model": right})
    for name, seen, reason, cure, wrong, right in (
        ("letters in another case", "documentation that writes GPT-4o", "another case", "`gpt-4o`", "GPT-4o", "gpt-4o"),
        ("the vendor before a slash", "names of LiteLLM and OpenRouter", "vendor before the slash", "`gpt-4o`",
                  "openai/gpt-4o",
         "gpt-4o"),
        ("dashes from a web page", "names copied from blogs", "only look like", "`gpt-4o`", "gpt\u20114o", "gpt-4o"),
        ("a blank behind the name", "settings of strings", "blanks", "`gpt-4o`", "gpt-4o ", "gpt-4o"),
        ("a retired model", "names of old tutorials", "was retired on", "`gpt-4o`", "gpt-4-0314", "gpt-4o"),
        ("a model for embeddings in a chat", "wrong entry of a list", "does not serve chat", "another model",
         "text-embedding-3-small", "gpt-4o"),
    )
)  # fmt: skip
MONEY: Final = (
    BrokenRequest("no money", "New API and One API: quota used up", "rate_limits", "money of the account is used up",
                  "adds money", {"authorization": "Bearer {poor}"}),
    BrokenRequest("a budget of the key that is used up", "OpenRouter's limits of keys", "rate_limits",
                  "budget of the key is used up", "raises it", {"authorization": "Bearer {spent}"}),
    BrokenRequest("the calls of this minute are used up", "agents without pauses", "rate_limits", "requests per minute",
                  "Wait", {"authorization": "Bearer {slow}"}),
    BrokenRequest("one call is larger than a minute's tokens", "long prompts on small plans", "rate_limits",
                  "tokens per minute", "higher limit", {"authorization": "Bearer {narrow}",
                  **_chat(f'{_HELLO}, "max_tokens": 9000')},
                  {"authorization": "Bearer {narrow}", **_chat(f'{_HELLO}, "max_tokens": 90')}),
)  # fmt: skip
ERRORS: Final = tuple(
    BrokenRequest(name, seen, "error_body", reason, cure, {"error": error}, {}, "library")
    for name, seen, reason, cure, error in (
        ("a page of HTML instead of JSON", "tsundereraws/aisub-translator#2", "HTML", "`/v1`",
         "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON"),
        ("localhost within a container", "Docker and Open WebUI", "Nobody listens", "container",
         "APIConnectionError: Connection error. [cause]: Error: connect ECONNREFUSED 127.0.0.1:8080"),
        ("a proxy that opens TLS", "company networks", "certificate", "SSL_CERT_FILE",
         "httpx.ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"),
        ("an old library beside a new httpx", "openai-python 1.55", "`httpx`", "pip install",
         "TypeError: Client.__init__() got an unexpected keyword argument 'proxies'"),
        ("OpenAI's own refusal", "base URL set nowhere", "Another service", "base URL",
         "Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-th-l***. You can find your API key at"
         " https://platform.openai.com/account/api-keys.', 'type': 'invalid_request_error', 'param': None, 'code':"
         " 'invalid_api_key'}}"),
    )
)  # fmt: skip
BROKEN: Final = (*KEYS, *ADDRESSES, *BODIES, *MODELS, *MONEY, *ERRORS)
