"""A provider's whole chat answer, read into core words."""

from typing import Any, Final

from tollhouse.core.cleaning import Known
from tollhouse.core.conversation import MediaPart, Opaque, Part, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.operation import Operation
from tollhouse.core.reply import Reply, ReplyChoice, TokenProbability
from tollhouse.core.sound_text import sound_text
from tollhouse.formats.openai import answer as answers
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.finish import finish_of as reason_in
from tollhouse.formats.openai.words import finish
from tollhouse.formats.openai.words.citations import citations_of
from tollhouse.formats.openai.words.reasoning import OWN, Object, detail_text, reasoning_of
from tollhouse.formats.openai.words.thought_tags import TAGGED, split

_THOUGHTS: Final = ("thinking", "reasoning")
_TOP_MAX: Final = 100  # probabilities beside a token that are read


def read_reply(operation: Operation, body: bytes, known: Known) -> Reply:
    """See `core.words.FormatWords.read_reply`. operation: a chat, or a legacy completion."""
    summary = answers.read(operation, body, known)
    answer = chunks.decode(summary.mended or body)
    choices = chunks.choices(answer)
    ordered = sorted(enumerate(choices), key=lambda placed: chunks.index_of(placed[1], placed[0]))
    created = answer.get("created")
    return Reply(
        choices=[_choice(choice, str(answer.get("id") or "")) for _, choice in ordered],
        id=text_of(answer.get("id")),
        model=text_of(answer.get("model")),
        created=created if type(created) is int and created >= 0 else 0,
        usage=summary.usage,
        raw_usage=summary.raw_usage,
    )


def _choice(choice: Object, reply_id: str) -> ReplyChoice:
    message = choice.get("message")
    parts = parts_of(message if isinstance(message, dict) else chunks.delta_of(choice), reply_id)
    reason, stop = reason_in(choice), choice.get("stop_reason")
    calls, refuses = finish.holds(parts)
    read = ReplyChoice(
        parts=parts,
        finish=None if reason is None else finish.finish_of(reason, calls=calls, refuses=refuses),
        logprobs=probabilities_of(choice.get("logprobs")),
    )
    if isinstance(stop, str) and stop and read.finish == "stop":  # vLLM names the text at which it stopped
        read.finish, read.stop_sequence = "stop_sequence", stop
    return read


def parts_of(message: Object, reply_id: str) -> list[Part]:
    """What a message says, in the order in which a model writes it."""
    parts: list[Part] = []
    thoughts = reasoning_of(message)
    if thoughts is not None:
        parts.append(thoughts)
    content = content_of(message.get("content"))
    if thoughts is None and content and isinstance(content[0], TextPart):
        content[:1] = _split(content[0].text)
    parts += content
    citations = citations_of(message.get("annotations"))
    for part in parts if citations else ():
        if isinstance(part, TextPart):
            part.citations = citations
            break
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        parts.append(Refusal(text=sound_text(refusal)))
    parts += media_of(message)
    calls = message.get("tool_calls")
    for at, call in enumerate([calls] if isinstance(calls, dict) else calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            parts.append(call_of(call, f"call_{reply_id}_{at}"))
    legacy = message.get("function_call")
    if isinstance(legacy, dict) and (legacy.get("name") or legacy.get("arguments")):
        parts.append(call_of({"function": legacy}, f"call_{reply_id}"))
    for part in parts:
        if isinstance(part, TextPart | Reasoning):
            part.text = sound_text(part.text)
    return parts


def _split(text: str) -> list[Part]:
    """A text, and the thoughts that may stand at its beginning."""
    kept = Opaque(OWN, chunks.encode(TAGGED).decode())
    pieces = split(text)
    return [Reasoning(text=said, opaque=kept) if is_thought else TextPart(text=said) for is_thought, said in pieces]


def content_of(content: object) -> list[Part]:
    """A text, or parts of it; Mistral's thoughts are among them."""
    if isinstance(content, str):
        return [TextPart(text=content)] if content else []
    parts: list[Part] = []
    for one in content if isinstance(content, list) else ():
        if isinstance(one, str):
            parts.append(TextPart(text=one))
        elif isinstance(one, dict) and one.get("type") in _THOUGHTS:
            parts.append(reasoning_of(one) or Reasoning(text=detail_text(one)))
        elif isinstance(one, dict) and one.get("type") == "refusal":
            parts.append(Refusal(text=text_of(one.get("refusal"))))
        elif isinstance(one, dict) and (text := text_of(one.get("text"))):
            parts.append(TextPart(text=text))
    return parts


def media_of(message: Object) -> list[Part]:
    """Pictures as OpenRouter sends them; of sound, the words that were spoken beside it."""
    parts: list[Part] = []
    images = message.get("images")
    for one in images if isinstance(images, list) else ():
        image = one.get("image_url") if isinstance(one, dict) else None
        url = image.get("url") if isinstance(image, dict) else image
        if isinstance(url, str) and url:
            head, found, data = url.partition(";base64,")
            if found and head.startswith("data:"):
                parts.append(MediaPart(kind="image", data=data, media_type=head.removeprefix("data:")))
            else:
                parts.append(MediaPart(kind="image", url=url))
    audio = message.get("audio")
    if isinstance(audio, dict) and isinstance(words := audio.get("transcript"), str) and words:
        parts.append(TextPart(text=words))
    return parts


def call_of(call: Object, made_id: str) -> ToolCall:
    """made_id: the id where the server gave none."""
    extra = call.get("extra_content")
    own_id = text_of(call.get("id")) or made_id
    opaque = Opaque(OWN, chunks.encode(extra).decode()) if isinstance(extra, dict) and extra else None
    custom = call.get("custom")
    if isinstance(custom, dict):
        text = text_of(custom.get("input"))
        return ToolCall(id=own_id, name=text_of(custom.get("name")), arguments=text, is_custom=True, opaque=opaque)
    function: Any = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = sound_text(chunks.arguments_of(function))
    return ToolCall(id=own_id, name=text_of(function.get("name")), arguments=arguments, opaque=opaque)


def probabilities_of(logprobs: object) -> list[TokenProbability] | None:
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list):
        return None
    return [_probability(one, top=True) for one in content if isinstance(one, dict)]


def _probability(one: Object, *, top: bool) -> TokenProbability:
    logprob, raw, others = one.get("logprob"), one.get("bytes"), one.get("top_logprobs")
    return TokenProbability(
        token=text_of(one.get("token")),
        logprob=logprob if isinstance(logprob, int | float) and not isinstance(logprob, bool) else -9999.0,
        bytes=raw if isinstance(raw, list) and all(type(byte) is int for byte in raw) else None,
        top=[_probability(other, top=False) for other in others[:_TOP_MAX] if isinstance(other, dict)]
        if top and isinstance(others, list)
        else [],
    )


def text_of(value: object) -> str:
    return sound_text(value) if isinstance(value, str) else ""
