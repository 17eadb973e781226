"""Google's Gemini API (AI Studio): the model and whether to stream stand in the path, the key in `x-goog-api-key`.

A base URL may end with any version (`/v1beta`, `/v1`, `/v1alpha`); `/v1beta` is added where it has none.
"""

from collections.abc import Collection
from typing import Final
from urllib.parse import quote

from tollhouse.core.catalogue import TextFormat
from tollhouse.core.operation import Operation
from tollhouse.providers.base_path import versioned
from tollhouse.providers.error_rules import reader
from tollhouse.providers.google_errors import RULES, retry_delay
from tollhouse.providers.headers import with_key_in
from tollhouse.providers.kind import Kind, UpstreamTarget
from tollhouse.providers.targets import spoken

_FORMATS: Final[tuple[TextFormat, ...]] = ("gemini_content",)


def target(operation: Operation, model: str, stream: bool, speaks: Collection[TextFormat]) -> UpstreamTarget | None:
    """See `Kind.target`. Embeddings are asked for in batches, which hold one text as well."""
    at = f"/models/{quote(model.removeprefix('models/'), safe='')}"
    if operation == "embeddings":
        return UpstreamTarget(f"{at}:batchEmbedContents", "gemini_embeddings")
    if spoken(operation, speaks, _FORMATS) is None:
        return None
    return UpstreamTarget(f"{at}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}", "gemini_content")


KIND: Final = Kind(
    name="gemini",
    title="Google Gemini",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    base_path=versioned("/v1beta"),
    speaks=_FORMATS,
    target=target,
    make_headers=with_key_in(b"x-goog-api-key"),
    read_error=reader(*RULES, waiting=retry_delay),
)
