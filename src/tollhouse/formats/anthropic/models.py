"""The models list as Anthropic writes it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from tollhouse.core.entry import ModelEntry

_encode = msgspec.json.Encoder().encode


def models(entries: Sequence[ModelEntry], has_more: bool = False) -> bytes:
    """The body of `GET /v1/models`: one page; ids at its ends are null when it is empty."""
    data = [_model(entry) for entry in entries]
    first, last = (entries[0].id, entries[-1].id) if entries else (None, None)
    return _encode({"data": data, "has_more": has_more, "first_id": first, "last_id": last})


def model(entry: ModelEntry) -> bytes:
    """The body of `GET /v1/models/{id}`."""
    return _encode(_model(entry))


def _model(entry: ModelEntry) -> dict[str, object]:
    return {
        "type": "model",
        "id": entry.id,
        "display_name": entry.id,
        "created_at": f"{datetime.fromtimestamp(entry.created, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "max_input_tokens": entry.context_tokens,
        "max_tokens": entry.max_output_tokens,
    }
