"""A provider's whole response, read into core words: its items are the parts of one answer."""

from typing import Final

from tollhouse.core.cleaning import Known
from tollhouse.core.conversation import MediaPart, Part, Refusal, TextPart, ToolCall
from tollhouse.core.failure import UpstreamError
from tollhouse.core.reply import Finish, Reply, ReplyChoice, TokenProbability
from tollhouse.core.sound_text import sound_text
from tollhouse.formats.openai import answer as answers
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.words import finish
from tollhouse.formats.openai.words.caller_tools import BUILT_IN, arguments_of, flat_name
from tollhouse.formats.openai.words.chat_reply import probabilities_of, text_of
from tollhouse.formats.openai.words.citations import citations_of, moved
from tollhouse.formats.openai.words.members import Object
from tollhouse.formats.openai.words.response_reasoning import reasoning_of

_TEXTS = ("output_text", "text")
BREAK: Final = "\n\n"
"""Between messages of one answer, which other formats tell as one."""


def read_reply(body: bytes, known: Known) -> Reply:
    """See `core.words.FormatWords.read_reply`."""
    summary = answers.read("responses", body, known)
    response = chunks.decode(summary.mended or body)
    if response.get("status") in ("cancelled", "canceled"):
        raise UpstreamError("The provider's answer was cancelled.")
    parts: list[Part] = []
    has_text = False
    logprobs: list[TokenProbability] = []
    for at, item in enumerate(items_of(response)):
        found = parts_of(item, f"{text_of(response.get('id'))}_{at}")
        if isinstance(first := found[0] if found else None, TextPart) and any(
            isinstance(one, TextPart) for one in parts
        ):
            first.text = BREAK + first.text
            first.citations = tuple(moved(one, len(BREAK)) for one in first.citations)
        has_text = has_text or any(isinstance(part, TextPart) for part in found)
        parts += found
        logprobs += _probabilities(item)
    calls, refuses = finish.holds(parts)
    ended = finish_of(response, calls=calls, refuses=refuses)
    choice = ReplyChoice(parts=parts, finish=ended, logprobs=logprobs or None)
    created = response.get("created_at")
    return Reply(
        choices=[choice],
        id=text_of(response.get("id")),
        model=text_of(response.get("model")),
        created=int(created) if isinstance(created, int | float) and created >= 0 else 0,
        usage=summary.usage,
        raw_usage=summary.raw_usage,
    )


def items_of(response: Object) -> list[Object]:
    output = response.get("output")
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []


def finish_of(response: Object, *, calls: bool, refuses: bool) -> Finish | None:
    """Why a response ended, by its status; None: it has none. calls, refuses: what it holds, which is the reason of one
    that is complete."""
    status = response.get("status")
    if status == "incomplete":
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return "content_filter" if reason == "content_filter" else "length"
    if status not in (None, "completed"):
        return None
    if calls:
        return "tool_calls"
    return "refusal" if refuses else "stop"


def parts_of(item: Object, made_id: str) -> list[Part]:
    """What an item says. made_id: the id of a call where the server gave none. What the vendor's own tools did is told
    by the model in words."""
    kind = item.get("type", "message")
    if kind == "message":
        return _said(item)
    if kind == "reasoning":
        thoughts = reasoning_of(item)
        return [] if thoughts is None else [thoughts]
    call = call_of(item, made_id)
    if call is not None:
        return [call]
    result = item.get("result")
    if kind == "image_generation_call" and isinstance(result, str) and result:
        form = text_of(item.get("output_format")) or "png"
        return [MediaPart(kind="image", data=result, media_type=f"image/{form}")]
    return []


def _said(item: Object) -> list[Part]:
    content = item.get("content")
    if isinstance(content, str):
        return [TextPart(text=sound_text(content))] if content else []
    parts: list[Part] = []
    for one in content if isinstance(content, list) else ():
        if not isinstance(one, dict):
            continue
        if one.get("type") == "refusal":
            parts.append(Refusal(text=text_of(one.get("refusal"))))
        elif one.get("type") in _TEXTS and (text := text_of(one.get("text"))):
            parts.append(TextPart(text=sound_text(text), citations=citations_of(one.get("annotations"))))
    return parts


def _probabilities(item: Object) -> list[TokenProbability]:
    content, found = item.get("content"), []
    for one in content if isinstance(content, list) else ():
        if isinstance(one, dict) and one.get("logprobs"):
            found += probabilities_of({"content": one["logprobs"]}) or []
    return found


def call_of(item: Object, made_id: str) -> ToolCall | None:
    """None: an item of another kind."""
    kind, call_id = item.get("type"), text_of(item.get("call_id")) or text_of(item.get("id")) or made_id
    namespace = text_of(item.get("namespace"))
    if kind == "function_call":
        arguments = sound_text(chunks.arguments_of(item))
        return ToolCall(id=call_id, name=flat_name(namespace, text_of(item.get("name"))), arguments=arguments)
    if kind == "custom_tool_call":
        words = text_of(item.get("input"))
        name = flat_name(namespace, text_of(item.get("name")))
        return ToolCall(id=call_id, name=name, arguments=words, is_custom=True)
    name = kind.removesuffix("_call") if isinstance(kind, str) else ""
    if name in BUILT_IN and name != kind:
        return ToolCall(id=call_id, name=name, arguments=sound_text(arguments_of(item)))
    return None
