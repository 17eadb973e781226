"""The addresses that the checklist knows are those that are served."""

import pytest

from tollhouse.checklist.endpoint import OPERATIONS, canonical, read_endpoint
from tollhouse.edge import paths

BASE = "https://toll.example"


def test_calls_are_those_of_the_listener() -> None:
    assert dict(OPERATIONS) == {one.path: one.operation for one in paths.CALLS}


@pytest.mark.parametrize(
    "path", ["/v1/v1/chat/completions", "//v1//chat/completions/", "/chat/completions", "/v1/embeddings", "/embeddings"]
)
def test_paths_are_repaired_as_the_listener_repairs_them(path: str) -> None:
    found = paths.find(path)
    assert found is not None
    assert canonical(path) == found.path
    assert read_endpoint(f"POST {BASE}{path}", BASE).operation == found.operation


@pytest.mark.parametrize(
    ("given", "reason", "cure"),
    [
        ("/v1/chat/completion", "no `/v1/chat/completion`", "`/v1/chat/completions`"),
        ("https://toll.example/openai/v1/chat/completions", "before or behind", "https://toll.example/v1"),
        ("POST /v1/engines/davinci/completions", "no `/v1/engines", "https://toll.example/v1"),
        ("GET /v1/chat/completions", "takes POST, not GET", "with POST"),
        ("https://api.openai.com/v1/chat/completions", "api.openai.com", "https://toll.example/v1"),
        ("http://[::1/v1", "cannot be read", "base URL"),
    ],
)
def test_wrong_addresses_are_named(given: str, reason: str, cure: str) -> None:
    trouble = read_endpoint(given, BASE).trouble
    assert trouble is not None
    assert reason in trouble.reason
    assert cure in trouble.cure


@pytest.mark.parametrize("given", ["", BASE, f"{BASE}/v1", f"{BASE}/v1/", "/v1/models", "toll.example/v1/responses"])
def test_right_addresses_are_fine(given: str) -> None:
    assert read_endpoint(given, BASE).trouble is None
