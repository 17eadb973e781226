"""The top-level members of a request, by what they can do to its cost: data only, `request` and `input_bounds` read it.

A member that stands nowhere here is unknown: it may be a vendor's switch for a search or for a longer answer, so a call
with one is held for the model's whole context and its longest answer. A member is added to `HARMLESS` only where a
vendor documents it, and where it can make no call read or write more than its own bytes and its cap.
Read in: OpenAI's and OpenRouter's API description, the parameter pages of xAI, Qwen (DashScope), DeepSeek, Mistral,
Groq, Together, Fireworks, vLLM, and Gemini's and Anthropic's compatible endpoints.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tollhouse.core.operation import Operation

CAPS: Final[Mapping[Operation, tuple[str, ...]]] = MappingProxyType(
    {
        "chat": ("max_completion_tokens", "max_tokens"),
        "completions": ("max_tokens",),
        "responses": ("max_output_tokens",),
        "embeddings": (),
        "moderations": (),
        "rerank": (),
        "images": (),
        "speech": (),
        "image_edits": (),
        "image_variations": (),
        "transcriptions": (),
        "translations": (),
    }
)
"""Caps of the output that are sent to a provider, and so bound an answer."""

OTHER_CAPS: Final = frozenset(
    (
        *("maxtokens", "maxcompletiontokens", "maxoutputtokens", "maxnewtokens", "maxlength", "maxlen", "maxgenlen"),
        *("maxtokenstosample", "maxtokencount", "maxgenerationtokens", "maxoutputlength", "maxcompletionlength"),
        *("maxanswertokens", "maxdecodetokens", "maxresponsetokens", "numpredict", "npredict", "tokenstogenerate"),
        *("outputlen", "outputlength"),
    )
)
"""Names, folded, by which some server takes a cap of the output. None of them is trusted to bound an answer; each is
held for."""

COUNTS: Final = frozenset(
    (
        *("n", "bestof", "numreturnsequences", "numcompletions", "numgenerations", "numoutputs", "numsamples"),
        *("candidatecount", "numcandidates", "samples", "numchoices", "beamwidth", "numbeams"),
    )
)
"""Names, folded, of the number of answers to be generated."""

TIERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "servicetier": frozenset(("auto", "default", "standard", "standard_only", "null")),
        "processingtier": frozenset(("auto", "default", "standard")),
        "latencytier": frozenset(("auto", "default", "standard")),
        "tier": frozenset(("auto", "default", "standard")),
        "speed": frozenset(("auto", "default", "standard", "normal")),
        "fastmode": frozenset(("off",)),
        "inferencegeo": frozenset(("auto", "default", "global", "not_available")),
        "inferenceregion": frozenset(("auto", "default", "global")),
        "latency": frozenset(("auto", "default", "standard")),
        "performance": frozenset(("auto", "default", "standard")),
        "performanceconfig": frozenset(),
        "performanceconfiglatency": frozenset(("auto", "default", "standard")),
        "priority": frozenset(("default", "normal", "standard", "0")),
        "batch": frozenset(),
        "flex": frozenset(),
    }
)
"""Members, folded, that change what a provider bills, with the values that do not: OpenAI's `service_tier`, Anthropic's
`speed` and `inference_geo`, Bedrock's `performanceConfig`, the queue's `priority` of vLLM and others."""

PROVIDER_PREFERENCES: Final = frozenset(("data_collection", "zdr", "require_parameters", "enforce_distillable_text"))
"""What passes of OpenRouter's `provider`: what a server may do with the text. The rest chooses among dearer and cheaper
servers (`sort`, `order`, `max_price`, ...), which is the operator's to choose; it is dropped."""

LATER: Final = frozenset(("background", "deferred", "async"))
"""Members, folded, that ask for an answer which is fetched later, by a route that does not exist here."""

_OTHER_MODELS: Final = frozenset(
    ("fallbacks", "contextwindowfallbacks", "contentpolicyfallbacks", "preset", "engine", "deployment", "deploymentid")
)
_MODEL_ENDINGS: Final = ("model", "models", "modelid", "modelids", "modelname", "modelnames")


def names_models(folded_name: str) -> bool:
    """Whether a provider may be told by this member which other models are to answer, or to look at the call beside the
    one that does (OpenRouter, LiteLLM, Vercel; Together's `safety_model`): ones that the key may not call, at prices
    that nobody pays here. Such members are dropped, and the answer says so."""
    return folded_name in _OTHER_MODELS or folded_name.endswith(_MODEL_ENDINGS)


READS_MORE: Final = frozenset(
    (
        *("previous_response_id", "conversation", "web_search_options", "search_parameters", "enable_search"),
        *("search_options", "search_settings", "plugins", "documents", "cached_content", "mm_processor_kwargs"),
        *("chat_template", "data_sources", "web_search", "safe_prompt", "prompt_mode", "guardrails", "instruction"),
        "session_id",
    )
)
"""Members that have a provider read more than it was sent, and write no more than it may."""

_ANY: Final = ("model", "user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "trace")
_SAMPLING: Final = (
    *("temperature", "top_p", "top_k", "top_a", "min_p", "typical_p", "frequency_penalty", "presence_penalty"),
    *("repetition_penalty", "length_penalty", "repeat_penalty", "logit_bias", "seed", "random_seed", "stop"),
    *("logprobs", "top_logprobs", "prompt_logprobs", "stop_token_ids", "stop_sequences", "bad_words"),
    *("allowed_token_ids", "ignore_eos", "early_stopping", "skip_special_tokens", "spaces_between_special_tokens"),
    *("include_stop_str_in_output", "mirostat_target", "mirostat_lr", "mirostat_tau", "mirostat_eta", "mirostat"),
    *("min_tokens", "add_special_tokens", "truncate_prompt_tokens", "prompt_truncate_len"),
    "context_length_exceeded_behavior",
    *("return_tokens_as_token_ids", "return_token_ids", "cache_salt", "request_id"),
    *("guided_json", "guided_regex", "guided_choice", "guided_grammar", "guided_decoding_backend", "ebnf", "regex"),
    *("guided_whitespace_pattern", "structured_outputs", "json_schema", "response_format", "raw_output"),
    *("perf_metrics_in_response", "prompt_cache_isolation_key", "cache_prompt", "cache_control"),
    *("stream", "stream_options", "incremental_output", "usage", "transforms", "route", "max_tool_calls"),
    *("n", "best_of", "thinking", "thinking_budget", "enable_thinking", "prediction", "modalities"),
)
_TALK: Final = (
    *("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "disable_tool_validation"),
    *("reasoning", "reasoning_effort", "include_reasoning", "reasoning_format", "reasoning_split", "verbosity"),
    *("reasoning_history", "preserve_thinking", "output_config", "store", "audio", "chat_template_kwargs"),
    *("add_generation_prompt", "continue_final_message", "translation_options", "vl_high_resolution_images"),
    "citation_options",
)
HARMLESS: Final[Mapping[Operation, frozenset[str]]] = MappingProxyType(
    {
        "chat": frozenset((*_ANY, *_SAMPLING, *_TALK, *CAPS["chat"], "messages", "style")),
        "completions": frozenset((*_ANY, *_SAMPLING, *CAPS["completions"], "prompt", "suffix", "echo")),
        "responses": frozenset(
            (*_ANY, *_SAMPLING, *_TALK, *CAPS["responses"], "input", "instructions", "include", "text", "truncation")
        ),
        "embeddings": frozenset(
            (
                *(*_ANY, "input", "encoding_format", "dimensions", "stream", "stream_options"),
                *("input_type", "truncate", "truncation", "truncate_prompt_tokens", "task", "late_chunking"),
                *("normalized", "normalize", "embedding_type", "embedding_types", "embedding_format"),
                *("output_dimension", "output_dtype", "text_type", "output_type", "add_special_tokens"),
                *("return_tokens_as_token_ids", "request_id"),
            )
        ),
        "moderations": frozenset((*_ANY, "input", "stream", "stream_options")),
        "rerank": frozenset(
            (
                *(*_ANY, "query", "documents", "top_n", "top_k", "return_documents", "max_chunks_per_doc"),
                *("max_tokens_per_doc", "overlap_tokens", "rank_fields", "truncation", "truncate"),
                *("truncate_prompt_tokens", "raw_scores", "instruction", "return_embeddings"),
            )
        ),
        "images": frozenset(
            (
                *(*_ANY, "prompt", "n", "size", "quality", "style", "response_format", "background", "moderation"),
                *("output_format", "output_compression", "partial_images", "stream", "frame_count"),
                "svg",
                *("frame_duration_ms", "seed", "negative_prompt", "guidance_scale", "watermark"),
            )
        ),
        "image_edits": frozenset(
            (
                *(*_ANY, "prompt", "n", "size", "quality", "response_format", "background", "input_fidelity"),
                *("output_format", "output_compression", "partial_images", "stream", "frame_count", "moderation"),
                *("frame_duration_ms", "svg", "seed"),
            )
        ),
        "image_variations": frozenset((*_ANY, "n", "size", "response_format")),
        "transcriptions": frozenset(
            (
                *(*_ANY, "language", "languages", "prompt", "response_format", "temperature", "stream", "include"),
                *("timestamp_granularities", "chunking_strategy", "known_speaker_names", "known_speaker_references"),
                *("keywords", "diarize", "vad_filter", "hotwords", "seed"),
            )
        ),
        "translations": frozenset((*_ANY, "prompt", "response_format", "temperature", "language")),
        "speech": frozenset(
            (
                *(*_ANY, "input", "voice", "instructions", "response_format", "speed", "stream_format"),
                *("sample_rate", "gain", "language", "seed", "temperature"),
            )
        ),
    }
)
"""Members of each operation that are documented and cost nothing beyond their bytes, or are read by `request`."""


INNER: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "reasoning": frozenset(
            ("effort", "max_tokens", "exclude", "enabled", "summary", "generate_summary", "encrypted_content")
        ),
        "thinking": frozenset(("type", "budget_tokens", "display", "keep", "clear_thinking")),
        "output_config": frozenset(("effort", "format")),
        "chat_template_kwargs": frozenset(("add_generation_prompt", "continue_final_message", "preserve_thinking")),
        "audio": frozenset(("voice", "format")),
        "usage": frozenset(("include",)),
        "cache_control": frozenset(("type", "ttl")),
    }
)
"""What is known inside of members that steer how long a model thinks, or hold settings of their own; anything else in
them that is not off is unknown, as is `enable_thinking` for a template: its thoughts may lie beside the cap."""


def folded(name: str) -> str:
    """A name without case, `_` and `-`: `maxOutputTokens`, `max_output_tokens` and `MAX-OUTPUT-TOKENS` are one."""
    return name.casefold().replace("_", "").replace("-", "")
