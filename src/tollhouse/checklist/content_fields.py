"""Step 2 for bodies of Gemini's generateContent: what the gateway leaves to providers to judge."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tollhouse.checklist.steps import Trouble, wrong
from tollhouse.core.operation import Operation
from tollhouse.core.phrase import Phrase
from tollhouse.formats.gemini.parameters import CONFIG
from tollhouse.formats.gemini.spelling import under, unknown

_CONTENTS_MAX: Final = 10_000
_ROLES: Final = (None, "", "user", "model", "function", "tool")
_MEANT: Final = {"assistant": "model", "ai": "model", "human": "user", "bot": "model"}
_OF_CHAT: Final[Mapping[str, str]] = {
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "stop": "stopSequences",
    "n": "candidateCount",
}
"""Members of chat completions, by those of `generationConfig`."""
Members = Mapping[str, Any]


def trouble_of(operation: Operation, members: Members) -> Trouble | None:
    """The first thing that providers refuse; members: of a body that the gateway has read."""
    if operation != "chat":
        return None
    looks: Iterable[Callable[[Members], Trouble | None]] = (_stream, _beside, _config, _contents, _tools)
    return next((found for look in looks if (found := look(members)) is not None), None)


def _stream(members: Members) -> Trouble | None:
    if members.get("stream") is None:
        return None
    return wrong(
        Phrase("`stream` is no member of this API: the address says it."),
        Phrase("Leave it out, and call `:streamGenerateContent?alt=sse` for a stream."),
    )


def _beside(members: Members) -> Trouble | None:
    """What belongs into `generationConfig`."""
    for name in members:
        own = _OF_CHAT.get(name, name)
        if not unknown((own,), CONFIG) and not (name == "n" and members[name] is None):
            return wrong(
                Phrase("`%(name)s` stands beside `contents`, where nothing reads it.", name=name[:40]),
                Phrase('Write `{"generationConfig": {"%(own)s": ...}}`.', own=own[:40]),
            )
    return None


def _config(members: Members) -> Trouble | None:
    config = under(members, "generationConfig")
    for name in config if isinstance(config, dict) else ():
        if name in _OF_CHAT:
            return wrong(
                Phrase("`generationConfig.%(name)s` is of chat completions.", name=name),
                Phrase("Write `generationConfig.%(own)s`.", own=_OF_CHAT[name]),
            )
    return None


def _contents(members: Members) -> Trouble | None:
    """Each by itself, and in their order: the results of functions follow their calls."""
    contents = members["contents"]
    calls = 0  # that the next content answers
    for at, content in enumerate(contents[:_CONTENTS_MAX] if isinstance(contents, list) else [contents]):
        if not isinstance(content, dict):
            continue
        place = f"contents[{at}]"
        found = _role(place, content.get("role")) or _parts(place, content)
        if found is not None:
            return found
        parts = _objects(content.get("parts"))
        results = sum(under(part, "functionResponse") is not None for part in parts)
        if results != calls:
            return _unanswered(place, calls, results)
        calls = sum(under(part, "functionCall") is not None for part in parts)
    return _unanswered("contents", calls, 0) if calls else None


def _role(place: str, role: object) -> Trouble | None:
    if role in _ROLES:
        return None
    reason = Phrase("`%(place)s.role` is `%(role)s`, which is none.", place=place, role=str(role)[:40])
    if role in ("system", "developer"):
        cure = 'Send it as `{"systemInstruction": {"parts": [{"text": ...}]}}`, beside `contents`.'
        return wrong(reason, Phrase(cure))
    return wrong(reason, Phrase("Write `%(meant)s`; the roles are `user` and `model`.", meant=_meant(role)))


def _meant(role: object) -> str:
    return _MEANT.get(str(role).lower(), "user")


def _parts(place: str, content: Members) -> Trouble | None:
    parts = content.get("parts")
    if parts is None or parts == []:
        return wrong(
            Phrase("`%(place)s` has no `parts`.", place=place),
            Phrase('Write `{"role": "user", "parts": [{"text": "..."}]}`; `content` is of chat completions.'),
        )
    for at, part in enumerate(_objects(parts)):
        where = f"{place}.parts[{at}]"
        if part.get("type") is not None:
            return wrong(
                Phrase("`%(where)s` has a `type`, as parts of other APIs have.", where=where),
                Phrase('Write `{"text": "..."}`, or `{"inlineData": {"mimeType": "image/png", "data": ...}}`.'),
            )
        for name in ("inlineData", "fileData"):
            medium = under(part, name)
            if isinstance(medium, dict) and "/" not in str(under(medium, "mimeType") or ""):
                return wrong(
                    Phrase("`%(where)s.%(name)s` has no `mimeType`.", where=where, name=name),
                    Phrase("Say what it is, as `image/png`, `application/pdf` or `audio/mpeg`."),
                )
    return None


def _unanswered(place: str, calls: int, results: int) -> Trouble:
    return wrong(
        Phrase(
            "At `%(place)s` %(calls)s function calls have %(results)s results.",
            place=place,
            calls=calls,
            results=results,
        ),
        Phrase(
            "Send one `functionResponse` for each `functionCall`, all in the content right behind it. Whoever shortens"
            " a conversation removes both or neither."
        ),
    )


def _tools(members: Members) -> Trouble | None:
    for at, tool in enumerate(_objects(members.get("tools"))):
        if "function" in tool or "input_schema" in tool or ("name" in tool and "parameters" in tool):
            return wrong(
                Phrase("`tools[%(at)s]` has the form of another API.", at=at),
                Phrase('Write `{"functionDeclarations": [{"name": ..., "parameters": {...}}]}`.'),
            )
    return None


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
