"""Pictures made from a text: what a request asks for, and what an answer holds.

Models that bill tokens report them by modality; others bill the picture, and by some sizes and qualities more, which
need prices of their own (`unit_tier`). What a second model would bill beside the first (drawings as SVG) is refused.
"""

import re
from typing import Final

import msgspec
from msgspec import Raw

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.codec import ResponseSummary
from tollhouse.core.failure import UnsupportedParameter, UpstreamError
from tollhouse.core.media_tokens import PICTURE_TOKENS
from tollhouse.core.members import Members
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt
from tollhouse.core.raw_members import integer
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.beside import PASS, ExtraMembers
from tollhouse.formats.openai.beside_text.events import EventForm
from tollhouse.formats.openai.beside_text.reading import AFFINITY_BYTES, choice_of, flag_of, opened, text_of, texts_in
from tollhouse.formats.openai.usage import read as read_usage

FRAMES_MAX: Final = 16
"""Of a film as GIF, each drawn for itself."""
PIXELS_OF_A_PLAIN_PICTURE: Final = 1024 * 1024
_PLAIN_QUALITIES: Final = ("", "auto", "standard")
_SIZE: Final = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_TIER: Final = re.compile(r"[^a-z0-9_.-]")
_PASSES: Final = PASS | {"background", "output_format", "quality", "size"}
_TOLD: Final[tuple[str, ...]] = ("background", "output_format", "quality", "size")


def read(body: bytes) -> ModelRequest:
    """Raises BadRequest and UnsupportedParameter."""
    request, present = opened("images", body)
    text_of(present, "prompt")
    read_settings(request, present)
    return request


def read_settings(request: ModelRequest, present: Members) -> None:
    """What generations and edits share."""
    if "prompt" in present:
        request.affinity = bytes(memoryview(present["prompt"])[:AFFINITY_BYTES])
    if "n" in present:
        request.n = request.choices = max(integer(present["n"], "n"), request.n)
    format_ = choice_of(present, "output_format")
    for name in ("svg", "output_format"):
        if name in present and (name == "svg" or format_ == "svg"):
            raise UnsupportedParameter(
                f"'{name}' is not offered here: a drawing as SVG is written by a second model, which is billed beside.",
                param=name,
            )
    if format_ == "gif":
        request.n *= FRAMES_MAX
    request.stream = flag_of(present, "stream")
    quality, size = choice_of(present, "quality"), choice_of(present, "size")
    plain = quality in _PLAIN_QUALITIES
    if not _is_plain_size(size):
        request.unit_tier, request.unit_tier_param = f"{'standard' if plain else quality}-{size}", "size"
    elif not plain:
        request.unit_tier, request.unit_tier_param = quality, "quality"
    request.unit_tier = _TIER.sub("_", request.unit_tier[:40])


def _is_plain_size(size: str) -> bool:
    if size in ("", "auto"):
        return True
    sides = _SIZE.fullmatch(size)
    return sides is not None and int(sides[1]) * int(sides[2]) <= PIXELS_OF_A_PLAIN_PICTURE


def input_bounds(request: ModelRequest) -> InputBounds:
    return InputBounds(
        request.length, has_remote_input=request.reads_more, units=Usage(requests=1, images=request.choices)
    )


def prompt_of(request: ModelRequest, asked: InputBounds) -> Prompt:
    return Prompt(texts_in(request, ("prompt",)), 0)


def read_response(body: bytes, known: Known = NOTHING_KNOWN) -> ResponseSummary:
    """Raises UpstreamError for what holds no picture, and the failure that an error stands for."""
    members = _members(body)
    if "error" in members or "data" not in members:
        answer = chunks.decode(body)
        error = error_in(answer) or error_in_event(answer, b"")
        if error:
            raise failure_of(error, known)
    count = _pictures(members)
    if not count:
        raise UpstreamError("The provider answered without a picture.")
    reported = chunks.decode_any(bytes(members["usage"])) if "usage" in members else None
    usage = read_usage(reported, "image")
    return ResponseSummary(
        usage=None if usage is None else msgspec.structs.replace(usage, images=count),
        raw_usage=None if reported is None else chunks.encode(reported),
        beside=not _PASSES.issuperset(members),
    )


def _members(body: bytes) -> dict[str, Raw]:
    try:
        return msgspec.json.decode(body, type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamError("The provider answered with something that is not a JSON object.") from None


def _pictures(members: dict[str, Raw]) -> int:
    """Pictures that an answer holds; one that a filter has taken away is none."""
    try:
        data = msgspec.json.decode(members.get("data", Raw(b"[]")), type=list[dict[str, Raw]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0
    return sum(any(bytes(one.get(name, b"null")) != b"null" for name in ("b64_json", "url")) for one in data)


def fit(body: bytes, known: Known) -> bytes:
    return ExtraMembers(known, _PASSES).fit(chunks.decode(body), body)


def response_text(body: bytes) -> tuple[str, Usage]:
    count = _pictures(_members(body))
    return "", Usage(images=count, image_out=count * PICTURE_TOKENS)


def with_usage(body: bytes, usage: Usage) -> bytes:
    """The body with what was charged for. One that reported nothing has its price by the picture."""
    members = _members(body)
    if "usage" not in members:
        return body
    told: chunks.Object = {**members, "usage": write_usage(usage)}
    return chunks.encode(told)


def write_usage(usage: Usage) -> chunks.Object:
    """As pictures report it."""
    return {
        "input_tokens": usage.tokens_in(),
        "input_tokens_details": {"text_tokens": usage.input, "image_tokens": usage.image_in},
        "output_tokens": usage.tokens_out(),
        "output_tokens_details": {"text_tokens": usage.output, "image_tokens": usage.image_out},
        "total_tokens": usage.tokens_in() + usage.tokens_out(),
    }


def _weigh(event: chunks.Object) -> Usage:
    """A picture that is not finished is seen, too, and billed by some tokens."""
    if str(event.get("type")).endswith(".completed"):
        return Usage(images=1, image_out=PICTURE_TOKENS)
    return Usage()


def _text(event: chunks.Object) -> str:
    return ""


def _whole(ended: list[chunks.Object]) -> bytes:
    last = ended[-1]
    told: chunks.Object = {name: last[name] for name in (*_TOLD, "usage") if name in last}
    data: list[chunks.Object] = [{"b64_json": one.get("b64_json")} for one in ended]
    return chunks.encode({"created": last.get("created_at", 0), "data": data, **told})


def form(kind: str) -> EventForm:
    """The events of `image_generation` or `image_edit`."""
    return EventForm(
        prefixes=(f"{kind}.",), ends=(".completed",), writes="image", weigh=_weigh, text=_text, whole=_whole
    )


def unfold(kind: str, body: bytes) -> bytes:
    """The events of a body that `read_response` accepted: one a picture, the report on the last."""
    answer = chunks.decode(body)
    data = answer.get("data")
    pictures = [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []
    told: chunks.Object = {name: answer[name] for name in _TOLD if name in answer}
    events: list[chunks.Object] = [
        {"type": f"{kind}.completed", "created_at": answer.get("created", 0), **one, **told} for one in pictures
    ]
    usage = answer.get("usage")
    for event in events:
        event["usage"] = write_usage(Usage())
    if events:
        events[-1]["usage"] = usage
    return b"".join(b"event: %b\ndata: %b\n\n" % (str(one["type"]).encode(), chunks.encode(one)) for one in events)
