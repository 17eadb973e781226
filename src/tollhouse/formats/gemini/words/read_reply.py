"""A provider's whole answer, read into core words."""

from hashlib import sha256
from typing import Final

from tollhouse.core.cleaning import Known, clean
from tollhouse.core.conversation import MediaPart, Opaque, Part, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.provider_json import Object, encode, json_object
from tollhouse.core.reply import Reply, ReplyChoice
from tollhouse.core.sound_text import sound_text
from tollhouse.formats.gemini import answer as answers
from tollhouse.formats.gemini import finish, usage
from tollhouse.formats.gemini.contents import object_under, text_under
from tollhouse.formats.gemini.signatures import opaque_of
from tollhouse.formats.gemini.spelling import under
from tollhouse.formats.gemini.words.grounding import read_citations
from tollhouse.formats.gemini.words.joining import joined
from tollhouse.formats.gemini.words.media import is_medium, kind_of, standard_base64
from tollhouse.formats.gemini.words.probabilities import read_probabilities

_NAME_SPACE: Final = ("default_api:", "default_api.")
"""What models write before the name of a function now and then: how Google's own prompt calls them."""


def read_reply(body: bytes, known: Known) -> Reply:
    """See `core.words.FormatWords.read_reply`."""
    answer = answers.decoded(body, known)
    report = under(answer, "usageMetadata")
    reply_id = sound_text(text_under(answer, "responseId"))
    candidates = sorted(
        enumerate(answers.candidates_of(answer)), key=lambda placed: answers.index_of(placed[1], placed[0])
    )
    choices = [_choice(candidate, reply_id, at, known) for at, (_, candidate) in enumerate(candidates)]
    return Reply(
        choices=choices or [ReplyChoice(parts=[blocked(answer, known)], finish="content_filter")],
        id=reply_id,
        model=sound_text(text_under(answer, "modelVersion")),
        usage=usage.read(report),
        raw_usage=None if report is None else encode(report),
    )


def _choice(candidate: Object, reply_id: str, at: int, known: Known) -> ReplyChoice:
    parts: list[Part] = []
    calls = 0
    reason = text_under(candidate, "finishReason")
    for part in answers.parts_in(candidate):
        found = read_part(part, f"{reply_id} {at} {calls}", reason)
        if found is not None:
            parts.append(found)
            calls += isinstance(found, ToolCall)
    parts = joined(parts)
    _cite(parts, candidate)
    if (refusal := unusable(reason, text_under(candidate, "finishMessage"), known)) is not None:
        parts.append(refusal)
    return ReplyChoice(
        parts=parts,
        finish=finish.finish_of(reason, calls=calls > 0) if reason else None,
        logprobs=read_probabilities(candidate),
    )


def read_part(part: Object, place: str, reason: str) -> Part | None:
    """A part of an answer; None: it says nothing. place: names a call among those of all answers. reason: why the
    answer ended, where that came with the part."""
    call = object_under(part, "functionCall")
    if call:
        return _call(call, place, opaque_of(part)) if reason.upper() not in finish.CALLS_NOTHING else None
    if is_medium(part):  # models show drafts among their thoughts
        return None if part.get("thought") is True else _medium(part)
    text, opaque = sound_text(text_under(part, "text")), opaque_of(part)
    if part.get("thought") is True and "text" in part:
        return Reasoning(text=text, opaque=opaque)
    if text or opaque is not None:
        return TextPart(text=text, opaque=opaque)
    return _run(part)


def _call(call: Object, place: str, opaque: Opaque | None) -> ToolCall:
    name, arguments = sound_text(text_under(call, "name")), under(call, "args")
    for space in _NAME_SPACE:
        name = name.removeprefix(space)
    if isinstance(arguments, str):  # servers that translate write JSON as they got it
        arguments = json_object(arguments) or {}
    text = sound_text(encode(arguments if isinstance(arguments, dict) else {}).decode())
    own_id = sound_text(text_under(call, "id")) or _made_id(place, name, text)
    return ToolCall(id=own_id, name=name, arguments=text, opaque=opaque)


def _medium(part: Object) -> MediaPart | None:
    """A picture: no other medium is asked for by those who speak another format, and no format has a place for it."""
    inline = object_under(part, "inlineData")
    media_type = text_under(inline or object_under(part, "fileData"), "mimeType").lower()
    data, url = standard_base64(text_under(inline, "data")), text_under(object_under(part, "fileData"), "fileUri")
    if not (data or url) or kind_of(media_type) != "image":
        return None
    return MediaPart(kind="image", data=data, url=url, media_type=media_type)


def _run(part: Object) -> TextPart | None:
    """Code that the provider ran, and what that gave, as text: other formats have no place for it."""
    code = object_under(part, "executableCode")
    if written := text_under(code, "code"):
        language = text_under(code, "language").lower().replace("language_unspecified", "") or "python"
        return TextPart(text=sound_text(f"\n```{language}\n{written.rstrip()}\n```\n"))
    result = object_under(part, "codeExecutionResult")
    if output := text_under(result, "output"):
        return TextPart(text=sound_text(f"\n```\n{output.rstrip()}\n```\n"))
    return None


def _made_id(place: str, name: str, arguments: str) -> str:
    """An id for a call without one: Gemini needs none, others find its result by it."""
    made = f"{place} {name} {arguments}".encode(errors="replace")
    return f"call_{sha256(made).hexdigest()[:24]}"


def _cite(parts: list[Part], candidate: Object) -> None:
    text = next((part for part in parts if isinstance(part, TextPart)), None)
    if text is not None and (citations := read_citations(candidate, text.text)):
        text.citations = citations


def unusable(reason: str, message: str, known: Known) -> Refusal | None:
    """What is said of an answer that nobody can use; None: it can be used."""
    words = finish.UNUSABLE.get(reason.upper())
    if words is None:
        return None
    said = clean(message, known) if message else ""
    return Refusal(text=said or words)


def blocked(answer: Object, known: Known) -> Refusal:
    """A prompt that is not answered says why."""
    feedback = object_under(answer, "promptFeedback")
    message = text_under(feedback, "blockReasonMessage")
    said = clean(message, known) if message else ""
    return Refusal(text=said or f"The provider does not answer this prompt: {answers.block_reason(answer)}.")
