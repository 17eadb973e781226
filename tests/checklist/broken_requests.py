"""Requests that people really got wrong, each with what its sender does about it. A name with a number is a public
issue that tells of it.

`{live}` and the like stand for the secrets of keys that the test makes.
"""

from collections.abc import Mapping
from typing import Any, Final

from tests.checklist.broken_case import BrokenRequest
from tests.checklist.broken_formats import OTHER_FORMATS

GOOD: Final[Mapping[str, Any]] = {
    "method": "POST",
    "path": "/v1/chat/completions",
    "authorization": "Bearer {live}",
    "kind": "application/json",
    "body": '{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}',
    "error": "",
}


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
    BrokenRequest("the short form with an ellipsis",
                  "anomalyco/opencode#44948, traceroot-ai/traceroot#992", "api_key", "short form",
                  "whole and alone", {"authorization": "Bearer sk-th-live-abcd\u2026wxyz"}),
    BrokenRequest("a line break behind the key, read from a file",
                  "BerriAI/litellm#27188, daveshap/PythonGPT3Tutorial#1",
                  "api_key",
                  "line break", ".strip()", {"api_key": "{live}\n"}, {"api_key": "{live}"}, "library"),
    BrokenRequest("`Bearer` twice", "Dokploy/dokploy#3576", "api_key", "`Bearer`", "whole and alone",
                  {"authorization": "Bearer Bearer {live}"}),
    BrokenRequest("a key of OpenAI", "BerriAI/litellm#18902", "api_key", "key of OpenAI", "key of this platform",
                  {"authorization": "Bearer sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"}),
    BrokenRequest("a key that was cut when it was copied",
                  "anomalyco/opencode#37293, onyx-dot-app/onyx#10055", "api_key", "was cut",
                  "Copy the key again", {"authorization": "Bearer {cut}"}),
    BrokenRequest("a blank without width within the key",
                  "NousResearch/hermes-agent#9946, openai/openai-python#2409", "api_key", "not ASCII",
                  "Copy the key again", {"authorization": "Bearer {wide}"}),
    BrokenRequest("a revoked key", "jackMort/ChatGPT.nvim#67", "api_key", "was revoked", "key of this platform",
                  {"authorization": "Bearer {revoked}"}),
    BrokenRequest("an expired key",
                  "Pythagora-io/gpt-pilot#711, BerriAI/litellm#18731", "api_key", "expired on", "key of this platform",
                  {"authorization": "Bearer {expired}"}),
    BrokenRequest("a frozen key", "fredrikburmester/streamystats#223", "api_key", "is frozen", "unfreezes it",
                  {"authorization": "Bearer {frozen}"}),
    BrokenRequest("a suspended account", "Zero6992/chatGPT-discord-bot#442", "api_key", "is suspended", "whoever runs",
                  {"authorization": "Bearer {suspended}"}),
    BrokenRequest("the management key instead of an API key", "Davidvandijcke/coarse#173",
                  "api_key",
                  "admin key", "live or a test key", {"authorization": "Bearer {admin}"}),
)  # fmt: skip
ADDRESSES: Final = (
    BrokenRequest("no base URL: the call went to OpenAI", "topoteretes/cognee#1311", "request_format",
                  "api.openai.com",
                  "base URL", {"host": "https://api.openai.com"}, refused="library"),
    BrokenRequest("a letter is missing in the path",
                  "vectara/vectara-docs#446", "request_format", "/v1/chat/completion`",
                  "/v1/chat/completions", {"path": "/v1/chat/completion"}),
    BrokenRequest("the path of another proxy before /v1", "harry0703/MoneyPrinterTurbo#1001", "request_format",
                  "before or behind", "/v1", {"path": "/openai/v1/chat/completions"}),
    BrokenRequest("GET instead of POST, by a redirect or a browser",
                  "postmanlabs/postman-app-support#11410", "request_format",
                  "not GET", "POST", {"method": "GET"}),
)  # fmt: skip
BODIES: Final = (
    BrokenRequest("curl without Content-Type",
                  "songquanpeng/one-api#1580, meta-models/meta-oss-cookbook#3", "request_format", "Content-Type",
                  "Content-Type: application/json", {"kind": "application/x-www-form-urlencoded"}),
    BrokenRequest("the shell of Windows ate the quotes", "curl/curl#4737", "request_format",
                  "not valid JSON", "lost their quotes",
                  _body("{model: gpt-4o, messages: [{role: user, content: Hello}]}")),
    BrokenRequest("single quotes came along", "spring-guides/gs-accessing-data-rest#11", "request_format",
                  "not valid JSON", "cmd.exe", _body("'{\"model\": \"gpt-4o\"}'")),
    BrokenRequest("a dict of Python, printed", "oobabooga/textgen#751", "request_format", "not valid JSON",
                  "json.dumps",
                  _body("{'model': 'gpt-4o', 'stream': False}")),
    BrokenRequest("a comma too many", "Huachao/vscode-restclient#390", "request_format", "not valid JSON", "comma",
                  _chat(f"{_HELLO},")),
    BrokenRequest("typographic quotes",
                  "appdotnet/api-spec#328, appwrite/console#2872", "request_format", "not valid JSON", "typographic",
                  _body('{\u201cmodel\u201d: \u201cgpt-4o\u201d}')),
    BrokenRequest("a form instead of JSON", "spulec/uncurl#5", "request_format", "not valid JSON", "`json=`",
                  _body("model=gpt-4o&messages=role&messages=content")),
    BrokenRequest("JSON written twice",
                  "psf/requests#2828, zb-ss/servonaut#69", "request_format", "JSON object", "twice",
                  _body('"{\\"model\\": \\"gpt-4o\\", \\"messages\\": []}"')),
    BrokenRequest("a line break within a text", "guokr/swagger-py-codegen#140", "request_format", "not valid JSON",
                  "line breaks", _body('{"model": "gpt-4o", "messages": [{"role": "user", "content": "one\ntwo"}]}')),
    BrokenRequest("a prompt for a chat", "Azure-Samples/azure-search-openai-demo#118", "request_format", "'messages'",
                  "replace `prompt`",
                  _chat('"prompt": "Hello"')),
    BrokenRequest("messages is a text",
                  "huggingface/huggingface_hub#2225", "request_format", "'messages'", "as an array",
                  _chat('"messages": "Hello"')),
    BrokenRequest("the body of chat completions on the path of Messages",
                  "AIPexStudio/AIPex#62, microsoft/foundry-dev-tools#385", "request_format",
                  "'max_tokens'", "Add `max_tokens`", {**_chat(_HELLO), "path": "/v1/messages"},
                  {**_chat(f'{_HELLO}, "max_tokens": 100'), "path": "/v1/messages"}),
    BrokenRequest("no model", "chain-ml/council#45", "request_format", "'model'", "Add `model`",
                  _body(f"{{{_HELLO}}}")),
    BrokenRequest("max_tokens in quotes", "WongSaang/chatgpt-ui#99", "request_format", "max_tokens",
                  "without quotes", _chat(f'{_HELLO}, "max_tokens": "100"'), _chat(f'{_HELLO}, "max_tokens": 100')),
    BrokenRequest("stream in quotes",
                  "vllm-project/vllm#1273, pytorch/torchchat#1441", "request_format", "'stream'", "without quotes",
                  _chat(f'{_HELLO}, "stream": "false"'), _chat(f'{_HELLO}, "stream": false')),
    BrokenRequest("stream_options without stream", "BerriAI/litellm#5803", "request_format",
                  "stream_options",
                  "Leave `stream_options` out", _chat(f'{_HELLO}, "stream_options": {{"include_usage": true}}')),
    BrokenRequest("a result of a tool without its call", "FoundationAgents/OpenManus#744, miurla/morphic#136",
                  "request_format", "answers no tool call", "right before the results",
                  _chat(f'"messages": [{_USER}, {_RESULT}]'),
                  _chat(f'"messages": [{_USER}, {_ASSISTANT}, {_RESULT}]'), "provider"),
    BrokenRequest("a call of a tool without its result", "CopilotKit/CopilotKit#7277", "request_format",
                  "no message answers", "`tool_call_id`", _chat(f'"messages": [{_USER}, {_ASSISTANT}, {_USER}]'),
                  _chat(f'"messages": [{_USER}, {_ASSISTANT}, {_RESULT}, {_USER}]'), "provider"),
    BrokenRequest("a role of LangChain", "discourse/discourse-ai#262", "request_format", "`human`", "`user`",
                  _chat('"messages": [{"role": "human", "content": "Hello"}]'), refused="provider"),
    BrokenRequest("temperature beyond its range",
                  "Frrrrrrrrank/auto_job__find__chatgpt__rpa#40", "request_format", "`temperature`",
                  "from 0 to 2", _chat(f'{_HELLO}, "temperature": 70'), _chat(f'{_HELLO}, "temperature": 0.7'),
                  "provider"),
    BrokenRequest("content is null",
                  "docker/docker-agent#63, langchain-ai/langchainjs#4153",
                  "request_format", "missing or null", "a text",
                  _chat('"messages": [{"role": "user", "content": null}]'), refused="provider"),
    BrokenRequest("image_url is a text",
                  "anasfik/openai#203, dataprofessor/builder#3", "request_format", "`url`", "{\"url\"",
                  _chat('"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "https://a.example/b.png"}]}]'),
                  _chat('"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url":'
                        ' "https://a.example/b.png"}}]}]'), "provider"),
    BrokenRequest("a tool in Anthropic's form", "Miint-Sunny/nai-autocomplete#1", "request_format", "`function`",
                  "input_schema",
                  _chat(f'{_HELLO}, "tools": [{{"name": "f", "input_schema": {{"type": "object"}}}}]'),
                  _chat(f'{_HELLO}, "tools": [{{"type": "function", "function": {{"name": "f", "parameters":'
                        ' {"type": "object"}}}]'), "provider"),
    BrokenRequest("json_schema without a schema", "sherifkozman/the-llm-council#8", "request_format", "json_schema",
                  "`{\"type\": \"json_schema\"", _chat(f'{_HELLO}, "response_format": {{"type": "json_schema"}}'),
                  _chat(f'{_HELLO}, "response_format": {{"type": "json_schema", "json_schema": {{"name": "a", "schema":'
                        ' {"type": "object"}}}'), "provider"),
    BrokenRequest("system beside the messages", "pleaseai/shunt#523", "request_format", "Anthropic",
                  "first message",
                  _chat(f'{_HELLO}, "system": "Be brief."'),
                  _chat(f'"messages": [{{"role": "system", "content": "Be brief."}}, {_USER}]'),
                  "provider"),
)  # fmt: skip
MODELS: Final = tuple(
    BrokenRequest(name, seen, "model", reason, cure, {"model": wrong}, {"model": right})
    for name, seen, reason, cure, wrong, right in (
        ("letters in another case", "rksm/org-ai#110", "another case", "`gpt-4o`", "GPT-4o", "gpt-4o"),
        ("the vendor before a slash", "RightNow-AI/openfang#108", "vendor before the slash", "`gpt-4o`",
                  "openai/gpt-4o",
         "gpt-4o"),
        ("dashes from a web page", "ollama/ollama#15069", "only look like", "`gpt-4o`", "gpt\u20114o", "gpt-4o"),
        ("a blank behind the name", "curie-eng/curie#1392", "blanks", "`gpt-4o`", "gpt-4o ", "gpt-4o"),
        ("a retired model", "SevaSk/ecoute#187", "was retired on", "`gpt-4o`", "gpt-4-0314", "gpt-4o"),
        ("a model for embeddings in a chat",
         "microsoft/graphrag#1557, decolua/9router#1304", "does not serve chat", "another model",
         "text-embedding-3-small", "gpt-4o"),
    )
)  # fmt: skip
MONEY: Final = (
    BrokenRequest("no money", "songquanpeng/one-api#898", "rate_limits", "money of the account is used up",
                  "adds money", {"authorization": "Bearer {poor}"}),
    BrokenRequest("a budget of the key that is used up", "RooCodeInc/Roo-Code#515", "rate_limits",
                  "budget of the key is used up", "raises it", {"authorization": "Bearer {spent}"}),
    BrokenRequest("the calls of this minute are used up",
                  "kyegomez/tree-of-thoughts#38", "rate_limits", "requests per minute",
                  "Wait", {"authorization": "Bearer {slow}"}),
    BrokenRequest("one call is larger than a minute's tokens", "assafelovic/gpt-researcher#1386", "rate_limits",
                  "tokens per minute", "higher limit", {"authorization": "Bearer {narrow}",
                  **_chat(f'{_HELLO}, "max_tokens": 9000')},
                  {"authorization": "Bearer {narrow}", **_chat(f'{_HELLO}, "max_tokens": 90')}),
)  # fmt: skip
ERRORS: Final = tuple(
    BrokenRequest(name, seen, "error_body", reason, cure, {"error": error}, {}, "library")
    for name, seen, reason, cure, error in (
        ("a page of HTML instead of JSON", "tsundereraws/aisub-translator#2", "HTML", "`/v1`",
         "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON"),
        ("localhost within a container", "nilsherzig/LLocalSearch#36", "Nobody listens", "container",
         "APIConnectionError: Connection error. [cause]: Error: connect ECONNREFUSED 127.0.0.1:8080"),
        ("a proxy that opens TLS", "ricklamers/shell-ai#16", "certificate", "SSL_CERT_FILE",
         "httpx.ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"),
        ("an old library beside a new httpx",
         "platisd/openai-pr-description#9, simonw/llm#709", "`httpx`", "pip install",
         "TypeError: Client.__init__() got an unexpected keyword argument 'proxies'"),
        ("OpenAI's own refusal", "popjane/free_chatgpt_api#3", "Another service", "base URL",
         "Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-th-l***. You can find your API key at"
         " https://platform.openai.com/account/api-keys.', 'type': 'invalid_request_error', 'param': None, 'code':"
         " 'invalid_api_key'}}"),
    )
)  # fmt: skip
BROKEN: Final = (*KEYS, *ADDRESSES, *BODIES, *OTHER_FORMATS, *MODELS, *MONEY, *ERRORS)
