"""Answers of operations that are no conversation: rankings, pictures, speech."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from tollhouse.core.failure import BadRequest
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.operation import Operation
from tollhouse.core.tokens import TokenCounter
from tollhouse.core.upstream import Piece
from tollhouse.core.usage import Usage
from tollhouse.formats.openai.beside_text import images, rerank, speech
from tollhouse.formats.openai.beside_text.operations import CODECS
from tollhouse.upstream.simulator import words
from tollhouse.upstream.simulator.bounds import TEXT_MAX, require
from tollhouse.upstream.simulator.composer import (
    EVENTS,
    JSON,
    SimulatedBody,
    cut_buffered,
    cut_stream,
    refusal,
)
from tollhouse.upstream.simulator.forms import read_form
from tollhouse.upstream.simulator.pictures_and_sound import CHARACTERS_A_SECOND, png, scores, sound
from tollhouse.upstream.simulator.script import Script
from tollhouse.upstream.simulator.transcripts import write_down

OPERATIONS: Final[frozenset[Operation]] = frozenset(
    ("rerank", "images", "speech", "image_edits", "image_variations", "transcriptions", "translations")
)
_DOCUMENTS_MAX: Final = 2_048
_PICTURES_MAX: Final = 10
_SIDE_MAX: Final = 4_096
_PIXELS_MAX: Final = 10 * 1536 * 1024
_CHARACTERS_MAX: Final = 20_000
_SOUND_TOKENS_A_SECOND: Final = 20
_PARTIAL_TOKENS: Final = 100
_READ_TOKENS: Final = 323  # of a picture that is edited
_SIZE: Final = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")
_TOKENS_OF_A_PICTURE: Final = {"low": 272, "medium": 1_056, "high": 4_160}
_OF_A_LARGER_ONE: Final = {"low": 408, "medium": 1_584, "high": 6_240}
_PLAIN_PIXELS: Final = 1024 * 1024
_HTML: Final = (b"content-type", b"text/html")

_Object = dict[str, Any]


def compose(
    operation: Operation,
    body: bytes,
    upload: Sequence[Piece],
    script: Script,
    counter: TokenCounter,
    created: int,
) -> SimulatedBody:
    """Raises BadRequest and UnsupportedParameter, as the original words it. upload: of a form that is not in `body`."""
    if script.status is not None and script.status != 200:
        return refusal(script.status)
    if operation not in _READ:
        return _of_form(operation, body, upload, script, counter, created)
    request = _READ[operation](body)
    members: _Object = {name: msgspec.json.decode(raw) for name, raw in request.members.items()}
    return _COMPOSE[operation](request, members, script, counter, created)


def _of_form(
    operation: Operation,
    body: bytes,
    upload: Sequence[Piece],
    script: Script,
    counter: TokenCounter,
    created: int,
) -> SimulatedBody:
    form, spool = read_form(body, upload)
    codec = _FORMS[operation]
    assert codec.form is not None
    request = codec.form.read(form)
    members: _Object = {name: msgspec.json.decode(raw) for name, raw in request.members.items()}
    asked, seed = codec.input_bounds(request), words.digest(operation, request.model, spool.digest)
    if codec.draws:
        prompt = counter.count(str(members.get("prompt", "")), request.model)
        usage = Usage(input=prompt, image_in=_READ_TOKENS * len(form.files))
        return draw(request, members, script, created, seed, usage, "image_edit")
    return write_down(seed, asked, members, request.model, request.stream, script, counter)


def _rerank(
    request: ModelRequest, members: _Object, script: Script, counter: TokenCounter, created: int
) -> SimulatedBody:
    documents = members["documents"]
    require(len(documents), _DOCUMENTS_MAX, "documents", "documents")
    texts, query = [_text(one) for one in documents], _text(members["query"])
    if len(query) + sum(map(len, texts)) > TEXT_MAX:
        raise BadRequest(f"The simulator reads at most {TEXT_MAX:,} characters of text a call.")
    found = sorted(enumerate(scores(query, texts)), key=lambda one: one[1], reverse=True)
    results: list[_Object] = [{"index": index, "relevance_score": score} for index, score in found]
    if members.get("return_documents"):
        for one in results:
            one["document"] = {"text": texts[one["index"]]}
    answer: _Object = {"model": request.model, "results": results[: members.get("top_n") or len(results)]}
    if not script.no_usage:
        tokens = counter.count(query, request.model) * len(texts) + counter.count("\n".join(texts), request.model)
        answer["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    return cut_buffered(SimulatedBody(200, [JSON], [msgspec.json.encode(answer)]), script)


def _text(value: object) -> str:
    if isinstance(value, dict):
        return next((one for one in value.values() if isinstance(one, str)), "")
    return value if isinstance(value, str) else ""


def _images(
    request: ModelRequest, members: _Object, script: Script, counter: TokenCounter, created: int
) -> SimulatedBody:
    seed = words.digest("images", request.model, str(members.get("prompt", "")))
    usage = Usage(input=counter.count(str(members.get("prompt", "")), request.model))
    return draw(request, members, script, created, seed, usage, "image_generation")


def draw(
    request: ModelRequest, members: _Object, script: Script, created: int, seed: str, usage: Usage, kind: str
) -> SimulatedBody:
    """Pictures as a body, or as events. usage: of the input."""
    count, (width, height) = request.choices, _size(members.get("size"))
    require(count, _PICTURES_MAX, "pictures", "n")
    require(count * width * height, _PIXELS_MAX, "pixels (of all pictures)", "size")
    quality = members.get("quality")
    table = _TOKENS_OF_A_PICTURE if width * height <= _PLAIN_PIXELS else _OF_A_LARGER_ONE
    tokens = table.get(str(quality), table["medium"])
    pictures = [b64encode(png(f"{seed}{at}", width, height)).decode() for at in range(count)]
    told = {"background": "opaque", "output_format": "png", "size": f"{width}x{height}"}
    told["quality"] = str(quality) if quality in table else "medium"
    if request.stream:
        partial = members.get("partial_images") or 0
        report = msgspec.structs.replace(usage, image_out=tokens + partial * _PARTIAL_TOKENS)
        events = _events(kind, pictures, partial, {"created_at": created, **told}, None if script.no_usage else report)
        return cut_stream(SimulatedBody(200, [EVENTS], events), script)
    as_url = members.get("response_format") == "url"
    data = [{"url": f"data:image/png;base64,{one}"} if as_url else {"b64_json": one} for one in pictures]
    answer: _Object = {"data": data, "created": created, **told}
    if not script.no_usage:
        answer["usage"] = images.write_usage(msgspec.structs.replace(usage, image_out=tokens * count))
    return cut_buffered(SimulatedBody(200, [JSON], [msgspec.json.encode(answer)]), script)


def _events(kind: str, pictures: list[str], partial: int, told: _Object, usage: Usage | None) -> Iterator[bytes]:
    """One picture after the other; the input is read for the first alone."""
    for place, picture in enumerate(pictures):
        for at in range(partial):
            part = {"b64_json": picture, "partial_image_index": at}
            yield _event(f"{kind}.partial_image", {**told, **part})
        report = usage if usage is None or not place else Usage(image_out=usage.image_out)
        reported = {} if report is None else {"usage": images.write_usage(report)}
        yield _event(f"{kind}.completed", {**told, "b64_json": picture, **reported})


def _event(kind: str, members: _Object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **members}))


def _size(value: object) -> tuple[int, int]:
    if value in (None, "auto"):
        return 1024, 1024
    sides = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if sides is None or not all(16 <= int(side) <= _SIDE_MAX for side in sides.groups()):
        raise BadRequest(f"'size' must be 'auto' or WIDTHxHEIGHT, each from 16 to {_SIDE_MAX}.", param="size")
    return int(sides[1]), int(sides[2])


def _speech(
    request: ModelRequest, members: _Object, script: Script, counter: TokenCounter, created: int
) -> SimulatedBody:
    text, form = members["input"], members.get("response_format") or "mp3"
    require(len(text), _CHARACTERS_MAX, "characters", "input")
    seconds = len(text) / CHARACTERS_A_SECOND
    pieces = sound(words.digest("speech", request.model, text), seconds, form)
    if script.malformed:
        return SimulatedBody(200, [_HTML], [b"<html>simulated</html>"])
    if not request.as_events:
        return cut_stream(SimulatedBody(200, [(b"content-type", speech.TYPES[form])], pieces), script)
    usage = Usage(input=counter.count(text, request.model), audio_out=max(1, round(seconds * _SOUND_TOKENS_A_SECOND)))
    return cut_stream(SimulatedBody(200, [EVENTS], _spoken(pieces, None if script.no_usage else usage)), script)


def _spoken(pieces: Iterable[bytes], usage: Usage | None) -> Iterator[bytes]:
    for piece in pieces:
        yield _event("speech.audio.delta", {"audio": b64encode(piece).decode()})
    told = {}
    if usage is not None:
        read, wrote = usage.tokens_in(), usage.tokens_out()
        told = {"usage": {"input_tokens": read, "output_tokens": wrote, "total_tokens": read + wrote}}
    yield _event("speech.audio.done", told)


_FORMS: Final = {codec.operation: codec for codec in CODECS if codec.form is not None}
_READ: Final = {"rerank": rerank.read, "images": images.read, "speech": speech.read}
_COMPOSE: Final = {"rerank": _rerank, "images": _images, "speech": _speech}
