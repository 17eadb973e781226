"""Vendors and servers that differ from `openai_compatible` in a few facts: one row each, and each a kind of its own.

A row says what differs: the address, where each format stands below it, which formats go first, quirks, by which words
its errors tell what happened (`preset_errors`), and for which members it refuses a chat (`preset_refusals`). Vendors
with several formats have them below several prefixes, each with a base URL of its own in their documentation:
whichever of them an operator writes is understood.

A vendor that needs more than this (another signature, a path that names the model) has a file of its own.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from tollhouse.core.catalogue import TextFormat
from tollhouse.core.operation import Operation
from tollhouse.providers.base_path import above, versioned
from tollhouse.providers.error_rules import reader
from tollhouse.providers.headers import ANTHROPIC_VERSION, with_bearer, with_bearer_and
from tollhouse.providers.kind import CAPS, EXAMPLE, Kind
from tollhouse.providers.preset_errors import RULES
from tollhouse.providers.preset_refusals import REFUSALS
from tollhouse.providers.targets import choose

_CHAT: Final = "/chat/completions"
_CHAT_ALONE: Final[Mapping[TextFormat, str]] = MappingProxyType({"openai_chat": _CHAT})


class _Preset(Struct, frozen=True, kw_only=True):
    """`prefixes`: what its documentation writes behind the host, besides what stands in `base_url`. `cap`: the only
    name by which it takes a cap of a chat; without one, both are sent. `strict`: refuses members that it does not know,
    so that no other name of a cap and no `stream_options` may reach it. `own_paths`: of an API of its own beside these
    formats, which its documentation shows and people paste."""

    title: str
    base_url: str = ""
    text: Mapping[TextFormat, str] = _CHAT_ALONE
    others: Mapping[Operation, str] = MappingProxyType({})
    prefixes: tuple[str, ...] = ()
    models_path: str = "/models"
    cap: Literal["max_tokens", "max_completion_tokens"] | None = None
    strict: bool = False
    needs_api_key: bool = True
    example: str = ""
    own_paths: tuple[str, ...] = ()


_PRESETS: Final[Mapping[str, _Preset]] = {
    "cerebras": _Preset(
        title="Cerebras",
        base_url="https://api.cerebras.ai/v1",
        others={"completions": "/completions"},
        cap="max_completion_tokens",
    ),
    "cohere": _Preset(
        title="Cohere",
        base_url="https://api.cohere.com",
        text={"openai_chat": f"/compatibility/v1{_CHAT}"},
        others={
            "embeddings": "/compatibility/v1/embeddings",
            "rerank": "/v2/rerank",
            "transcriptions": "/v2/audio/transcriptions",
        },
        prefixes=("/compatibility/v1", "/v1", "/v2"),
        models_path="/v1/models",
        cap="max_tokens",
    ),
    "dashscope": _Preset(  # mainland China; elsewhere dashscope-intl.aliyuncs.com, dashscope-us.aliyuncs.com
        title="Alibaba Cloud Model Studio (DashScope)",
        base_url="https://dashscope.aliyuncs.com",
        text={
            "openai_chat": f"/compatible-mode/v1{_CHAT}",
            "openai_responses": "/compatible-mode/v1/responses",
            "anthropic_messages": "/apps/anthropic/v1/messages",
        },
        others={
            "completions": "/compatible-mode/v1/completions",
            "embeddings": "/compatible-mode/v1/embeddings",
            "rerank": "/compatible-api/v1/reranks",
        },
        prefixes=(
            *("/compatible-mode/v1", "/compatible-api/v1", "/apps/anthropic/v1", "/api/v1"),
            "/api/v2/apps/protocols/compatible-mode/v1",
        ),
        models_path="/compatible-mode/v1/models",
        cap="max_tokens",
    ),
    "deepseek": _Preset(
        title="DeepSeek",
        base_url="https://api.deepseek.com",
        text={
            "openai_chat": f"/v1{_CHAT}",
            "openai_responses": "/v1/responses",
            "anthropic_messages": "/anthropic/v1/messages",
        },
        prefixes=("/v1", "/beta", "/anthropic/v1"),
        models_path="/v1/models",
        cap="max_tokens",
    ),
    "fireworks": _Preset(
        title="Fireworks AI",
        base_url="https://api.fireworks.ai/inference/v1",
        text={"openai_chat": _CHAT, "openai_responses": "/responses", "anthropic_messages": "/messages"},
        others={"completions": "/completions", "embeddings": "/embeddings", "rerank": "/rerank"},
        cap="max_tokens",
    ),
    "groq": _Preset(
        title="Groq",
        base_url="https://api.groq.com/openai/v1",
        text={"openai_chat": _CHAT, "openai_responses": "/responses"},
        cap="max_completion_tokens",
        others={
            "embeddings": "/embeddings",
            "speech": "/audio/speech",
            "transcriptions": "/audio/transcriptions",
            "translations": "/audio/translations",
        },
    ),
    "jina": _Preset(
        title="Jina AI",
        base_url="https://api.jina.ai/v1",
        text={},
        others={"embeddings": "/embeddings", "rerank": "/rerank"},
        models_path="",
    ),
    "lm_studio": _Preset(
        title="LM Studio",
        base_url="http://127.0.0.1:1234/v1",
        text={"openai_chat": _CHAT, "openai_responses": "/responses", "anthropic_messages": "/messages"},
        others={"completions": "/completions", "embeddings": "/embeddings"},
        needs_api_key=False,
        own_paths=("/api/v0", "/api/v1"),
    ),
    "minimax": _Preset(  # in mainland China api.minimaxi.com
        title="MiniMax",
        base_url="https://api.minimax.io",
        text={"openai_chat": f"/v1{_CHAT}", "anthropic_messages": "/anthropic/v1/messages"},
        prefixes=("/v1", "/anthropic/v1"),
        models_path="/v1/models",
    ),
    "mistral": _Preset(
        title="Mistral AI",
        base_url="https://api.mistral.ai/v1",
        others={
            "embeddings": "/embeddings",
            "moderations": "/moderations",
            "transcriptions": "/audio/transcriptions",
        },
        cap="max_tokens",
        strict=True,
    ),
    "moonshot": _Preset(  # in mainland China api.moonshot.cn
        title="Moonshot AI (Kimi)",
        base_url="https://api.moonshot.ai",
        text={"openai_chat": f"/v1{_CHAT}", "anthropic_messages": "/anthropic/v1/messages"},
        prefixes=("/v1", "/anthropic/v1"),
        models_path="/v1/models",
    ),
    "nvidia": _Preset(
        title="NVIDIA NIM",
        base_url="https://integrate.api.nvidia.com/v1",
        others={"completions": "/completions", "embeddings": "/embeddings"},
    ),
    "ollama": _Preset(
        title="Ollama",
        base_url="http://127.0.0.1:11434/v1",
        text={"openai_chat": _CHAT, "openai_responses": "/responses", "anthropic_messages": "/messages"},
        others={
            "completions": "/completions",
            "embeddings": "/embeddings",
            "transcriptions": "/audio/transcriptions",
        },
        needs_api_key=False,
        own_paths=("/api/chat", "/api/generate", "/api/embed", "/api/tags", "/api"),
    ),
    "openrouter": _Preset(
        title="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        text={"openai_chat": _CHAT, "openai_responses": "/responses", "anthropic_messages": "/messages"},
        others={  # its transcriptions are asked for in JSON, which is another shape
            "completions": "/completions",
            "embeddings": "/embeddings",
            "rerank": "/rerank",
            "speech": "/audio/speech",
        },
        cap="max_tokens",
    ),
    "siliconflow": _Preset(  # outside mainland China api.siliconflow.com
        title="SiliconFlow",
        base_url="https://api.siliconflow.cn/v1",
        text={"openai_chat": _CHAT, "anthropic_messages": "/messages"},
        others={
            "embeddings": "/embeddings",
            "rerank": "/rerank",
            "speech": "/audio/speech",
            "transcriptions": "/audio/transcriptions",
        },
        cap="max_tokens",
    ),
    "together": _Preset(
        title="Together AI",
        base_url="https://api.together.xyz/v1",
        others={
            "completions": "/completions",
            "embeddings": "/embeddings",
            "rerank": "/rerank",
            "images": "/images/generations",
            "speech": "/audio/speech",
            "transcriptions": "/audio/transcriptions",
            "translations": "/audio/translations",
        },
        cap="max_tokens",
    ),
    "vllm": _Preset(
        title="vLLM",
        example="http://127.0.0.1:8000/v1",
        text={"openai_chat": _CHAT, "openai_responses": "/responses", "anthropic_messages": "/messages"},
        others={
            "completions": "/completions",
            "embeddings": "/embeddings",
            "rerank": "/rerank",
            "transcriptions": "/audio/transcriptions",
            "translations": "/audio/translations",
        },
        needs_api_key=False,
    ),
    "volcengine": _Preset(  # takes one name of a cap and refuses both
        title="Volcengine Ark",
        base_url="https://ark.cn-beijing.volces.com/api/v3",
        text={"openai_chat": _CHAT, "openai_responses": "/responses"},
        others={"embeddings": "/embeddings", "images": "/images/generations"},
        models_path="",
        cap="max_tokens",
    ),
    "xai": _Preset(
        title="xAI",
        base_url="https://api.x.ai/v1",
        text={"openai_chat": _CHAT, "openai_responses": "/responses"},
        cap="max_completion_tokens",
        others={"images": "/images/generations"},
    ),
    "zhipu": _Preset(  # outside mainland China api.z.ai/api
        title="Zhipu AI (Z.ai)",
        base_url="https://open.bigmodel.cn/api",
        text={"openai_chat": f"/paas/v4{_CHAT}", "anthropic_messages": "/anthropic/v1/messages"},
        others={
            "embeddings": "/paas/v4/embeddings",
            "images": "/paas/v4/images/generations",
            "rerank": "/paas/v4/rerank",
            "speech": "/paas/v4/audio/speech",
            "transcriptions": "/paas/v4/audio/transcriptions",
        },
        prefixes=("/paas/v4", "/anthropic/v1"),
        models_path="/paas/v4/models",
        cap="max_tokens",
    ),
}


def _base_path(row: _Preset) -> Callable[[str], str] | None:
    """Anthropic's SDKs add `/v1` to a base URL, so that documentation leaves it out."""
    _, slash, path = row.base_url.partition("://")[2].partition("/")
    if row.prefixes:
        return above(row.prefixes, slash + path)
    return versioned("/v1", slash + path, row.own_paths) if "anthropic_messages" in row.text else None


def _kind(name: str, row: _Preset) -> Kind:
    speaks_messages = "anthropic_messages" in row.text
    return Kind(
        name=name,
        title=row.title,
        base_url=row.base_url,
        base_path=_base_path(row),
        example=row.example or EXAMPLE,
        speaks=tuple(row.text),
        target=choose(row.text, row.others, {"openai_chat": REFUSALS[name]} if name in REFUSALS else {}),
        make_headers=with_bearer_and(ANTHROPIC_VERSION) if speaks_messages else with_bearer,
        read_error=reader(*RULES.get(name, ())),
        models_path=row.models_path,
        caps=CAPS if row.cap is None else {**CAPS, "chat": (row.cap,)},
        output_caps=(row.cap,) if row.strict and row.cap else (),
        reports_stream_usage=not row.strict,
        needs_api_key=row.needs_api_key,
    )


KINDS: Final[tuple[Kind, ...]] = tuple(_kind(name, row) for name, row in _PRESETS.items())
