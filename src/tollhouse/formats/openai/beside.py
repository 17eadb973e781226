"""What stands beside the choices of an answer: what clients read passes, what tells whose servers they are does not.

Members of the protocol, and those that vendors document for clients, pass as they came (`PASS`), and so do references
by any name (`sources`, `web_results`). Members that name the upstream, its machines or its own ids are left out
(`UPSTREAM`), wherever they stand. Any other is read: its texts are cleaned like those of an error. The table stands in
docs/answers.md.
"""

import re
from typing import Final

import msgspec

from tollhouse.core.cleaning import Known, clean_whole
from tollhouse.core.reported_error import failure_of
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.chunk import Object

PASS: Final = frozenset(
    (
        *("id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint", "obfuscation"),
        *("data", "results", "error", "type"),
        *("prompt_filter_results", "prompt_annotations", "content_filter_results", "content_filter"),
        *("citations", "search_results", "images", "videos", "related_questions", "web_search", "search_info"),
        *("timings", "prompt_progress", "time_info", "stats", "perf_metrics", "usage_breakdown", "response_ms"),
        *("prompt_logprobs", "prompt_token_ids", "token_ids", "prompt", "raw_output", "completion_probabilities"),
        *("input_sensitive", "output_sensitive", "input_sensitive_type", "output_sensitive_type", "created_at"),
        *("output_sensitive_int", "moderation_hit_type", "need_clear_history", "is_truncated", "is_end", "seed"),
        *("vertex_ai_grounding_metadata", "vertex_ai_url_context_metadata", "vertex_ai_citation_metadata"),
        *("vertex_ai_safety_results", "extra_content", "tool_calls", "reasoning_details", "video_result"),
    )
)
PASS_OF_RESPONSES: Final = frozenset(
    (
        *("id", "object", "created_at", "completed_at", "status", "error", "incomplete_details", "model", "output"),
        *("usage", "tool_usage", "instructions", "input", "metadata", "user", "tools", "tool_choice", "text", "prompt"),
        *(
            "parallel_tool_calls",
            "max_output_tokens",
            "max_tool_calls",
            "temperature",
            "top_p",
            "top_logprobs",
            "top_k",
        ),
        *("frequency_penalty", "presence_penalty", "previous_response_id", "conversation", "reasoning", "truncation"),
        *("background", "store", "include", "service_tier", "safety_identifier", "prompt_cache_key", "billing"),
        *("prompt_cache_retention", "prompt_cache_options", "prompt_cache_diagnostics", "moderation", "image"),
        *("input_transformations", "access_programs", "context_management", "output_text", "content_filters"),
        *("content_filter_results", "citations", "search_results", "created", "system_fingerprint", "sequence_number"),
    )
)
"""What a response holds beside its output, by OpenAI's own client, Azure, xAI and Open Responses."""
UPSTREAM: Final = frozenset(
    (
        *("provider", "providers", "provider_name", "provider_id", "provider_info", "provider_response", "vendor"),
        *("upstream", "upstream_model", "upstream_provider", "upstream_url", "upstream_id", "backend", "backend_id"),
        *("server", "server_id", "server_name", "served_by", "node", "node_id", "host", "hostname", "host_name", "ip"),
        *("worker", "worker_id", "pod", "pod_name", "cluster", "instance", "instance_id", "machine", "replica", "gpu"),
        *("service", "service_name", "region", "zone", "datacenter", "deployment", "deployment_id", "endpoint"),
        *("endpoint_id", "gateway", "route", "router", "routing", "router_metadata", "channel", "channel_id"),
        *("debug", "debug_info", "debug_output", "verbose", "trace", "trace_id", "traceback", "stack", "span_id"),
        *("request_id", "x_request_id", "log_id", "correlation_id", "ray_id", "generation_id", "header_values"),
        *("headers", "response_headers", "hidden_params", "kv_transfer_params", "remote_host", "remote_port"),
        *("openrouter_metadata", "provider_metadata", "provider_specific_fields", "litellm_metadata", "model_group"),
        *("api_key", "key", "token", "api_base", "base_url", "url", "uri", "address", "account", "account_id", "org"),
        *("org_id", "organization", "organization_id", "tenant", "tenant_id", "project", "project_id", "user_id"),
        *("real_model", "actual_model", "origin_model", "original_model", "model_path", "model_id", "deployed_model"),
    )
)
_REFERENCES: Final = re.compile(
    r"(?:^|_)(?:citation|source|reference|web|search|grounding|annotation|image|video|related|link|document)s?(?:_|$)"
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DEPTH_MAX: Final = 8
_VALUES_MAX: Final = 256  # of one member; what has more is left out
_FITS_MAX: Final = 64
_DROPPED: Final = object()


class ExtraMembers:
    """The members of one answer, chunk after chunk: most vendors repeat theirs, so what became of the last is kept."""

    __slots__ = ("_fits", "_known", "_passes", "left_out")

    def __init__(self, known: Known, passes: frozenset[str] = PASS) -> None:
        """passes: the members that pass as they came."""
        self._known = known
        self._passes = passes
        self.left_out: tuple[bytes, ...] = ()  # the only bytes that the last lost, where it lost no more
        self._fits: dict[str, tuple[object, object]] = {}

    def fit(self, answer: Object, data: bytes) -> bytes:
        """Leave in a decoded answer or chunk what goes on, and give its bytes, which are `data` where nothing goes.
        Raises the failure that an error in a vendor's own member stands for."""
        self.left_out = ()
        passes = self._passes
        if passes.issuperset(answer):
            return data
        changed, gone = 0, {}
        for name in [name for name in answer if name not in passes]:
            value = answer[name]
            made = self._made(name, value)
            if made is _DROPPED:
                gone[name] = answer.pop(name)
            else:
                answer[name] = made
            changed += made is not value
        if not changed:
            return data
        raw = chunks.members_of(data, answer | gone)
        if changed == len(gone) == 1:
            (name,) = gone
            piece = _piece(data, name, raw[name])
            if piece:
                self.left_out = (piece,)
                return data.replace(piece, b"")
        return chunks.encode({name: raw.get(name, one) if name in passes else one for name, one in answer.items()})

    def _made(self, name: str, value: object) -> object:
        if value is None or isinstance(value, int | float):
            return value
        before = self._fits.get(name)
        if before is not None and before[0] == value:
            return value if before[1] is before[0] else before[1]
        if isinstance(value, dict) and value.get("error"):
            raise failure_of(value["error"], self._known)
        made = _fit(name, value, self._known)
        if name in self._fits or len(self._fits) < _FITS_MAX:
            self._fits[name] = (value, made)
        return made


def _piece(data: bytes, name: str, value: object) -> bytes:
    """A member with its comma, as it stands in an object; empty where that is not plain to see. No text holds it, for a
    text has a backslash before each of its quotes."""
    quoted = b'"%b"' % name.encode(errors="replace")
    if data.count(quoted) != 1:
        return b""
    raw = bytes(value) if isinstance(value, msgspec.Raw) else chunks.encode(value)
    member = rb"%b\s*:\s*%b" % (re.escape(quoted), re.escape(raw))
    found = re.findall(rb"%b\s*,\s*|\s*,\s*%b" % (member, member), data)
    return found[0] if len(found) == 1 else b""


def _fit(name: str, value: object, known: Known) -> object:
    plain = _plainly(name)
    if plain in UPSTREAM:
        return _DROPPED
    if plain in PASS or _REFERENCES.search(plain):
        return value
    made = _MemberCleaner(known).value(value, 0, inside_vendor=plain.startswith("x_"))
    return _DROPPED if made == {} and value else made


class _MemberCleaner:
    """One member; `_left`: values that may still be looked at."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._left = _VALUES_MAX

    def value(self, value: object, depth: int, *, inside_vendor: bool = False) -> object:
        self._left -= 1
        if self._left < 0 or depth > _DEPTH_MAX:
            return _DROPPED
        if isinstance(value, str):
            cleaned = clean_whole(value, self._known)
            return value if cleaned == value else cleaned
        if isinstance(value, list):
            return self._list(value, depth)
        return self._object(value, depth, inside_vendor=inside_vendor) if isinstance(value, dict) else value

    def _list(self, value: list[object], depth: int) -> object:
        made = [self.value(one, depth + 1) for one in value[: _VALUES_MAX + 1]]
        if self._left < 0 or len(value) > _VALUES_MAX:
            return _DROPPED
        made = [one for one in made if one is not _DROPPED]
        return value if len(made) == len(value) and all(map(_same, made, value)) else made

    def _object(self, value: Object, depth: int, *, inside_vendor: bool) -> object:
        made: Object = {}
        for name, one in value.items():
            plain = _plainly(name)
            if (plain in UPSTREAM and one is not None) or (inside_vendor and plain == "id"):
                continue
            kept = self.value(one, depth + 1)
            if kept is not _DROPPED:
                made[name] = kept
        if self._left < 0:
            return _DROPPED
        return value if len(made) == len(value) and all(map(_same, made.values(), value.values())) else made


def _same(one: object, other: object) -> bool:
    return one is other


def _plainly(name: str) -> str:
    """`requestId`, `Request-ID` and `_request_id` are `request_id`."""
    return _CAMEL.sub("_", name[:64]).replace("-", "_").lower().strip("_")
