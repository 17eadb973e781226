"""Clients are told by name and numeric version; nothing else of the header is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.access.clients import OTHER, client_of


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("OpenAI/Python 3.57.0", "OpenAI/Python 3.57.0"),
        ("AsyncOpenAI/Python 3.57.0", "AsyncOpenAI/Python 3.57.0"),
        ("OpenAI/JS 6.1.0", "OpenAI/JS 6.1.0"),
        ("Anthropic/Python 2.13.0", "Anthropic/Python 2.13.0"),
        ("Anthropic/JS 0.61.0", "Anthropic/JS 0.61.0"),
        ("claude-cli/2.1.197 (external, cli)", "claude-cli/2.1.197"),
        ("codex_exec/0.169.0 (Debian 12; x86_64) xterm", "codex_exec/0.169.0"),
        ("codex_cli_rs/0.44.0 (Mac OS 15.1; arm64)", "codex_cli_rs/0.44.0"),
        ("GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64)", "GeminiCLI-tui/0.61.0"),
        ("google-genai-sdk/3.6.1 gl-python/3.11.7", "google-genai-sdk/3.6.1"),
        ("opencode/1.18.33", "opencode/1.18.33"),
        ("ai-sdk/openai-compatible/1.0.5", "ai-sdk/openai-compatible/1.0.5"),
        ("curl/7.88.1", "curl/7.88.1"),
        ("python-requests/2.32.3", "python-requests/2.32.3"),
        ("curl/7.88.1-DEV", "curl/7.88.1"),
        ("curl/", OTHER),
        ("curl", OTHER),
        ("mycurl/7.88.1", OTHER),
        ("", OTHER),
        ("Mozilla/5.0 (X11; Linux x86_64)", OTHER),
        ("OpenAI/Python secret-host", OTHER),
    ],
)
def test_known_clients(header: str, client: str) -> None:
    assert client_of(header.encode()) == client


@given(st.sampled_from(["curl/", "OpenAI/Python ", "claude-cli/", "ai-sdk/", ""]), st.binary(max_size=300))
def test_what_is_kept_is_short_and_plain(start: str, rest: bytes) -> None:
    client = client_of(start.encode() + rest)
    assert len(client) <= 80
    assert client.isascii()
    assert client.isprintable()


def test_a_canary_behind_the_version_is_not_kept() -> None:
    assert "canary" not in client_of(b"claude-cli/2.1.197 canary /home/canary")
