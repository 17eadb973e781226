"""Sentences of providers that no word of theirs stands for: the exception to the rule that no message is read.

Some servers refuse a prompt that is too long, or a model that does not serve an operation, with the code they use for
every bad request. Clients act on `context_length_exceeded` (they shorten the prompt and try again), so these few
sentences are known, each with its source; they are looked for in refusals of the request only (400 to 499, 501).
"""

import re
from typing import Final, Literal, NamedTuple

Meaning = Literal["too_long", "wrong_operation"]
_READ_MAX: Final = 4_000  # of a message


class ErrorPhrase(NamedTuple):
    means: Meaning
    pattern: re.Pattern[str]
    source: str  # which server writes it


def _phrase(means: Meaning, pattern: str, source: str) -> ErrorPhrase:
    return ErrorPhrase(means, re.compile(pattern, re.IGNORECASE), source)


OPENAI: Final = (
    _phrase("too_long", r"maximum context length is", "OpenAI, Azure, DeepSeek, vLLM, OpenRouter"),
    _phrase("too_long", r"exceeds the context window of this model", "OpenAI, Responses"),
    _phrase("wrong_operation", r"this is (?:not )?a chat model", "OpenAI, 404 with param `model`"),
    _phrase("wrong_operation", r"only supported in v1/\w+", "OpenAI, 404 with param `model`"),
    _phrase("wrong_operation", r"not allowed to generate embeddings from this model", "OpenAI, 403"),
    _phrase("wrong_operation", r"operation does not work with the specified model", "Azure, OperationNotSupported"),
)
"""What OpenAI itself and Azure write."""

COMPATIBLE: Final = (
    *OPENAI,
    _phrase("too_long", r"longer than the maximum model length", "vLLM, before 0.6"),
    _phrase("too_long", r"too long to fit into the model", "vLLM, with pictures"),
    _phrase("too_long", r"exceeds (?:the )?model'?s maximum context length", "SGLang, vLLM"),
    _phrase("too_long", r"longer than the model'?s context length", "SGLang"),
    _phrase("too_long", r"exceeds? (?:the )?max_(?:seq|model)_len", "TensorRT-LLM, Atlas"),
    _phrase("too_long", r"`?inputs`? (?:tokens \+ `?max_new_tokens`? must be <=|must have less than)", "TGI, Together"),
    _phrase("too_long", r"exceeds the available context size", "llama.cpp"),
    _phrase("too_long", r"exceeds? the context length|exceeds maximum context length", "Ollama"),
    _phrase("too_long", r"greater than the context length|context the overflows|context length of only", "LM Studio"),
    _phrase("too_long", r"prompt is too long", "Anthropic and relays to it, Fireworks, Databricks"),
    _phrase("too_long", r"exceed context limit", "Anthropic: prompt and cap together"),
    _phrase("too_long", r"input is too long for requested model", "Bedrock"),
    _phrase("too_long", r"input token count .{0,40}exceeds the maximum", "Gemini"),
    _phrase("too_long", r"maximum prompt length is \d+", "xAI"),
    _phrase("too_long", r"reduce the length of the messages", "Groq, Cerebras"),
    _phrase("too_long", r"too large for model with \d+ maximum context length", "Mistral"),
    _phrase("too_long", r"total number of tokens in the prompt cannot exceed|too many tokens: ", "Cohere"),
    _phrase("too_long", r"range of input length should be", "DashScope"),
    _phrase("too_long", r"exceeded model token limit", "Moonshot"),
    _phrase("too_long", r"context window exceeds limit", "MiniMax"),
    _phrase("too_long", r"prompt exceeds max(?:imum)? length", "Zhipu, 1261"),
    _phrase("too_long", r"prompt token count of \d+ exceeds the limit", "GitHub Models and Copilot"),
    _phrase("too_long", r"ContextWindowExceededError", "LiteLLM's proxy"),
    _phrase("too_long", r"requested tokens .{0,40}exceed context window", "llama-cpp-python"),
    _phrase("wrong_operation", r"does not support (?:the )?(?:chat completions?|completions?|embeddings?) api", "vLLM"),
    _phrase("wrong_operation", r"does not support (?:chat|generate|embeddings?|completions?)\b", "Ollama, llama.cpp"),
    _phrase("wrong_operation", r"model is not (?:an embedding|a chat|a completion) model", "Together, Xinference"),
)
"""What other servers of the OpenAI format write besides."""


def meaning(phrases: tuple[ErrorPhrase, ...], message: str) -> Meaning | None:
    message = message[:_READ_MAX]
    return next((one.means for one in phrases if one.pattern.search(message)), None)
