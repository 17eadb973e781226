"""What a request asks of an upstream, and what the upstream answers: in words that belong to no vendor, and to none of
the platform's packages either, for a fault there must not hide itself here.

A prompt steers its answer by words in brackets: `[fail=429]`, `[mid=500]`, `[cut]`, `[slow=2]`, `[finish=length]`,
`[parallel]`, `[aloud]`, `[redacted]`, `[cached]`, `[long]`; and by lines `CALL NAME ARGUMENT its value`.
"""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

BRACKETS: Final = re.compile(r"\[(\w+)(?:=([\w.,-]+))?\] ?")
CALL_LINE: Final = re.compile(r'^CALL (\S+) (\w+) ([^"\n]+)"?$', re.MULTILINE)
CITIES: Final = ("Zürich ☂", "Bern")
THOUGHTS: Final = "The caller wants something.\nLet me see: they “ask” for 1 thing."
ALOUD: Final = "I shall look."
LONG_WORDS: Final = 3_000
INPUT, CACHED, WRITTEN, OUTPUT, THOUGHT = 120, 40, 16, 25, 10
"""Tokens that an answer reports: of the input those from a cache and those written to one are part, of the output
those of the thoughts."""


@dataclass(frozen=True, kw_only=True)
class Function:
    name: str
    schema: Mapping[str, Any]
    is_custom: bool = False  # it takes a text


@dataclass(kw_only=True)
class AskedOfUpstream:
    """must_call: the name of a function, or `*` for any. results: of the last turn, where it gives some."""

    model: str
    stream: bool = False
    system: str = ""
    said: str = ""
    functions: list[Function] = field(default_factory=list)
    may_call: bool = True
    must_call: str = ""
    results: list[str] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    schema: Mapping[str, Any] | None = None
    thinks: bool = False
    omits: bool = False  # thoughts are signed and not told
    parallel: bool = True

    def word(self, name: str) -> str | None:
        """What stands in brackets behind this name; empty: the name alone. None: it is not there."""
        return next((match[2] or "" for match in BRACKETS.finditer(self.said) if match[1] == name), None)


@dataclass(frozen=True, kw_only=True)
class ToolCallPlan:
    name: str
    arguments: Mapping[str, Any]
    is_custom: bool = False

    @property
    def text(self) -> str:
        if self.is_custom:
            return str(next(iter(self.arguments.values())))
        return json.dumps(self.arguments, ensure_ascii=False)

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.name} {json.dumps(self.arguments, sort_keys=True)}".encode()).hexdigest()[:12]


@dataclass(kw_only=True)
class PlannedAnswer:
    """An answer. finish: stop, length, filter, refusal or stop_sequence; with calls it is none of these."""

    text: str = ""
    thoughts: str = ""
    redacted: bool = False
    omitted: bool = False
    calls: list[ToolCallPlan] = field(default_factory=list)
    finish: str = "stop"
    cached: bool = False

    @property
    def thought(self) -> bool:
        return bool(self.thoughts) or self.redacted or self.omitted


def plan(asked: AskedOfUpstream) -> PlannedAnswer:
    """What this request is answered with."""
    made = PlannedAnswer(cached=asked.word("cached") is not None, finish=asked.word("finish") or "stop")
    if asked.thinks:
        made.redacted = asked.word("redacted") is not None
        made.omitted = asked.omits and not made.redacted
        made.thoughts = "" if made.redacted or made.omitted else THOUGHTS
    if asked.results:
        made.text = f"The tool said: {' & '.join(asked.results)}{_seen(asked)}"
    elif asked.functions and asked.may_call:
        made.calls = _calls(asked)
        made.text = ALOUD if asked.word("aloud") is not None else ""
    if not made.calls and not asked.results:
        made.text = _text(asked)
    return made


def _calls(asked: AskedOfUpstream) -> list[ToolCallPlan]:
    customs = {function.name for function in asked.functions if function.is_custom}
    named = [
        ToolCallPlan(name=name, arguments={argument: value}, is_custom=name in customs)
        for name, argument, value in CALL_LINE.findall(asked.said)
    ]
    if named:
        return named
    by_name = {function.name: function for function in asked.functions}
    function = by_name.get(asked.must_call, asked.functions[0])
    count = 2 if asked.word("parallel") is not None and asked.parallel else 1
    return [ToolCallPlan(name=function.name, arguments=instance(function.schema, at)) for at in range(count)]


def _text(asked: AskedOfUpstream) -> str:
    if asked.schema is not None:
        return json.dumps(instance(asked.schema, 0), ensure_ascii=False)
    if asked.word("long") is not None:
        return " ".join(f"word{number}" for number in range(LONG_WORDS))
    said = BRACKETS.sub("", asked.said).strip()
    told = f" As told: {asked.system}" if asked.system else ""
    return f"You said: {said}{_seen(asked)}{told}"


def _seen(asked: AskedOfUpstream) -> str:
    return f" I see {', '.join(asked.media)}." if asked.media else ""


def instance(schema: Mapping[str, Any], at: int) -> Any:
    """Some JSON that keeps to a schema; `at` makes another one. Gemini writes its types in capitals."""
    known = schema.get("enum")
    if known:
        return known[0]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return instance(schema[several][0], at)
    kind = str(schema.get("type", "object")).lower()
    if kind == "object":
        return {name: instance(one, at) for name, one in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [instance(schema.get("items") or {"type": "string"}, at)]
    return {"string": CITIES[at], "integer": 7 + at, "number": 1.5, "boolean": True, "null": None}[kind]


def pieces(text: str) -> list[str]:
    """A text as a stream brings it: cut between words, and within the first."""
    words = re.findall(r"\S+\s*|\s+", text)
    return [words[0][:1], words[0][1:], *words[1:]] if words and len(words[0]) > 1 else words


def halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [text[:middle], text[middle:]]


def signature(shape: str, of: str) -> str:
    """What only this upstream can have made of it: base64, as vendors write it."""
    return b64encode(hashlib.sha256(f"{shape}'s secret {of}".encode()).digest() * 3).decode()


def medium(kind: str, data: str) -> str:
    """A picture or document as an answer names it."""
    return f"{kind} of {len(b64decode(data, validate=True))} bytes"
