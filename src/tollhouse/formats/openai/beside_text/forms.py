"""Requests that come as forms: their fields as members, judged like those of a body, and the form written anew.

A field that decides something comes once and plainly: neither `model[]` nor a second `model` reaches a provider.
"""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec
from msgspec import Raw

from tollhouse.core.failure import BadRequest
from tollhouse.core.form import FormFile, UploadedForm
from tollhouse.core.members import Members
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.operation import Operation
from tollhouse.core.raw_members import missing
from tollhouse.core.spool import SpooledBytes
from tollhouse.core.upstream import Buffer, Piece
from tollhouse.formats.openai.beside_text.reading import of_members

_ONCE: Final = frozenset(
    (
        *("model", "stream", "n", "size", "quality", "prompt", "response_format", "output_format", "partial_images"),
        *("language", "temperature", "user", "input_fidelity", "frame_count", "background"),
    )
)
_FLAGS: Final[Mapping[str, bytes]] = {"true": b"true", "1": b"true", "false": b"false", "0": b"false", "": b"false"}
_OF_FLAGS: Final = frozenset(("stream",))
_OF_FIGURES: Final = frozenset(("n", "partial_images", "frame_count"))
_encode = msgspec.json.Encoder().encode


def opened(operation: Operation, form: UploadedForm) -> tuple[ModelRequest, Members]:
    """A request with what every operation reads, and its fields as members. Raises BadRequest and
    UnsupportedParameter."""
    request, present = of_members(operation, _members(form), form.size())
    request.form = form
    return request, present


def _members(form: UploadedForm) -> Members:
    texts: dict[str, list[str]] = {}
    for name, text in form.fields:
        base = name.partition("[")[0]
        if base != name and base.casefold() in _ONCE:
            raise BadRequest(f"'{name}' must be written as '{base}'.", param=name)
        texts.setdefault(base, []).append(text)
    for name in _ONCE & texts.keys():
        if len(texts[name]) > 1:
            raise BadRequest(f"'{name}' comes {len(texts[name])} times in this form, and may come once.", param=name)
    return {name: _raw(name, values) for name, values in texts.items()}


def _raw(name: str, values: list[str]) -> Raw:
    text = values[0]
    if name in _OF_FLAGS:
        return Raw(_FLAGS.get(text.strip().lower(), _encode(text)))
    if name in _OF_FIGURES and text.isascii() and text.isdigit():
        return Raw(text.encode())
    return Raw(_encode(text if len(values) == 1 else values))


def files_of(form: UploadedForm, name: str, maximum: int, others: Collection[str] = ()) -> list[FormFile]:
    """The files of a name, at least one and at most so many; `name[]` is the same name. others: names of which one may
    come. Raises BadRequest."""
    found: list[FormFile] = []
    for file in form.files:
        base = file.name.partition("[")[0]
        if base == name:
            found.append(file)
        elif base not in others or any(one.name == file.name for one in form.files if one is not file):
            raise BadRequest(f"'{file.name}' is no file that can be sent here, or comes twice.", param=file.name)
    if not found:
        if any(field == name for field, _ in form.fields):
            raise BadRequest(f"'{name}' must be a file: its part has no filename.", param=name)
        raise missing(name)
    if len(found) > maximum:
        raise BadRequest(f"'{name}' comes {len(found)} times in this form, of at most {maximum}.", param=name)
    if not all(file.size for file in found):
        raise BadRequest(f"'{name}' is an empty file.", param=name)
    return found


def write_form(request: ModelRequest, model: str, stream: bool) -> list[Piece]:
    """See `core.codec.FormCodec`: every field as it came, but for what the gateway decides."""
    form = request.form
    assert form is not None, "it was read from one"
    fields: list[tuple[str, str]] = [("model", model)]
    for name, text in form.fields:
        base = name.partition("[")[0]
        if base in ("model", "stream") or base not in request.members:
            continue
        fields.append((name, text))
    if stream:
        fields.append(("stream", "true"))
    return form.written(fields)


def write(
    request: ModelRequest,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
    added_cap: int | None = None,
) -> list[Buffer]:
    """The same, its files read: for forms in memory."""
    pieces = write_form(request, model, stream)
    return [piece.read(len(piece)) if isinstance(piece, SpooledBytes) else piece for piece in pieces]
