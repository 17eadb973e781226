"""A whole response unfolded into the events that would have built it: each text is said in one delta."""

from collections.abc import Iterator
from typing import Any

from tollhouse.formats.openai.chunk import Object
from tollhouse.formats.openai.response_parts import OF_ITEMS, OF_PARTS, PIECES, STEPS

_Event = tuple[str, Object]
"""By its kind, without `response.`."""


def unfold_response(answer: Object) -> Iterator[Object]:
    """The events of a response, from `response.created` to the one that ends it, each numbered."""
    status = answer.get("status")
    ending = status if status in ("incomplete", "failed") else "completed"
    for number, (kind, event) in enumerate(_events(answer, str(ending))):
        yield {"type": f"response.{kind}", **event, "sequence_number": number}


def _events(answer: Object, ending: str) -> Iterator[_Event]:
    opened = {**answer, "status": "in_progress", "output": [], "usage": None}
    yield "created", {"response": opened}
    yield "in_progress", {"response": opened}
    output = answer.get("output")
    for index, item in enumerate(output if isinstance(output, list) else []):
        if isinstance(item, dict):
            yield from _item(index, item)
    yield ending, {"response": answer}


def _item(index: int, item: Object) -> Iterator[_Event]:
    at: Object = {"item_id": item.get("id"), "output_index": index}
    kind = str(item.get("type"))
    yield "output_item.added", {"output_index": index, "item": _opened(item)}
    steps = STEPS.get(kind, ())
    for step in steps[:1]:
        yield f"{kind}.{step}", at
    for in_list, named in (("summary", "summary_index"), ("content", "content_index")):
        parts = item.get(in_list)
        for number, part in enumerate(parts if isinstance(parts, list) else []):
            if isinstance(part, dict):
                yield from _part({**at, named: number}, in_list, part)
    if (text := _text_of(item)) is not None:
        what = OF_ITEMS[kind]
        name = {"name": item.get("name")} if what == "function_call_arguments" else {}
        yield f"{what}.delta", {**at, "delta": text}
        yield f"{what}.done", {**at, **name, PIECES[what].whole: text}
    if kind == "shell_call":
        yield from _commands(index, item)
    for step in steps[1:]:
        yield f"{kind}.{step}", at
    if steps:
        yield f"{kind}.{'failed' if item.get('error') or item.get('status') == 'failed' else 'completed'}", at
    yield "output_item.done", {"output_index": index, "item": item}


def _part(at: Object, in_list: str, part: Object) -> Iterator[_Event]:
    kind = "content_part" if in_list == "content" else "reasoning_summary_part"
    what = OF_PARTS.get(str(part.get("type")))
    if part.get("type") == "output_audio":
        yield from _audio(at, part)
        return
    text = part.get(PIECES[what].member) if what else None
    if what is None or not isinstance(text, str):
        yield f"{kind}.added", {**at, "part": part}
        yield f"{kind}.done", {**at, "part": part}
        return
    logprobs: Object = {"logprobs": part.get("logprobs") or []} if what == "output_text" else {}
    annotations = part.get("annotations")
    opened = {**part, PIECES[what].member: ""} | {name: [] for name in ("annotations", "logprobs") if part.get(name)}
    yield f"{kind}.added", {**at, "part": opened}
    yield f"{what}.delta", {**at, "delta": text, **logprobs}
    for number, annotation in enumerate(annotations if isinstance(annotations, list) else []):
        yield "output_text.annotation.added", {**at, "annotation_index": number, "annotation": annotation}
    yield f"{what}.done", {**at, PIECES[what].member: text, **logprobs}
    yield f"{kind}.done", {**at, "part": part}


def _audio(at: Object, part: Object) -> Iterator[_Event]:
    yield "content_part.added", {**at, "part": {**part, "data": "", "transcript": ""}}
    for what, member in (("audio.transcript", "transcript"), ("audio", "data")):
        if isinstance(part.get(member), str):
            yield f"{what}.delta", {**at, "delta": part[member]}
            yield f"{what}.done", at
    yield "content_part.done", {**at, "part": part}


def _commands(index: int, item: Object) -> Iterator[_Event]:
    action: Any = item.get("action")
    commands = action.get("commands") if isinstance(action, dict) else None
    for number, command in enumerate(commands if isinstance(commands, list) else []):
        at: Object = {"output_index": index, "command_index": number}
        yield "shell_call_command.added", {**at, "command": ""}
        yield "shell_call_command.delta", {**at, "delta": command}
        yield "shell_call_command.done", {**at, "command": command}


def _opened(item: Object) -> Object:
    """An item before anything of it was said."""
    opened = {**item, "status": "in_progress"} if "status" in item else dict(item)
    for name in ("content", "summary"):
        if isinstance(item.get(name), list):
            opened[name] = []
    if _text_of(item) is not None:
        holder, _, member = PIECES[OF_ITEMS[str(item.get("type"))]].member.rpartition(".")
        inner: Any = item[holder] if holder else item
        opened |= {holder: {**inner, member: ""}} if holder else {member: ""}
    if isinstance(action := item.get("action"), dict) and isinstance(action.get("commands"), list):
        opened["action"] = {**action, "commands": []}
    for name in ("result", "outputs", "results", "output", "error", "encrypted_content"):
        if item.get(name):
            opened[name] = None
    return opened


def _text_of(item: Object) -> str | None:
    """The text of an item itself."""
    what = OF_ITEMS.get(str(item.get("type")))
    if what is None:
        return None
    holder, _, member = PIECES[what].member.rpartition(".")
    inner = item.get(holder) if holder else item
    text = inner.get(member) if isinstance(inner, dict) else None
    return text if isinstance(text, str) else None
