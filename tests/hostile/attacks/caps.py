"""More of the money's kinds: caps by other names, members and parts nobody knows, providers that do the worst."""

from collections.abc import Mapping
from typing import Any, Final

from tests.hostile.attacks.money import LINK, respond, spent_at_once
from tests.hostile.harness import Attack, AttackHarness, Observations
from tests.hostile.launcher import chat

WRITES: Final = "[[words=16384]]"  # whatever cap it was sent
DEAR: Final = "[[prompt=100000&completion=10]]"
CUT: Final = "0.00512"
"""USD: an answer passes what is held for it by half before it is cut, and 1,024 tokens are held where no cap is named
that a provider is trusted to read."""
UNSEEN: Final = "1.28"
"""USD: tokens that are reported and not shown, as thoughts are, are believed up to the context."""
CAPS: Final[Mapping[str, dict[str, Any]]] = {
    "max_new_tokens": {"max_new_tokens": 1},
    "maxOutputTokens": {"maxOutputTokens": 1},
    "max_output_tokens": {"max_output_tokens": 1},
    "num_predict": {"options": {"num_predict": 1}},
    "generation_config": {"generation_config": {"max_output_tokens": 1}},
    "extra_body": {"extra_body": {"max_tokens": 16384}, "max_tokens": 1},
    "max_tokens null": {"max_tokens": None, "max_completion_tokens": 1},
    "both": {"max_tokens": 16384, "max_completion_tokens": 1},
    "min_tokens": {"min_tokens": 16384, "max_tokens": 1},
    "ignore_eos": {"ignore_eos": True, "max_tokens": 1},
    "n null": {"n": None, "max_tokens": 1},
    "stream and a cap": {"stream": True, "max_tokens": 1},
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 16000}, "max_tokens": 1},
    "reasoning": {"reasoning": {"max_tokens": 16000}, "max_tokens": 1},
}


def caps(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    for name, members in CAPS.items():
        spent_at_once(platform, seen, name, "0.05", chat(WRITES, **members), overrun=CUT)
    spent_at_once(platform, seen, "responses", "0.05", respond(WRITES, max_tokens=1), "/v1/responses", CUT)
    for streamed in (False, True):
        body = respond(WRITES, max_output_tokens=1, stream=streamed)
        spent_at_once(platform, seen, f"responses stream {streamed}", "0.05", body, "/v1/responses")
    body = {"model": "house-1", "prompt": WRITES, "max_tokens": 1, "best_of": 20, "n": 1}
    spent_at_once(platform, seen, "best_of", "0.05", body, "/v1/completions")
    spent_at_once(platform, seen, "prompts", "0.05", {**body, "prompt": [WRITES] * 50}, "/v1/completions")


def worst(harness: AttackHarness, seen: Observations) -> None:
    """A provider that reports or writes more than it was asked for."""
    platform = harness.platform()
    told = {
        "reports 100,000 of output": "[[words=3&completion=100000]]",
        "reports a total beyond its parts": "[[words=3&total=200000]]",
        "writes 5 MB": "[[fill=5000000&usage=no]]",
        "writes 5 MB and reports 1": "[[fill=5000000&completion=1]]",
        "reasons 16,384": "[[words=16384&reasoning=reasoning_content&usage=no]]",
        "breaks within": "[[words=16384&broken=1]]",
    }
    for name, words in told.items():
        for streamed in (False, True):
            body = chat(words, max_tokens=1, stream=streamed)
            overrun = UNSEEN if "100,000" in name else "0"
            title = f"{name}{', streamed' if streamed else ''}"
            spent_at_once(platform, seen, title, "0.05", body, overrun=overrun)
    body = chat("[[forever=1&usage=no]]", max_tokens=20, stream=True)
    spent_at_once(platform, seen, "writes for ever", "0.05", body)
    body = respond("[[forever=1&usage=no]]", max_output_tokens=20, stream=True)
    spent_at_once(platform, seen, "responses for ever", "0.05", body, "/v1/responses")


MEMBERS: Final[Mapping[str, object]] = {
    "web_search": True,
    "search": {"enabled": True},
    "tools": [{"type": "web_search"}],
    "tools of another kind": [{"type": "retrieval", "retrieval": {"knowledge_id": "x"}}],
    "extra_body": {"enable_search": True},
    "webSearchOptions": {},
    "enableSearch": True,
    "knowledge_base": "kb_1",
    "documents": [{"url": LINK}],
    "context": {"url": LINK},
    "conversation": "conv_1",
    "previous_response_id": "resp_1",
    "session_id": "s",
    "mcp_servers": [{"type": "url", "url": LINK}],
    "container": {"skills": []},
    "file_ids": ["file-1"],
    "attachments": [{"file_id": "file-1", "tools": []}],
    "vector_store_ids": ["vs_1"],
    "cached_content": "cachedContents/1",
    "repo": "https://example.com/r.git",
}


def members(harness: AttackHarness, seen: Observations) -> None:
    """Members that nobody documented here, and that could make a provider read more."""
    platform = harness.platform()
    for path, body in (("chat", chat(DEAR, max_tokens=10)), ("responses", respond(DEAR, max_output_tokens=10))):
        for name, value in MEMBERS.items():
            where = "/v1/chat/completions" if path == "chat" else "/v1/responses"
            given = {**body, name.partition(" ")[0]: value}
            spent_at_once(platform, seen, f"{path} {name}", "0.02", given, where)


_LINKED: Final = {"type": "image_url", "image_url": {"url": LINK}}
_UNKNOWN: Final = {"type": "knowledge", "ref": "abc"}
PLACES: Final[Mapping[str, list[dict[str, Any]]]] = {
    "a tool's result": [{"role": "tool", "tool_call_id": "1", "content": [_UNKNOWN]}],
    "the system's words": [{"role": "system", "content": [_UNKNOWN]}],
    "an assistant's words": [{"role": "assistant", "content": [_UNKNOWN]}],
    "parts within parts": [{"role": "user", "content": [{"type": "tool_result", "content": [_UNKNOWN]}]}],
    "a part as content": [{"role": "user", "content": _UNKNOWN}],
    "a member of a message": [{"role": "user", "content": "x", "attachments": [{"file_id": "file-1"}]}],
    "images of a message": [{"role": "user", "content": "x", "images": [LINK]}],
    "a part without a type": [{"role": "user", "content": [{"url": LINK}]}],
    "a text part with a file": [{"role": "user", "content": [{"type": "text", "text": "x", "file_id": "file-1"}]}],
    "a type of another case": [{"role": "user", "content": [{"type": "FILE", "file": {"file_id": "file-1"}}]}],
    "audio that was said before": [{"role": "assistant", "audio": {"id": "audio_1"}}],
}


def places(harness: AttackHarness, seen: Observations) -> None:
    """Parts that nobody knows, wherever parts can stand."""
    platform = harness.platform()
    for name, messages in PLACES.items():
        body = {**chat(max_tokens=10), "messages": [*messages, {"role": "user", "content": DEAR}]}
        spent_at_once(platform, seen, name, "0.05", body)
    items: Mapping[str, dict[str, Any]] = {
        "item_reference": {"type": "item_reference", "id": "msg_1"},
        "input_file": {"role": "user", "content": [{"type": "input_file", "file_url": LINK}]},
        "output of a screen": {"type": "computer_call_output", "call_id": "1", "output": {"image_url": LINK}},
        "unknown": {"type": "compaction", "encrypted_content": "x"},
    }
    for name, item in items.items():
        body = respond("", max_output_tokens=10) | {"input": [item, {"role": "user", "content": DEAR}]}
        spent_at_once(platform, seen, name, "0.05", body, "/v1/responses")
    spent_at_once(platform, seen, "prompt", "0.05", respond(DEAR, prompt={"id": "pmpt_1"}), "/v1/responses")
    for name, given in (("objects", [{"image": LINK}, DEAR]), ("a link", [{"type": "file", "url": LINK}, DEAR])):
        spent_at_once(
            platform, seen, f"embeddings {name}", "0.05", {"model": "house-1", "input": given}, "/v1/embeddings"
        )


ATTACKS: Final = (
    Attack("CAPS", "a cap by any name: no balance below zero, but by half of what was held", caps, timed=False),
    Attack(
        "WORST",
        "a provider that passes its cap: no balance below zero, but by what is not shown",
        worst,
        timed=False,
    ),
    Attack("MEMBERS", "members nobody knows hold the context: no balance below zero", members, timed=False),
    Attack("PARTS", "parts nobody knows, anywhere: no balance below zero", places, timed=False),
)
