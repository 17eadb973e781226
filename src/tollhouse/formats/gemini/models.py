"""The models list as Google writes it: names with `models/` in front, limits as token counts, methods by name."""

from collections.abc import Mapping, Sequence

import msgspec

from tollhouse.core.entry import ModelEntry

_encode = msgspec.json.Encoder().encode

_METHODS: Mapping[str, tuple[str, ...]] = {
    "chat": ("generateContent", "streamGenerateContent", "countTokens"),
    "embeddings": ("embedContent", "batchEmbedContents"),
}


def models(entries: Sequence[ModelEntry], next_page_token: str | None = None) -> bytes:
    """The body of `GET /v1beta/models`: one page; the token leads to the next, if there is one."""
    body: dict[str, object] = {"models": [_model(entry) for entry in entries]}
    if next_page_token is not None:
        body["nextPageToken"] = next_page_token
    return _encode(body)


def model(entry: ModelEntry) -> bytes:
    """The body of `GET /v1beta/models/{id}`."""
    return _encode(_model(entry))


def _model(entry: ModelEntry) -> dict[str, object]:
    operations = entry.operations or tuple(_METHODS)
    body: dict[str, object] = {
        "name": f"models/{entry.id}",
        "baseModelId": entry.id,
        "version": "001",
        "displayName": entry.id,
        "description": entry.description,
        "supportedGenerationMethods": [method for name in operations for method in _METHODS.get(name, ())],
    }
    if entry.context_tokens is not None:
        body["inputTokenLimit"] = entry.context_tokens
    if entry.max_output_tokens is not None:
        body["outputTokenLimit"] = entry.max_output_tokens
    return body
