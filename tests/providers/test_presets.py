"""Each row of the table of vendors: where it is called, whatever its documentation makes an operator write."""

import re
from pathlib import Path

import pytest

from tollhouse.core.catalogue import Provider, TextFormat
from tollhouse.core.operation import WIRE_FORMATS, Operation
from tollhouse.providers import base_url, kinds, presets
from tollhouse.providers.preset_errors import RULES

NAMES = [kind.name for kind in presets.KINDS]
CALLED: list[tuple[str, TextFormat, str]] = [
    ("cohere", "openai_chat", "https://api.cohere.com/compatibility/v1/chat/completions"),
    ("dashscope", "openai_chat", "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions"),
    ("dashscope", "openai_responses", "https://dashscope.aliyuncs.com/compatible-mode/v1/responses"),
    ("dashscope", "anthropic_messages", "https://dashscope.aliyuncs.com/apps/anthropic/v1/messages"),
    ("deepseek", "openai_chat", "https://api.deepseek.com/v1/chat/completions"),
    ("deepseek", "anthropic_messages", "https://api.deepseek.com/anthropic/v1/messages"),
    ("deepseek", "openai_responses", "https://api.deepseek.com/v1/responses"),
    ("fireworks", "openai_chat", "https://api.fireworks.ai/inference/v1/chat/completions"),
    ("fireworks", "anthropic_messages", "https://api.fireworks.ai/inference/v1/messages"),
    ("cerebras", "openai_chat", "https://api.cerebras.ai/v1/chat/completions"),
    ("groq", "openai_chat", "https://api.groq.com/openai/v1/chat/completions"),
    ("lm_studio", "anthropic_messages", "http://127.0.0.1:1234/v1/messages"),
    ("minimax", "openai_chat", "https://api.minimax.io/v1/chat/completions"),
    ("minimax", "anthropic_messages", "https://api.minimax.io/anthropic/v1/messages"),
    ("mistral", "openai_chat", "https://api.mistral.ai/v1/chat/completions"),
    ("nvidia", "openai_chat", "https://integrate.api.nvidia.com/v1/chat/completions"),
    ("moonshot", "anthropic_messages", "https://api.moonshot.ai/anthropic/v1/messages"),
    ("openrouter", "openai_responses", "https://openrouter.ai/api/v1/responses"),
    ("siliconflow", "anthropic_messages", "https://api.siliconflow.cn/v1/messages"),
    ("together", "openai_chat", "https://api.together.xyz/v1/chat/completions"),
    ("volcengine", "openai_responses", "https://ark.cn-beijing.volces.com/api/v3/responses"),
    ("xai", "openai_chat", "https://api.x.ai/v1/chat/completions"),
    ("zhipu", "openai_chat", "https://open.bigmodel.cn/api/paas/v4/chat/completions"),
    ("zhipu", "anthropic_messages", "https://open.bigmodel.cn/api/anthropic/v1/messages"),
]
OTHERS: list[tuple[str, Operation, str, str]] = [
    ("cerebras", "completions", "https://api.cerebras.ai/v1/completions", "cerebras-cloud-sdk-python"),
    ("cohere", "embeddings", "https://api.cohere.com/compatibility/v1/embeddings", "docs: Compatibility API"),
    ("cohere", "rerank", "https://api.cohere.com/v2/rerank", "cohere-python: v2/rerank"),
    (
        "cohere",
        "transcriptions",
        "https://api.cohere.com/v2/audio/transcriptions",
        "cohere-python: form, model and file",
    ),
    ("dashscope", "completions", "https://dashscope.aliyuncs.com/compatible-mode/v1/completions", "docs"),
    ("dashscope", "embeddings", "https://dashscope.aliyuncs.com/compatible-mode/v1/embeddings", "docs"),
    (
        "dashscope",
        "rerank",
        "https://dashscope.aliyuncs.com/compatible-api/v1/reranks",
        "docs: Rerank, OpenAI compatible",
    ),
    ("fireworks", "completions", "https://api.fireworks.ai/inference/v1/completions", "fw-ai-external/python-sdk"),
    ("fireworks", "embeddings", "https://api.fireworks.ai/inference/v1/embeddings", "docs"),
    ("fireworks", "rerank", "https://api.fireworks.ai/inference/v1/rerank", "docs"),
    ("groq", "embeddings", "https://api.groq.com/openai/v1/embeddings", "groq-python"),
    ("groq", "speech", "https://api.groq.com/openai/v1/audio/speech", "groq-python"),
    ("groq", "transcriptions", "https://api.groq.com/openai/v1/audio/transcriptions", "groq-python"),
    ("groq", "translations", "https://api.groq.com/openai/v1/audio/translations", "groq-python"),
    ("jina", "embeddings", "https://api.jina.ai/v1/embeddings", "docs"),
    ("jina", "rerank", "https://api.jina.ai/v1/rerank", "docs"),
    ("lm_studio", "completions", "http://127.0.0.1:1234/v1/completions", "lmstudio-ai/docs"),
    ("lm_studio", "embeddings", "http://127.0.0.1:1234/v1/embeddings", "lmstudio-ai/docs"),
    ("mistral", "embeddings", "https://api.mistral.ai/v1/embeddings", "mistralai/client-python"),
    ("mistral", "moderations", "https://api.mistral.ai/v1/moderations", "mistralai/client-python"),
    ("mistral", "transcriptions", "https://api.mistral.ai/v1/audio/transcriptions", "mistralai/client-python"),
    ("nvidia", "completions", "https://integrate.api.nvidia.com/v1/completions", "docs.nvidia.com/nim: API reference"),
    ("nvidia", "embeddings", "https://integrate.api.nvidia.com/v1/embeddings", "docs.litellm.ai: Nvidia NIM"),
    ("ollama", "completions", "http://127.0.0.1:11434/v1/completions", "ollama: server/routes.go"),
    ("ollama", "embeddings", "http://127.0.0.1:11434/v1/embeddings", "ollama: server/routes.go"),
    ("ollama", "transcriptions", "http://127.0.0.1:11434/v1/audio/transcriptions", "ollama: server/routes.go"),
    ("openrouter", "completions", "https://openrouter.ai/api/v1/completions", "docs"),
    ("openrouter", "embeddings", "https://openrouter.ai/api/v1/embeddings", "docs"),
    ("openrouter", "rerank", "https://openrouter.ai/api/v1/rerank", "docs: Submit a rerank request"),
    ("openrouter", "speech", "https://openrouter.ai/api/v1/audio/speech", "openrouterteam/skills: openrouter-tts"),
    ("siliconflow", "embeddings", "https://api.siliconflow.cn/v1/embeddings", "docs"),
    ("siliconflow", "rerank", "https://api.siliconflow.cn/v1/rerank", "docs"),
    ("siliconflow", "speech", "https://api.siliconflow.cn/v1/audio/speech", "docs: create-speech"),
    ("siliconflow", "transcriptions", "https://api.siliconflow.cn/v1/audio/transcriptions", "docs"),
    ("together", "completions", "https://api.together.xyz/v1/completions", "together-python"),
    ("together", "embeddings", "https://api.together.xyz/v1/embeddings", "together-python"),
    ("together", "rerank", "https://api.together.xyz/v1/rerank", "together-python"),
    ("together", "images", "https://api.together.xyz/v1/images/generations", "together-python"),
    ("together", "speech", "https://api.together.xyz/v1/audio/speech", "together-python"),
    ("together", "transcriptions", "https://api.together.xyz/v1/audio/transcriptions", "together-python"),
    ("together", "translations", "https://api.together.xyz/v1/audio/translations", "together-python"),
    ("volcengine", "embeddings", "https://ark.cn-beijing.volces.com/api/v3/embeddings", "docs"),
    ("volcengine", "images", "https://ark.cn-beijing.volces.com/api/v3/images/generations", "docs"),
    ("xai", "images", "https://api.x.ai/v1/images/generations", "docs: REST API reference"),
    ("zhipu", "embeddings", "https://open.bigmodel.cn/api/paas/v4/embeddings", "z-ai-sdk-python"),
    ("zhipu", "images", "https://open.bigmodel.cn/api/paas/v4/images/generations", "z-ai-sdk-python"),
    ("zhipu", "rerank", "https://open.bigmodel.cn/api/paas/v4/rerank", "docs"),
    ("zhipu", "speech", "https://open.bigmodel.cn/api/paas/v4/audio/speech", "z-ai-sdk-python"),
    ("zhipu", "transcriptions", "https://open.bigmodel.cn/api/paas/v4/audio/transcriptions", "z-ai-sdk-python"),
]
"""Whatever is no text, and the old completions: where, and who says so."""


def _called(name: str, written: str, spoken: TextFormat) -> str:
    kind = kinds()[name]
    address, target = base_url.read(kind, written), kind.target("chat", "m", False, (spoken,))
    assert target is not None
    assert target.format == spoken
    return address.origin + address.path + target.path


@pytest.mark.parametrize(("name", "spoken", "url"), CALLED)
def test_a_vendor_is_called_where_its_documentation_says(name: str, spoken: TextFormat, url: str) -> None:
    assert _called(name, "", spoken) == url
    assert _called(name, url, spoken) == url, "a whole endpoint that was pasted"


@pytest.mark.parametrize(("name", "operation", "url", "source"), OTHERS)
def test_what_is_no_text_is_asked_for_where_the_vendor_says(
    name: str, operation: Operation, url: str, source: str
) -> None:
    assert base_url.final_url(kinds()[name], "", operation) == url, source


def test_every_operation_of_the_table_has_its_source() -> None:
    known = {(name, operation) for name, operation, _, _ in OTHERS}
    for kind in presets.KINDS:
        for operation in kind.operations(kind.speaks) - {"chat", "responses"}:
            target = kind.target(operation, "m", False, kind.speaks)
            if kind.base_url and target is not None and target.format == WIRE_FORMATS[operation]:
                assert (kind.name, operation) in known


@pytest.mark.parametrize(
    ("name", "written", "spoken", "url"),
    [
        (
            "deepseek",
            "https://api.deepseek.com/v1",
            "anthropic_messages",
            "https://api.deepseek.com/anthropic/v1/messages",
        ),
        (
            "deepseek",
            "https://api.deepseek.com/anthropic",
            "openai_chat",
            "https://api.deepseek.com/v1/chat/completions",
        ),
        ("deepseek", "https://relay.example/ds/v1", "openai_chat", "https://relay.example/ds/v1/chat/completions"),
        (
            "deepseek",
            "https://api.deepseek.com/chat/completions",
            "openai_chat",
            "https://api.deepseek.com/v1/chat/completions",
        ),
        ("zhipu", "https://open.bigmodel.cn", "openai_chat", "https://open.bigmodel.cn/api/paas/v4/chat/completions"),
        ("zhipu", "https://api.z.ai/api/anthropic", "openai_chat", "https://api.z.ai/api/paas/v4/chat/completions"),
        (
            "zhipu",
            "https://api.z.ai/api/coding/paas/v4",
            "openai_chat",
            "https://api.z.ai/api/coding/paas/v4/chat/completions",
        ),
        (
            "moonshot",
            "https://api.moonshot.cn/v1",
            "anthropic_messages",
            "https://api.moonshot.cn/anthropic/v1/messages",
        ),
        (
            "dashscope",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            "anthropic_messages",
            "https://dashscope-intl.aliyuncs.com/apps/anthropic/v1/messages",
        ),
        (
            "dashscope",
            "https://house.ap-southeast-1.maas.aliyuncs.com/compatible-api/v1",
            "openai_chat",
            "https://house.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1/chat/completions",
        ),
        (
            "cohere",
            "https://api.cohere.ai/compatibility/v1",
            "openai_chat",
            "https://api.cohere.ai/compatibility/v1/chat/completions",
        ),
        (
            "fireworks",
            "https://api.fireworks.ai",
            "openai_chat",
            "https://api.fireworks.ai/inference/v1/chat/completions",
        ),
        (
            "fireworks",
            "https://api.fireworks.ai/inference",
            "openai_chat",
            "https://api.fireworks.ai/inference/v1/chat/completions",
        ),
        ("openrouter", "https://openrouter.ai/api", "openai_responses", "https://openrouter.ai/api/v1/responses"),
        ("ollama", "http://localhost:11434", "openai_chat", "http://localhost:11434/v1/chat/completions"),
        ("vllm", "http://10.0.0.7:8000/models-a", "openai_chat", "http://10.0.0.7:8000/models-a/v1/chat/completions"),
        ("vllm", "http://10.0.0.7:8000", "anthropic_messages", "http://10.0.0.7:8000/v1/messages"),
    ],
)
def test_any_of_its_base_urls_leads_to_each_of_its_formats(
    name: str, written: str, spoken: TextFormat, url: str
) -> None:
    assert _called(name, written, spoken) == url


@pytest.mark.parametrize("name", NAMES)
def test_a_normal_form_stays_as_it_is(name: str) -> None:
    kind = kinds()[name]
    for written in ("", "https://relay.example/x", "https://relay.example/x/v1", "https://relay.example/x#"):
        if not written and not kind.base_url:
            continue
        normal = base_url.read(kind, written).base_url
        assert base_url.read(kind, normal).base_url == normal


def test_a_server_that_refuses_unknown_members_gets_one_cap_and_no_stream_options() -> None:
    own = kinds()["mistral"].with_quirks(Provider(id="m", kind="mistral"))
    assert (own.output_caps, own.reports_stream_usage) == (("max_tokens",), False)
    said = Provider(id="m", kind="mistral", output_caps=("max_completion_tokens",), streams_only=True)
    kept = kinds()["mistral"].with_quirks(said)
    assert (kept.output_caps, kept.streams_only) == (("max_completion_tokens",), True)
    plain = Provider(id="o", kind="openai")
    assert kinds()["openai"].with_quirks(plain) == plain


def test_who_speaks_anthropics_format_gets_its_version_and_a_bearer() -> None:
    for kind in presets.KINDS:
        sent = dict(kind.make_headers("sk-1", Provider(id="x", kind=kind.name), []))
        assert sent[b"authorization"] == b"Bearer sk-1"
        assert (b"anthropic-version" in sent) is ("anthropic_messages" in kind.speaks)


def test_every_vendor_of_rules_and_of_errors_is_in_the_table() -> None:
    assert set(RULES) <= set(NAMES)
    recorded = {file.stem for file in (Path(__file__).parent / "errors").glob("*.jsonl")}
    assert set(NAMES) <= recorded, "each has its documented errors"


def test_a_rule_that_blames_more_than_the_request_looks_at_the_beginning() -> None:
    wide = [
        (name, one.says.pattern)
        for name, rules in RULES.items()
        for one in rules
        if one.says is not None and one.means not in ("too_large", "too_long", "policy", "bad_request")
        if re.match(r"\.\*|\(\?:\.\*", one.says.pattern)
    ]
    assert wide == []
