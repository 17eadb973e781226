"""The models list as OpenAI writes it, and what this platform adds: group, tags, description, a `tollhouse` member."""

from collections.abc import Sequence

import msgspec

from tollhouse.core.entry import ModelEntry

_encode = msgspec.json.Encoder().encode


def models(entries: Sequence[ModelEntry]) -> bytes:
    """The body of `GET /v1/models`, in the order given."""
    return _encode({"object": "list", "data": [_model(entry) for entry in entries]})


def model(entry: ModelEntry) -> bytes:
    """The body of `GET /v1/models/{id}`."""
    return _encode(_model(entry))


def _model(entry: ModelEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "object": "model",
        "created": entry.created,
        "owned_by": entry.owned_by,
        "group": entry.group,
        "tags": entry.tags,
        "description": entry.description,
        "tollhouse": {
            "context_tokens": entry.context_tokens,
            "max_output_tokens": entry.max_output_tokens,
            "prices": entry.prices,
            "modalities": entry.modalities,
            "retires_at": entry.retires_at,
        },
    }
