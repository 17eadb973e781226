"""Buffered answers of `generateContent`: judged and read for what the gateway accounts for, and written with another
report, without what may not be told, or cut."""

from collections.abc import Callable, Iterable
from typing import Final

from tollhouse.core.cleaning import Known
from tollhouse.core.codec import ResponseSummary
from tollhouse.core.failure import UpstreamError
from tollhouse.core.media_tokens import PICTURE_TOKENS, sound_tokens
from tollhouse.core.provider_json import Object, decode_any, encode
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.text_cut import TextLocation, keep, tokens_of
from tollhouse.core.usage import Usage
from tollhouse.formats.gemini import finish, searches, usage
from tollhouse.formats.gemini.contents import object_under, objects, parts_of, text_under
from tollhouse.formats.gemini.spelling import snake, under, unknown

PASS: Final = frozenset(
    (
        *("candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId", "createTime"),
        "modelStatus",
    )
)
"""Members of an answer that go on to the caller as they came; others are left out."""


def read(body: bytes, known: Known) -> ResponseSummary:
    """Read the body of a 200. known: what tells which words of an error stay.

    Raises UpstreamError where it is no answer, and the failure that an error object stands for.
    """
    answer = decoded(body, known)
    report = under(answer, "usageMetadata")
    reasons = reasons_of(answer)
    return ResponseSummary(
        usage=usage.with_searches(usage.read(report), searches.count(candidates_of(answer))),
        raw_usage=None if report is None else encode(report),
        beside=bool(unknown(answer, PASS)),
        finish=reasons[0] if reasons else None,
        incomplete=finish.CUT in reasons,
    )


def decoded(body: bytes, known: Known) -> Object:
    """A body that answers. Raises as `read`."""
    answer = decode_any(body)
    if isinstance(answer, list) and len(answer) == 1:  # as an array of events begins
        (answer,) = answer
    if not isinstance(answer, dict):
        raise UpstreamError("The provider answered with something that is not a JSON object.")
    require_answer(answer, known)
    return answer


def require_answer(answer: Object, known: Known) -> None:
    """Raises UpstreamError for what has no candidates and does not say why, and the failure of an error."""
    error = error_in(answer)
    if error is None and not candidates_of(answer) and not block_reason(answer):
        error = error_in_event(answer, b"")
        if error is None:
            raise UpstreamError("The provider answered without 'candidates'.")
    if error is not None:
        raise failure_of(error, known)


def candidates_of(answer: Object) -> list[Object]:
    return objects(answer.get("candidates"))


def index_of(candidate: Object, place: int) -> int:
    """Which candidate it is; the first says nothing of it. place: where it stands, if nothing is said."""
    index = candidate.get("index")
    return index if type(index) is int and index >= 0 else place


def parts_in(candidate: Object) -> list[Object]:
    return parts_of(candidate.get("content"))


def block_reason(answer: Object) -> str:
    """Why the prompt is not answered at all; empty: it is."""
    return text_under(object_under(answer, "promptFeedback"), "blockReason")


def reasons_of(answer: Object) -> list[str]:
    """Why each candidate ended, or the prompt was not answered."""
    found = [text_under(candidate, "finishReason") for candidate in candidates_of(answer)]
    blocked = block_reason(answer)
    return [reason for reason in found if reason] or ([blocked] if blocked else [])


def response_text(body: bytes) -> tuple[str, Usage]:
    """All text that the model wrote in a body that was read, and what else it wrote as units."""
    answer = decode_any(body)
    candidates = [candidate for one in objects(answer) for candidate in candidates_of(one)]
    found = [part for candidate in candidates for part in parts_in(candidate)]
    sound, pictures = media_in(found)
    return text_of(found), Usage(
        audio_out=sound_tokens(sound), image_out=pictures * PICTURE_TOKENS, searches=searches.count(candidates)
    )


def locations(parts: Iterable[Object]) -> list[TextLocation]:
    """Every text that the model wrote: answers, thoughts, code, names and arguments of calls."""
    found: list[TextLocation] = []
    for part in parts:
        text = part.get("text")
        if isinstance(text, str) and text:
            found.append(TextLocation(part, "text", text))
        if len(part) == 1 and text is not None:  # by far the most frequent
            continue
        code = object_under(part, "executableCode")
        if written := text_under(code, "code"):
            found.append(TextLocation(code, "code", written))
        call = object_under(part, "functionCall")
        if call:
            name, arguments = text_under(call, "name"), call.get("args")
            if name:
                found.append(TextLocation(call, "name", name))
            if arguments:
                found.append(TextLocation(call, "args", encode(arguments).decode(errors="replace")))
    return found


def text_of(parts: Iterable[Object]) -> str:
    return "".join(location.text for location in locations(parts)).encode(errors="replace").decode()


def media_in(parts: Iterable[Object]) -> tuple[int, int]:
    """Characters of sound, in base64, and pictures."""
    sound = pictures = 0
    for part in parts:
        inline = object_under(part, "inlineData") if len(part) > 1 or "text" not in part else None
        if inline:
            data = text_under(inline, "data")
            if text_under(inline, "mimeType").lower().startswith("audio/"):
                sound += len(data)
            elif data:
                pictures += 1
    return sound, pictures


def with_usage(body: bytes, used: Usage) -> bytes:
    """A body that says what was charged for. All else stays as it came."""
    answer = objects(decode_any(body))[0]
    return encode(telling(answer, used))


def telling(answer: Object, used: Usage) -> Object:
    """An answer, or an event, with this report in place of its own."""
    rest = {name: value for name, value in answer.items() if name != snake("usageMetadata")}
    return {**rest, "usageMetadata": usage.write(used)}


def fit(body: bytes, known: Known) -> bytes:
    """A body of which only what may be told goes on."""
    return encode(fitted(objects(decode_any(body))[0]))


def fitted(answer: Object) -> Object:
    strange = unknown(answer, PASS)
    return {name: value for name, value in answer.items() if name not in strange} if strange else answer


def cut(body: bytes, maximum: int, count: Callable[[str], int]) -> tuple[bytes, Usage] | None:
    """The body cut to so many tokens by our count, and the output that is left. None: it has no more."""
    answer = objects(decode_any(body))[0]
    parts = [part for candidate in candidates_of(answer) for part in parts_in(candidate)]
    sound, pictures = media_in(parts)
    spoken, drawn = sound_tokens(sound), pictures * PICTURE_TOKENS
    text = text_of(parts)
    if tokens_of(text, count) + spoken + drawn <= maximum:
        return None
    if spoken + drawn > maximum:
        spoken = drawn = 0
        for part in parts:
            part.pop("inlineData", None)
            part.pop(snake("inlineData"), None)
    said = cut_parts(parts, maximum - spoken - drawn, count)
    for candidate in candidates_of(answer):
        content = candidate.get("content")
        if isinstance(content, dict):
            content["parts"] = [part for part in parts_of(content) if is_whole(part)]
        candidate["finishReason"] = finish.CUT
        candidate.pop(snake("finishReason"), None)
    return encode(answer), Usage(output=said, audio_out=spoken, image_out=drawn)


def cut_parts(parts: Iterable[Object], maximum: int, count: Callable[[str], int]) -> int:
    """Cut what the parts say to so many tokens. Gives how many are left. A call of which not all is left is no call:
    see `is_whole`."""
    return keep(locations(parts), maximum, count)


def is_whole(part: Object) -> bool:
    """Whether a part that was cut still says something."""
    call = under(part, "functionCall")
    if isinstance(call, dict) and not (call.get("name") and isinstance(call.get("args", {}), dict | None)):
        return False
    return bool(part) and (part.get("text") != "" or len(part) > 1)
