"""One table of settings: precedence, mistakes, and documentation that cannot drift."""

from pathlib import Path

import pytest

from tollhouse import settings
from tollhouse.settings import build, split_address, table

ROOT = Path(__file__).parents[2]


def wheres(mistakes: list[settings.Mistake]) -> list[str]:
    return [mistake.where for mistake in mistakes]


def test_docs_equal_the_table() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert text == settings.render_docs(), "run `make docs` and commit docs/settings.md"


def test_defaults_are_valid_and_as_the_contract_names_them() -> None:
    built, mistakes = build({}, {}, {})
    assert not mistakes
    assert built.server.listen == "127.0.0.1:8080"
    assert built.server.metrics_address == "127.0.0.1:9464"
    assert built.server.max_body_bytes == 32 * 1024 * 1024
    assert built.server.max_answer_bytes == 64 * 1024 * 1024
    assert (built.server.lame_duck_seconds, built.server.drain_seconds) == (5, 60)


def test_every_setting_has_help_and_server_settings_have_an_environment_variable() -> None:
    for row in table():
        assert row.help
        assert (row.env == f"TOLLHOUSE_{row.name.upper()}") == (row.section == "server")


def test_flags_beat_environment_beats_file_beats_default() -> None:
    file = {"server": {"listen": "10.0.0.1:1"}}
    environment = {"TOLLHOUSE_LISTEN": "10.0.0.1:2"}
    assert build(file, {}, {})[0].server.listen == "10.0.0.1:1"
    assert build(file, environment, {"listen": None})[0].server.listen == "10.0.0.1:2"
    assert build(file, environment, {"listen": "10.0.0.1:3"})[0].server.listen == "10.0.0.1:3"


def test_environment_text_is_read_as_the_settings_type() -> None:
    environment = {"TOLLHOUSE_DRAIN_SECONDS": "0.5", "TOLLHOUSE_TRUSTED_PROXIES": "10.0.0.0/8, ::1/128"}
    built, mistakes = build({}, environment, {})
    assert not mistakes
    assert built.server.drain_seconds == 0.5
    assert built.server.trusted_proxies == ("10.0.0.0/8", "::1/128")


def test_a_text_in_the_file_is_not_taken_for_a_number() -> None:
    assert wheres(build({"server": {"drain_seconds": "60"}}, {}, {})[1]) == ["server.drain_seconds"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TOLLHOUSE_LISTEN", "8080"),
        ("TOLLHOUSE_LISTEN", "localhost:70000"),
        ("TOLLHOUSE_MAX_BODY_BYTES", "32MB"),
        ("TOLLHOUSE_DRAIN_SECONDS", "-1"),
        ("TOLLHOUSE_DRAIN_SECONDS", "nan"),
        ("TOLLHOUSE_TRUSTED_PROXIES", "everything"),
        ("TOLLHOUSE_DATABASE", "mysql://x"),
        ("TOLLHOUSE_COUNTERS", "file:"),
        ("TOLLHOUSE_WORKERS", "2"),
    ],
)
def test_bad_values_are_mistakes(variable: str, value: str) -> None:
    assert build({}, {variable: value}, {})[1]


@pytest.mark.parametrize(
    ("written", "where", "message"),
    [
        ({"workers": 2}, "server.workers", "runs one process"),
        ({"workers": 2, "database": "postgresql://u@h/db"}, "server.workers", "runs one process"),
        ({"counters": "redis://h/0"}, "server.counters", "in memory only: write memory:"),
        ({"counters": "rediss://h/0"}, "server.counters", "in memory only: write memory:"),
        ({"counters": "memory://"}, "server.counters", "write memory:"),
    ],
)
def test_what_several_processes_would_need_is_refused(written: dict[str, object], where: str, message: str) -> None:
    (mistake,) = build({"server": written}, {}, {})[1]
    assert mistake.where == where
    assert message in mistake.message


def test_unknown_keys_name_the_nearest_known_one() -> None:
    _, mistakes = build({"server": {"databse": "x"}, "mail": {"form": "x"}}, {}, {})
    assert wheres(mistakes) == ["server.databse", "mail.form"]
    assert mistakes[0].message.endswith("nearest known one is database")
    assert mistakes[1].message.endswith("nearest known one is from")


def test_addresses() -> None:
    assert split_address("[::1]:80") == ("::1", 80)
    assert split_address("localhost:0") == ("localhost", 0)
    for text in ("", ":80", "host", "host:", "host:x", "host:٣"):
        with pytest.raises(ValueError, match="host:port"):
            split_address(text)
