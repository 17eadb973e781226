"""Requests in the formats of Anthropic and Gemini that people really got wrong: see `broken_requests`."""

import json
from collections.abc import Mapping
from typing import Any, Final

from tests.checklist.broken_case import BrokenRequest

_CONTENTS_PATH: Final = "/v1beta/models/gpt-4o:generateContent"


def _messages(*messages: object, **members: object) -> Mapping[str, Any]:
    body = {"model": "gpt-4o", "max_tokens": 20, "messages": messages or [_USER], **members}
    return {"path": "/v1/messages", "body": json.dumps(body)}


def _contents(*contents: object, **members: object) -> Mapping[str, Any]:
    return {"path": _CONTENTS_PATH, "body": json.dumps({"contents": contents or [_TEXT], **members})}


_USER: Final = {"role": "user", "content": "Hello"}
_USE: Final = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]}
_USED: Final = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "7"}]}
_CACHED: Final = {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}
_PIXEL: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_SCHEMA: Final = {"type": "object", "properties": {}}
_TEXT: Final = {"role": "user", "parts": [{"text": "Hello"}]}
_CALL: Final = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
_RESULT: Final = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": 7}}}]}


def _image(**medium: object) -> Mapping[str, Any]:
    return _messages({"role": "user", "content": [{"type": "text", "text": "What is it?"}, medium]})


MESSAGES: Final = (
    BrokenRequest("the address of another gateway before /v1/messages", "JohnnyZ93/oai-compatible-copilot#110",
                  "request_format", "`/v1/messages`", "without `/v1`",
                  {**_messages(), "path": "/anthropic/eu/v1/messages"}, _messages()),
    BrokenRequest("an empty block of text", "AnswerDotAI/fastllm#44, anthropics/anthropic-sdk-python#461",
                  "request_format", "is an empty text", "Leave empty blocks",
                  _messages({"role": "user", "content": [{"type": "text", "text": ""}]}), _messages(), "provider"),
    BrokenRequest("a tool_use without its tool_result", "langchain-ai/langgraph#5109, anthropics/claude-code#1237",
                  "request_format", "the next message does not answer", "`tool_result`",
                  _messages(_USER, _USE, _USER), _messages(_USER, _USE, _USED), "provider"),
    BrokenRequest("a tool_result without its tool_use", "continuedev/continue#4751, tghamm/Anthropic.SDK#184",
                  "request_format", "answers no `tool_use`", "right before the results",
                  _messages(_USED), _messages(_USER, _USE, _USED), "provider"),
    BrokenRequest("a tool without an input_schema", "su-kaka/gcli2api#392, microsoft/vscode-copilot-release#9502",
                  "request_format", "`input_schema`", "of chat completions",
                  _messages(tools=[{"name": "f", "parameters": _SCHEMA}]),
                  _messages(tools=[{"name": "f", "input_schema": _SCHEMA}]), "provider"),
    BrokenRequest("a thinking budget that max_tokens does not reach",
                  "ProfSynapse/nexus#17, themaximalist/llm.js#30", "request_format", "budget_tokens",
                  "Raise `max_tokens`",
                  _messages(max_tokens=1024, thinking={"type": "enabled", "budget_tokens": 2048}),
                  _messages(max_tokens=4096, thinking={"type": "enabled", "budget_tokens": 2048}),
                  "provider"),
    BrokenRequest("five marks for the cache", "tghamm/Anthropic.SDK#50, griffinmartin/opencode-claude-auth#121",
                  "request_format", "`cache_control`", "Keep those",
                  _messages(system=[_CACHED] * 5), _messages(system=[_CACHED] * 4), "provider"),
    BrokenRequest("a blank at the end of what the assistant begins",
                  "anomalyco/opencode#1295, tailcallhq/forgecode#1872", "request_format", "ends with a blank",
                  "from its end", _messages(_USER, {"role": "assistant", "content": "title: "}),
                  _messages(_USER, {"role": "assistant", "content": "title:"}), "provider"),
    BrokenRequest("a picture without its source", "dleviminzi/anthrogo#2", "request_format", "no block of this API",
                  "base64", _image(type="image", image={"data": _PIXEL}),
                  _image(type="image", source={"type": "base64", "media_type": "image/png", "data": _PIXEL}),
                  "provider"),
    BrokenRequest("results of tools in Anthropic's form, sent to the path of chats",
                  "bodies that an adapter for Claude made", "request_format", "block of Anthropic's API",
                  "`/v1/messages`", {**_messages(_USER, _USE, _USED), "path": "/v1/chat/completions"},
                  _messages(_USER, _USE, _USED), "provider"),
)  # fmt: skip
CONTENTS: Final = (
    BrokenRequest("a body of Gemini's API, sent to the path of chats", "examples of Google's pages", "request_format",
                  "'messages'", f"`{_CONTENTS_PATH}`",
                  {**_contents(model="gpt-4o"), "path": "/v1/chat/completions"}, _contents()),
    BrokenRequest("the role `assistant` in contents", "agno-agi/agno#1183, the-open-agent/openagent#1666",
                  "request_format", "`assistant`", "`model`",
                  _contents(_TEXT, {"role": "assistant", "parts": [{"text": "Hi"}]}, _TEXT),
                  _contents(_TEXT, {"role": "model", "parts": [{"text": "Hi"}]}, _TEXT)),
    BrokenRequest("instructions as the first content", "google-gemini/deprecated-generative-ai-python#148",
                  "request_format", "`system`", "systemInstruction",
                  _contents({"role": "system", "parts": [{"text": "Be brief."}]}, _TEXT),
                  _contents(systemInstruction={"parts": [{"text": "Be brief."}]}), "provider"),
    BrokenRequest("temperature beside contents", "nashsu/llm_wiki#49, Chevey339/kelivo#221", "request_format",
                  "`temperature`", "generationConfig", _contents(temperature=0.2),
                  _contents(generationConfig={"temperature": 0.2}), "provider"),
    BrokenRequest("max_tokens in generationConfig", "infiniflow/ragflow#9195", "request_format", "max_tokens",
                  "maxOutputTokens", _contents(generationConfig={"max_tokens": 20}),
                  _contents(generationConfig={"maxOutputTokens": 20}), "provider"),
    BrokenRequest("stream in a body of Gemini", "sourcegraph/cody#4566", "request_format", "`stream`",
                  ":streamGenerateContent", _contents(stream=False), _contents(), "provider"),
    BrokenRequest("fewer results than calls of functions", "google-gemini/gemini-cli#21830, microsoft/vscode#299295",
                  "request_format", "function calls", "`functionResponse`", _contents(_TEXT, _CALL, _TEXT),
                  _contents(_TEXT, _CALL, _RESULT), "provider"),
    BrokenRequest("a content without parts", "egoist/chatwise-releases#250, vercel/ai#3775", "request_format",
                  "no `parts`", '"parts"', _contents({"role": "user", "parts": []}), _contents(), "provider"),
    BrokenRequest("a picture without its MIME type", "EvanZhouDev/gemini-ai#3", "request_format", "`mimeType`",
                  "image/png", _contents({"role": "user", "parts": [{"inlineData": {"data": _PIXEL}}]}),
                  _contents({"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": _PIXEL}}]}),
                  "provider"),
)  # fmt: skip
OTHER_FORMATS: Final = (*MESSAGES, *CONTENTS)
