"""Which format a text operation is asked for in: its own first, then the provider's in their order."""

import pytest

from tollhouse.core.catalogue import TextFormat
from tollhouse.core.operation import Operation
from tollhouse.providers.openai_target import target
from tollhouse.providers.targets import choose

BOTH = choose(text={"openai_chat": "/chat", "anthropic_messages": "/messages"}, others={"embeddings": "/embeddings"})


@pytest.mark.parametrize(
    ("operation", "speaks", "path", "wire"),
    [
        ("chat", ("openai_chat", "openai_responses"), "/chat/completions", "openai_chat"),
        ("responses", ("openai_chat", "openai_responses"), "/responses", "openai_responses"),
        ("completions", ("openai_responses", "openai_chat"), "/completions", "openai_completions"),
        ("chat", ("openai_responses",), "/responses", "openai_responses"),
        ("responses", ("openai_chat",), "/chat/completions", "openai_chat"),
        ("completions", ("openai_responses",), "/responses", "openai_responses"),
        ("embeddings", (), "/embeddings", "openai_embeddings"),
        ("moderations", (), "/moderations", "openai_moderations"),
    ],
)
def test_openais_operations(operation: Operation, speaks: tuple[TextFormat, ...], path: str, wire: str) -> None:
    found = target(operation, "m", True, speaks)
    assert found is not None
    assert (found.path, found.format) == (path, wire)


@pytest.mark.parametrize(
    ("operation", "speaks", "wire"),
    [
        ("chat", ("anthropic_messages", "openai_chat"), "openai_chat"),
        ("responses", ("anthropic_messages", "openai_chat"), "anthropic_messages"),
        ("responses", ("openai_chat", "anthropic_messages"), "openai_chat"),
        ("completions", ("openai_chat",), "openai_chat"),
        ("chat", ("anthropic_messages",), "anthropic_messages"),
        ("chat", ("gemini_content", "anthropic_messages"), "anthropic_messages"),
        ("chat", ("gemini_content",), None),
        ("chat", (), None),
        ("moderations", ("openai_chat",), None),
    ],
)
def test_a_format_that_the_vendor_has_and_the_provider_speaks(
    operation: Operation, speaks: tuple[TextFormat, ...], wire: str | None
) -> None:
    found = BOTH(operation, "m", False, speaks)
    assert (None if found is None else found.format) == wire
