"""Every documented item and event of a response: as a stream and back it is equal, whatever the last event repeats."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from openai.types.responses import ResponseOutputItem, ResponseStreamEvent

from tests.formats.round_trips import NEXT, TOKEN, events, gathered, passes
from tollhouse.core.failure import UpstreamBroke
from tollhouse.formats.openai.response_parts import ITEMS_MAX
from tollhouse.formats.openai.stream import open_stream

CITED = {"type": "url_citation", "url": "https://a.example", "title": "a", "start_index": 0, "end_index": 3}
ITEMS: dict[str, dict[str, Any]] = {
    "message": {
        "role": "assistant",
        "status": "completed",
        "content": [
            {"type": "output_text", "text": "Kolberg", "annotations": [CITED, CITED], "logprobs": [TOKEN, NEXT]},
            {"type": "refusal", "refusal": "I may not."},
            {"type": "output_text", "text": "", "annotations": [], "logprobs": []},
        ],
    },
    "message with sound": {
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_audio", "transcript": "Kolberg", "data": "AAAABBBB"}],
    },
    "message with a part of tomorrow": {
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_smell", "smell": "smoke"}],
    },
    "reasoning": {
        "summary": [{"type": "summary_text", "text": "hm"}, {"type": "summary_text", "text": "so"}],
        "content": [{"type": "reasoning_text", "text": "because"}],
        "encrypted_content": "Ab3x",
        "status": "completed",
    },
    "function_call": {"call_id": "call_1", "name": "open_gate", "arguments": '{"gate":5}', "status": "completed"},
    "custom_tool_call": {"call_id": "call_1", "name": "open_gate", "input": "gate A-17"},
    "mcp_call": {
        "name": "toll", "server_label": "s", "arguments": "{}", "output": "paid", "error": None, "status": "completed",
    },
    "mcp_list_tools": {"server_label": "s", "tools": [{"name": "toll", "input_schema": {}}], "error": None},
    "mcp_approval_request": {"name": "toll", "server_label": "s", "arguments": "{}"},
    "code_interpreter_call": {
        "code": "1 + 1", "container_id": "cntr_1", "outputs": [{"type": "logs", "logs": "2"}], "status": "completed",
    },
    "image_generation_call": {"result": "AAAA", "status": "completed"},
    "web_search_call": {"action": {"type": "search", "query": "Kolberg"}, "status": "completed"},
    "file_search_call": {"queries": ["Kolberg"], "results": [{"file_id": "f"}], "status": "completed"},
    "computer_call": {"call_id": "call_1", "action": {"type": "click", "x": 1}, "status": "completed"},
    "local_shell_call": {"call_id": "call_1", "action": {"type": "exec", "command": ["ls"]}, "status": "completed"},
    "shell_call": {"call_id": "call_1", "action": {"commands": ["ls", "pwd"], "timeout_ms": 9}, "status": "completed"},
    "shell_call_output": {"call_id": "call_1", "output": [{"stdout": "a", "stderr": ""}], "status": "completed"},
    "apply_patch_call": {
        "call_id": "call_1", "operation": {"type": "update_file", "path": "a", "diff": "+x"}, "status": "completed",
    },
    "compaction": {"encrypted_content": "Ab3x"},
    "program": {"call_id": "call_1", "code": "x = 1", "fingerprint": "f"},
    "tool_search_call": {"call_id": "call_1", "arguments": {"query": "gate"}, "status": "completed"},
    "an item of tomorrow": {"type": "musing", "words": "hm"},
}  # fmt: skip
ONLY_GIVEN = ("program_output", "tool_search_output", "additional_tools", "mcp_approval_response")
"""Items that hold what somebody gave a model: they pass as `output_item.added` and `.done`, like `compaction`."""
GIVEN_BACK = ("_output",)


def response(*items: dict[str, Any], **members: Any) -> dict[str, Any]:
    usage = {"input_tokens": 60, "output_tokens": 12, "total_tokens": 72}
    head = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "up", "error": None}
    return {**head, "output": list(items), "usage": usage, **members}


def item(name: str) -> dict[str, Any]:
    return {"type": name, "id": f"id_{name}", **ITEMS[name]}


def rewritten(stream: bytes, **changes: Any) -> bytes:
    """Without the events of these kinds (`without`), and with this output in the last event (`output`)."""
    kept = []
    for event in events(stream):
        if event["type"] in changes.get("without", ()):
            continue
        if event["type"] == "response.completed" and "output" in changes:
            event["response"]["output"] = changes["output"]
        kept.append(b"data: " + json.dumps(event).encode() + b"\n\n")
    return b"".join(kept)


@pytest.mark.parametrize("ending", ["completed", "incomplete"])
@pytest.mark.parametrize("name", ITEMS)
def test_a_response_comes_back_as_it_was(name: str, ending: str) -> None:
    body = response(item("message"), item(name), status=ending)
    assert gathered(passes(body, "responses"), "responses") == body


@pytest.mark.parametrize("output", [[], None, [item("message")], [{**item("message"), "content": []}]])
@pytest.mark.parametrize("name", ITEMS)
def test_items_that_the_last_event_leaves_out_are_those_that_were_finished(name: str, output: Any) -> None:
    body = response(item("message"), item(name))
    assert gathered(rewritten(passes(body, "responses"), output=output), "responses") == body


UNSAID = ("outputs", "output", "result", "results", "encrypted_content")
"""What only the end of an item tells."""


@pytest.mark.parametrize("name", ITEMS)
def test_items_that_nobody_finished_are_built_of_their_pieces(name: str) -> None:
    body = response(item("message"), item(name))
    ends = ("response.output_item.done", "response.content_part.done", "response.reasoning_summary_part.done")
    whole = gathered(rewritten(passes(body, "responses"), output=[], without=ends), "responses")
    expected = [{k: v for k, v in one.items() if k not in UNSAID} for one in body["output"]]
    assert [{k: v for k, v in one.items() if k not in UNSAID} for one in whole["output"]] == expected


@pytest.mark.parametrize("name", ITEMS)
def test_items_of_which_only_pieces_came_keep_every_word(name: str) -> None:
    """Neither an item nor a part was opened or closed."""
    body = response(item(name))
    stream = passes(body, "responses")
    kinds = {event["type"] for event in events(stream)}
    around = {kind for kind in kinds if ".delta" not in kind and kind not in ("response.created", "response.completed")}
    deltas = "".join(event["delta"] for event in events(stream) if ".delta" in event["type"])
    whole = gathered(rewritten(stream, output=[], without=around), "responses")
    if not deltas:
        return
    told: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, str):
            told.append(value)
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            look(one)

    look(whole["output"])
    for event in events(stream):
        if ".delta" in event["type"]:
            assert event["delta"] in told


def test_every_documented_item_is_tried() -> None:
    union = get_args(get_args(ResponseOutputItem)[0])
    documented = {get_args(one.model_fields["type"].annotation)[0] for one in union}
    left = {kind for kind in documented - set(ITEMS) if not kind.endswith(GIVEN_BACK)}
    assert left <= set(ONLY_GIVEN)


NOT_OF_AN_ANSWER = {
    "error", "response.created", "response.queued", "response.in_progress", "response.failed", "response.incomplete",
}  # fmt: skip
OF_TOOLS = {"response.shell_call_output_content.delta", "response.shell_call_output_content.done"}


def test_every_documented_event_is_made_or_read() -> None:
    union = get_args(get_args(ResponseStreamEvent)[0])
    documented = {kind for one in union for kind in get_args(one.model_fields["type"].annotation)}
    made = {event["type"] for name in ITEMS for event in events(passes(response(item(name)), "responses"))}
    left = documented - made - NOT_OF_AN_ANSWER - OF_TOOLS
    for kind in sorted(left):  # the rest passes, and changes nothing of what the items say
        body = response(item("message"))
        extra = {"type": kind, "item_id": "id_message", "output_index": 0, "partial_image_b64": "AAAA"}
        stream = b"data: " + json.dumps(extra).encode() + b"\n\n"
        head, middle, tail = passes(body, "responses").partition(b"event: response.completed")
        assert gathered(head + stream + middle + tail, "responses") == body
    assert {kind for kind in left if ".delta" in kind} == set()


def test_an_image_that_came_in_parts_only_is_the_last_of_them() -> None:
    opened = {"type": "image_generation_call", "id": "ig_1", "status": "in_progress", "result": None}
    said: list[dict[str, Any]] = [
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "response.image_generation_call.partial_image", "output_index": 0, "partial_image_b64": "AAAA"},
        {"type": "response.image_generation_call.partial_image", "output_index": 0, "partial_image_b64": "BBBB"},
        {"type": "response.completed", "response": response()},
    ]
    stream = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in said)
    assert gathered(stream, "responses")["output"] == [{**opened, "status": "completed", "result": "BBBB"}]


ENDS = [
    ("response.done", "completed", "response.completed"),
    ("response.done", "incomplete", "response.incomplete"),
    ("response.done", None, "response.completed"),
    ("response.complete", "completed", "response.completed"),
    ("response.finished", "completed", "response.completed"),
    ("response.end", "completed", "response.completed"),
    ("response.ended_by_another_name", "completed", "response.completed"),
    ("response.ended_by_another_name", "incomplete", "response.incomplete"),
    ("response.completed", "completed", "response.completed"),
    ("response.completed", None, "response.completed"),
    ("response.completed", "in_progress", "response.completed"),
    ("response.incomplete", "incomplete", "response.incomplete"),
]


@pytest.mark.parametrize(("name", "status", "told"), ENDS)
def test_an_end_by_another_name_is_one(name: str, status: str | None, told: str) -> None:
    body = response(item("message"), status=status)
    ended = {"type": name, "response": body, "sequence_number": 9}
    stream = passes(response(item("message")), "responses").partition(b"event: response.completed")[0]
    stream += b"data: " + json.dumps(ended).encode() + b"\n\n"
    reader = open_stream("responses", show_usage=False, count=len)
    reader.feed(stream)
    assert reader.is_complete
    assert (reader.usage is not None, reader.incomplete) == (True, told == "response.incomplete")
    (last,) = events(reader.held)
    assert (last["type"], last["response"]) == (told, body)
    assert reader.held.startswith(f"event: {told}\n".encode())
    assert gathered(stream, "responses")["output"] == body["output"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("response.failed", "failed"),
        ("response.done", "failed"),
        ("response.cancelled", "cancelled"),
        ("response.canceled", None),
        ("response.done", "cancelled"),
        ("response.completed", "failed"),
    ],
)
def test_an_end_that_is_a_failure_is_one_by_any_name(name: str, status: str | None) -> None:
    ended = b"data: " + json.dumps({"type": name, "response": response(status=status)}).encode() + b"\n\n"
    reader = open_stream("responses", show_usage=False, count=len)
    reader.feed(ended)
    assert reader.failure is not None
    reader = open_stream("responses", show_usage=False, count=len)
    reader.feed(passes(response(item("message")), "responses").partition(b"event: response.completed")[0] + ended)
    assert (reader.is_complete, reader.failed) == (True, True)


def without_output(stream: bytes, left: int = 0, name: str = "response.completed") -> bytes:
    """The stream with `left` items in its terminal event, which is called `name`."""
    made: list[bytes] = []
    for one in events(stream):
        told = one
        if one["type"] == "response.completed":
            told = {**one, "type": name, "response": {**one["response"], "output": one["response"]["output"][:left]}}
        made.append(b"data: " + json.dumps(told).encode() + b"\n\n")
    return b"".join(made)


def only_deltas(stream: bytes) -> bytes:
    return b"".join(
        b"data: " + json.dumps(one).encode() + b"\n\n" for one in events(stream) if not one["type"].endswith(".done")
    )


@pytest.mark.parametrize("most", [None, 10_000])
@pytest.mark.parametrize("name", ["response.completed", "response.done", "response.incomplete", "response.finished"])
def test_a_last_event_that_leaves_items_out_is_completed(name: str, most: int | None) -> None:
    given = [item("message"), item("function_call"), item("reasoning")]
    stream = passes(response(*given), "responses")
    for left in (0, 1, 3):
        reader = open_stream("responses", show_usage=False, count=len, maximum=most)
        reader.feed(without_output(stream, left, name))
        (last,) = events(reader.held)
        assert last["type"] == ("response.incomplete" if name == "response.incomplete" else "response.completed")
        assert last["response"]["output"] == gathered(without_output(stream, left, name), "responses")["output"]
        assert last["response"]["output"] == given
        assert last["response"]["usage"] == response(*given)["usage"]


def test_as_it_was_reported() -> None:
    stream = (Path(__file__).parent / "golden" / "N10.sse").read_bytes()
    for size in (len(stream), 7, 1):
        reader = open_stream("responses", show_usage=False, count=len)
        for at in range(0, len(stream), size):
            reader.feed(stream[at : at + size])
        (last,) = events(reader.held)
        assert [one["type"] for one in last["response"]["output"]] == ["message", "function_call"]
        assert last["response"]["output"] == gathered(stream, "responses")["output"]


@pytest.mark.parametrize("most", [None, 10_000])
def test_where_only_deltas_say_it_the_last_event_repeats_them(most: int | None) -> None:
    stream = without_output(only_deltas(passes(response(item("message")), "responses")))
    reader = open_stream("responses", show_usage=False, count=len, maximum=most)
    reader.feed(stream)
    (last,) = events(reader.held)
    assert last["response"]["output"] == gathered(stream, "responses")["output"] != []


def test_what_is_kept_of_a_stream_has_a_bound() -> None:
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "a" * 1000}
    end = {"type": "response.completed", "response": response()}
    for kind, many in (
        (delta, 600),
        ({"type": "response.output_text.done", "output_index": 0, "text": "a" * 9000}, 600),
    ):
        reader = open_stream("responses", show_usage=False, count=len)
        for one in [*[kind] * many, end]:
            reader.feed(b"data: " + json.dumps(one).encode() + b"\n\n")
        (last,) = events(reader.held)
        assert last["response"]["output"] == [], "as it came"


@pytest.mark.parametrize("at", [ITEMS_MAX, 10**9])
def test_items_and_parts_have_an_end(at: int) -> None:
    for event in (
        {"type": "response.output_text.delta", "output_index": 0, "content_index": at, "delta": "a"},
        {"type": "response.shell_call_command.delta", "output_index": 0, "command_index": at, "delta": "a"},
    ):
        stream = b"data: " + json.dumps(event).encode() + b"\n\n"
        stream += b"data: " + json.dumps({"type": "response.completed", "response": response()}).encode() + b"\n\n"
        with pytest.raises(UpstreamBroke):
            gathered(stream, "responses")
