"""A mistake is told of the place where it was written, with the cure of that mistake (cases F01, F07, N27, N28)."""

import codecs

import pytest

from tollhouse.providers import kinds
from tollhouse.services.platform_file import ConfigEnvironment, PlatformFile, read
from tollhouse.services.secret_references import MissingSecret, resolve
from tollhouse.settings import build, table

VARIABLES = [row.env for row in table() if row.env]
KNOWN_WRONG = {
    "TOLLHOUSE_LISTEN": ":18390",
    "TOLLHOUSE_METRICS_ADDRESS": "9464",
    "TOLLHOUSE_DATABASE": "tollhouse.db",
    "TOLLHOUSE_TRUSTED_PROXIES": "10.0.0.0/8,nginx",
    "TOLLHOUSE_WORKERS": "many",
    "TOLLHOUSE_MAX_BODY_BYTES": "32MB",
    "TOLLHOUSE_DRAIN_SECONDS": "60s",
    "TOLLHOUSE_CONNECTIONS_MAX": "0",
    "TOLLHOUSE_KEEP_ALIVE_SECONDS": "-1",
    "TOLLHOUSE_HEADER_BYTES_MAX": "64K",
    "TOLLHOUSE_REQUESTS_PER_MINUTE_PER_ADDRESS": "-1",
}


def read_text(text: str, **environment: str) -> PlatformFile:
    return read(text.encode(), ConfigEnvironment(environment=environment, read_file=lambda path: path, kinds=kinds()))


def told(text: str) -> list[str]:
    return [str(mistake) for mistake in read_text(text).mistakes]


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("empty", ["", " ", "\r\n"])
def test_an_empty_variable_is_as_not_set(variable: str, empty: str) -> None:
    file = {"server": {"listen": "10.0.0.1:1", "workers": 1, "database": "sqlite:///x.db"}}
    assert build(file, {variable: empty}, {}) == build(file, {}, {})


@pytest.mark.parametrize(("variable", "value"), KNOWN_WRONG.items())
@pytest.mark.parametrize("file", ["", '[server]\nlisten = "127.0.0.1:1"\nworkers = 1\n'])
def test_a_wrong_variable_is_refused_by_its_own_name(variable: str, value: str, file: str) -> None:
    (mistake,) = read_text(file, **{variable: value}).mistakes
    assert (mistake.where, mistake.line) == (variable, None)


def test_a_wrong_flag_is_refused_by_its_own_name() -> None:
    (mistake,) = build({"server": {"listen": "10.0.0.1:1"}}, {"TOLLHOUSE_LISTEN": "10.0.0.1:2"}, {"listen": ":1"})[1]
    assert mistake.where == "--listen"


def test_several_workers_are_refused_where_they_were_asked_for() -> None:
    assert {str(one.where) for one in build({}, {"TOLLHOUSE_WORKERS": "2"}, {})[1]} == {"TOLLHOUSE_WORKERS"}
    assert {str(one.where) for one in build({"server": {"workers": 2}}, {}, {})[1]} == {"server.workers"}


def test_a_variable_from_a_file_of_windows_lines_is_read_without_its_end() -> None:
    built, mistakes = build({}, {"TOLLHOUSE_LISTEN": "10.0.0.1:2\r", "TOLLHOUSE_DRAIN_SECONDS": "5\r\n"}, {})
    assert (built.server.listen, built.server.drain_seconds, mistakes) == ("10.0.0.1:2", 5, [])


@pytest.mark.parametrize(("source", "value"), [("env", "none"), ("file", "none"), ("file", "")])
def test_metrics_are_turned_off_by_a_word(source: str, value: str) -> None:
    file = {"server": {"metrics_address": value}} if source == "file" else {}
    environment = {"TOLLHOUSE_METRICS_ADDRESS": value} if source == "env" else {}
    built, mistakes = build(file, environment, {})
    assert (built.server.metrics_address, mistakes) == ("", [])


@pytest.mark.parametrize(
    ("text", "line", "cure"),
    [
        ('[models.gpt-4.1]\nprice = { input = "1" }', 1, '[models."gpt-4.1"]'),
        ('[models]\ngpt-4.1.price = { input = "1" }', 2, '[models."gpt-4.1"]'),
        ('[models]\ngpt-4.1 = { price = { input = "1" } }', 2, '[models."gpt-4.1"]'),
        ('[models.gpt-4.1.price]\ninput = "1"', 1, '[models."gpt-4.1"]'),
        ("[models.gpt-4.1.mini]\nfree = true", 1, '[models."gpt-4.1.mini"]'),
        ("[models.qwen2.5-coder]\nfree = true", 1, '[models."qwen2.5-coder"]'),
        ("[models.claude-3.5-sonnet]\nfree = true", 1, '[models."claude-3.5-sonnet"]'),
        ("[models.gemini-2.5-pro]\n[models.gemini-2.5-flash]", 1, '[models."gemini-2.5-pro"]'),
        ("[models.gpt-4]\nfree = true\n[models.gpt-4.1]\nfree = true", 3, '[models."gpt-4.1"]'),
        ('[providers.openai.eu]\nkind = "openai"', 1, '[providers."openai.eu"]'),
        ('[providers.vllm.local.8000]\nkind = "openai"', 1, '[providers."vllm.local.8000"]'),
        ("[plans.team.v2]\nparallel_requests = 5", 1, '[plans."team.v2"]'),
        ("[models.openai/gpt-4o]\nfree = true", 1, '[models."openai/gpt-4o"]'),
        ("[models.qwen:7b]\nfree = true", 1, '[models."qwen:7b"]'),
        ("[models.\u6a21\u578b]\nfree = true", 1, '[models."\u6a21\u578b"]'),
        ("[models.gpt 4o]\nfree = true", 1, '[models."gpt 4o"]'),
        ("[models.m@v1]\nfree = true", 1, '[models."m@v1"]'),
        ("[models]\nopenai/gpt-4o = { free = true }", 2, '"openai/gpt-4o" = ...'),
        ("[models.x]\nowned_by = tollhouse", 2, "a text stands in quotes"),
    ],
)
def test_a_name_without_its_quotes_is_told_with_line_and_cure(text: str, line: int, cure: str) -> None:
    mistakes = read_text(text).mistakes
    assert mistakes[0].line == line
    assert cure in mistakes[0].message
    assert all("nearest" not in mistake.message for mistake in mistakes)


def test_a_quoted_name_is_a_name() -> None:
    text = '[models."gpt-4.1"]\nfree = true\naliases = ["gpt-4.1-latest", "a/b:c"]\n[plans."team.v2"]\n'
    reading = read_text(text)
    assert not reading.mistakes
    assert (list(reading.catalogue.models), list(reading.catalogue.plans)) == (["gpt-4.1"], ["team.v2"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[plattform]\nname = "x"', "plattform (line 1): unknown table; the nearest known one is [platform]"),
        ("[server]\ndatabse = 1", "server.databse (line 2): unknown key; the nearest known one is database"),
        ("[alerts]\nx = 1", "alerts (line 1): unknown table; the nearest known one is ["),
        ('[models.x.prices]\ninput = "1"', "models.x.prices (line 1): unknown key; the nearest known one is price"),
        ('[models.x]\nprices = { input = "1" }', "models.x.prices (line 2): unknown key; the nearest"),
        ('[providers.up]\nkind = "openai"\napi_key = "k"', "providers.up.api_key (line 3): unknown key; the nearest"),
        ("[models.x]\nprice = { input = 2.5 }", 'models.x.price.input (line 2): write the amount as text: "2.5"'),
        ("[model.x]\nfree = true", "model (line 1): unknown table; the nearest known one is [models]"),
        ('[provider.up]\nkind = "openai"', "provider (line 1): unknown table; the nearest known one is [providers]"),
        ('[[models]]\nid = "x"', "models (line 1): expected a table: [models.NAME]"),
        ('[[providers]]\nid = "x"', "providers (line 1): expected a table: [providers.NAME]"),
        ('[[server]]\nlisten = "x"', "server (line 1): expected a table: [server]"),
        ('listen = "127.0.0.1:1"', "listen (line 1): it belongs below [server]"),
        ('[platform]\nlisten = "127.0.0.1:1"', "platform.listen (line 2): it belongs below [server]"),
        ('[server]\npublic_url = "https://x"', "server.public_url (line 2): it belongs below [platform]"),
        ('[server]\nsmtp = "smtp://h"', "server.smtp (line 2): it belongs below [mail]"),
        ("[server.listen]\nport = 1", "server.listen (line 1): expected text, got a table"),
        ("[Server]\nworkers = 1", "Server (line 1): unknown table; the nearest known one is [server]"),
        ("[models.x]\nprice = {}", "models.x.price (line 2): a price names at least one amount"),
        ('[models.x]\nprice = { input = "" }', "models.x.price.input (line 2): '' is not an amount"),
        ('[models.x]\nprice = { input = "0" }', "models.x.price (line 2): a price of nothing: write free = true"),
        ('[models.x.price]\ninput = "0.00"\noutput = "0"', "models.x.price (line 1): a price of nothing"),
    ],
)
def test_what_is_misspelt_or_misplaced_is_told_with_its_line(text: str, said: str) -> None:
    assert [line for line in told(text) if line.startswith(said)], told(text)


def test_all_mistakes_stand_in_one_answer() -> None:
    text = (
        '[plattform]\nname = "x"\n[server]\ndatabse = "x"\n[alerts]\nx = 1\n'
        "[models.x]\nprices = 1\nprice = { input = 2.5 }"
    )
    assert [mistake.line for mistake in read_text(text).mistakes] == [1, 4, 5, 8, 9]


def test_a_price_of_nothing_beside_free_is_free_and_a_cost_of_nothing_is_a_cost() -> None:
    assert told('[models.x]\nfree = true\nprice = { input = "0" }') == []
    assert told('[providers.up]\nkind = "simulator"\ncost = { m = { input = "0" } }') == []


@pytest.mark.parametrize("marked", [codecs.BOM_UTF8, b""])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_and_windows_lines_lose_nothing(marked: bytes, end: bytes) -> None:
    config_environment = ConfigEnvironment(environment={}, read_file=lambda path: path, kinds=kinds())
    reading = read(marked + b"[server]" + end + b'listen = "127.0.0.1:7"' + end, config_environment)
    assert (reading.settings.server.listen, reading.mistakes) == ("127.0.0.1:7", ())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_refused_by_name(encoding: str) -> None:
    config_environment = ConfigEnvironment(environment={}, read_file=lambda path: path, kinds=kinds())
    (mistake,) = read('[server]\nlisten = "127.0.0.1:7"\n'.encode(encoding), config_environment).mistakes
    assert "UTF-" in mistake.message
    assert "save it as UTF-8" in mistake.message


CONFIG_ENVIRONMENT = ("{}", "{}\n", "{}\r\n", "{}\r", "\ufeff{}", "\ufeff{}\r\n", "\n{}\n\n", "{}\ufeff")


@pytest.mark.parametrize("shape", CONFIG_ENVIRONMENT)
def test_secrets_of_files_and_of_the_environment_are_trimmed_alike(shape: str) -> None:
    text = shape.format("sk-secret")
    assert resolve("env:KEY", {"KEY": text}, lambda path: "") == "sk-secret"
    assert resolve("file:key", {}, lambda path: text) == "sk-secret"


@pytest.mark.parametrize("text", ["", "\n", "\r\n", "\ufeff", "\ufeff\r\n"])
def test_a_secret_of_nothing_is_refused_by_its_place(text: str) -> None:
    with pytest.raises(MissingSecret, match="environment variable KEY is empty"):
        resolve("env:KEY", {"KEY": text}, lambda path: "")
    with pytest.raises(MissingSecret, match="file:key is empty"):
        resolve("file:key", {}, lambda path: text)


def test_a_secret_that_another_shell_wrote_as_utf_16_is_named() -> None:
    def read_file(path: str) -> str:
        return "sk-secret\r\n".encode("utf-16").decode()

    with pytest.raises(MissingSecret, match="UTF-16"):
        resolve("file:key", {}, read_file)
