"""platform.toml: what operators write, in whatever encoding, with every mistake named at once."""

import codecs
from typing import Any

import pytest
from msgspec import structs

from tollhouse.core.failure import UpstreamError
from tollhouse.outbound.mail_server import read_sender, read_smtp
from tollhouse.providers import Fault, Kind
from tollhouse.providers.openai_target import target
from tollhouse.services.platform_file import BadApiKey, ConfigEnvironment, PlatformFile, keys_of, read
from tollhouse.services.secret_references import MissingSecret


def kind(name: str, **fields: Any) -> Kind:
    def fault(*_: object) -> Fault:
        return Fault(failure=UpstreamError("no"), blame="none")

    return Kind(
        name=name,
        title=name,
        speaks=("openai_chat", "openai_responses"),
        target=target,
        make_headers=lambda key, provider, asked: [],
        read_error=fault,
        **fields,
    )


KINDS = {
    "openai": kind("openai", base_url="https://openai.example/v1"),
    "openai_compatible": kind("openai_compatible", needs_api_key=False),
    "simulator": kind("simulator", needs_api_key=False, in_process=True),
}


def no_file(path: str) -> str:
    raise FileNotFoundError(2, "No such file or directory", path)


def config_environment(**environment: str) -> ConfigEnvironment:
    return ConfigEnvironment(environment=environment, read_file=no_file, kinds=KINDS)


def mailing(files: ConfigEnvironment) -> ConfigEnvironment:
    return structs.replace(files, read_smtp=read_smtp, read_sender=read_sender)


def read_text(text: str, **environment: str) -> PlatformFile:
    return read(text.encode(), config_environment(**environment))


GOOD = """
[server]
listen = "127.0.0.1:0"

[models."house-1"]
offers = [{ provider = "up", model = "up-house" }]
price = { input = "2.50", output = "10.00" }

[providers.up]
kind = "openai_compatible"
base_url = "https://up.example/v1"
api_keys = ["env:MAIN_KEY"]
"""


def test_a_good_file() -> None:
    reading = read_text(GOOD, MAIN_KEY="sk-1")
    assert not reading.mistakes
    assert not reading.warnings
    assert reading.settings.server.listen == "127.0.0.1:0"
    assert reading.catalogue.providers["up"].api_keys == ("env:MAIN_KEY",), "the reference is kept, never the secret"
    assert reading.catalogue.models["house-1"].offers[0].model == "up-house"


def test_an_empty_file_is_all_defaults() -> None:
    reading = read(b"", config_environment())
    assert not reading.mistakes
    assert reading.settings.server.listen == "127.0.0.1:8080"


def test_byte_order_mark_and_crlf_lose_nothing() -> None:
    data = codecs.BOM_UTF8 + GOOD.lstrip().replace("\n", "\r\n").encode()
    reading = read(data, config_environment(MAIN_KEY="sk-1"))
    assert not reading.mistakes
    assert reading.settings.server.listen == "127.0.0.1:0", "the first table was lost behind the byte order mark"


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"), ("utf-32", "UTF-32"), ("cp1252", "UTF-8")],
)
def test_other_encodings_are_refused_by_name(encoding: str, named: str) -> None:
    reading = read(("# prix en €\n" + GOOD).encode(encoding), config_environment(MAIN_KEY="sk-1"))
    assert len(reading.mistakes) == 1
    assert named in reading.mistakes[0].message


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ('smtp = "mail.example:25"', "mail.smtp", "write smtp://"),
        ('smtp = "env:SMTP"', "mail.smtp", "SMTP is not set"),
        ('from = "nobody at all"', "mail.from", "name <address>"),
    ],
)
def test_a_mail_server_that_is_none_is_found_before_the_start(text: str, where: str, said: str) -> None:
    (mistake,) = read(f"[mail]\n{text}\n".encode(), mailing(config_environment())).mistakes
    assert (mistake.where, mistake.line) == (where, 2)
    assert said in mistake.message


def test_a_mail_server_may_stand_in_the_environment() -> None:
    text = '[mail]\nsmtp = "env:SMTP"\nfrom = "toll <t@toll.example>"\n'
    assert not read(text.encode(), mailing(config_environment(SMTP="smtps://u:p@mail.example"))).mistakes


def test_each_misspelling_is_named_with_the_nearest_key_and_its_line_all_in_one_run() -> None:
    text = """
[plattform]
name = "x"

[server]
databse = "sqlite:///x.db"

[alerts]

[models.x]
offers = []
prices = { input = "1" }

[models.y]
price = { input = 2.5, outptu = "1" }

[providers.up]
kind = "openai"
base_url = "https://up.example/v1"
api_key = "k"

[plans.default]
request_per_minute = 5
limits = { token_per_minute = 5, parallel_requests = 0, requests_per_minute = 7 }
"""
    found = {mistake.where: mistake for mistake in read_text(text).mistakes}
    expected = {
        "plattform": ("[platform]", 2),
        "server.databse": ("database", 6),
        "alerts": ("nearest known one is", 8),
        "models.x.prices": ("nearest known one is price", 12),
        "models.y.price.outptu": ("nearest known one is output", 15),
        "models.y.price.input": ("as text", 15),
        "providers.up.api_key": ("nearest known one is api_keys", 20),
        "plans.default.request_per_minute": ("nearest known one is requests_per_minute", 23),
        "plans.default.limits.token_per_minute": ("nearest known one is tokens_per_minute", 24),
        "plans.default.limits.parallel_requests": ("1", 24),
    }
    assert set(found) == set(expected)
    for where, (words, line) in expected.items():
        assert words in found[where].message
        assert found[where].line == line, where


@pytest.mark.parametrize(
    "amount", ["-7", "-0", "NaN", "Infinity", "1e400", "1e-12", "0.0000000001", "1,5", "٣", "9" * 40, "", " 1", "+1"]
)
@pytest.mark.parametrize(
    ("template", "where"),
    [
        ('[models.x]\noffers = []\nprice = {{ input = "{}" }}', "models.x.price.input"),
        ('[plans.p]\ncredit_limit_usd = "{}"', "plans.p.credit_limit_usd"),
        ('[plans.p]\nsystem_hard_limit_usd = "{}"', "plans.p.system_hard_limit_usd"),
        (
            '[providers.p]\nkind = "simulator"\ncost = {{ "m" = {{ output = "{}" }} }}',
            "providers.p.cost.m.output",
        ),
    ],
)
def test_amounts_that_are_none_are_refused_with_the_field(template: str, where: str, amount: str) -> None:
    assert [mistake.where for mistake in read_text(template.format(amount)).mistakes] == [where]


@pytest.mark.parametrize("amount", ["0", "0.000000001", "2.50", "9000000000"])
def test_zero_and_nine_decimals_are_amounts(amount: str) -> None:
    assert not read_text(f'[plans.p]\nsystem_hard_limit_usd = "{amount}"').mistakes


def test_unlimited_is_a_credit_limit_and_no_price() -> None:
    assert not read_text('[plans.p]\ncredit_limit_usd = "unlimited"').mistakes
    assert read_text('[plans.p]\nsystem_hard_limit_usd = "unlimited"').mistakes


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('["env:ABSENT"]', "environment variable ABSENT is not set"),
        ('["file:gone.txt"]', "file gone.txt cannot be read: No such file"),
        ('["env:EMPTY"]', "environment variable EMPTY is empty"),
        ('["env:ODD"]', "U+00E9"),
        ('["sk-a b"]', "key 1: character 5 of 6"),
        ('[""]', "key 1: the key is empty"),
        ('["sk-ok", "sk-café"]', "key 2: character 7 of 7"),
    ],
)
def test_bad_and_missing_keys_are_refused_by_place_without_showing_them(keys: str, words: str) -> None:
    text = f'[providers.up]\nkind = "openai_compatible"\nbase_url = "https://h/v1"\napi_keys = {keys}'
    (mistake,) = read_text(text, EMPTY="", ODD="sk-café").mistakes
    assert mistake.where == "providers.up.api_keys"
    assert mistake.line == 4
    assert words in mistake.message
    assert "sk-" not in mistake.message


def test_the_same_key_twice_is_a_warning_and_used_once() -> None:
    text = '[providers.up]\nkind = "openai"\nbase_url = "https://h/v1"\napi_keys = ["sk-1", "env:TWIN", "sk-2"]'
    reading = read_text(text, TWIN="sk-1")
    assert not reading.mistakes
    assert "key 2 is the same as key 1" in reading.warnings[0].message
    assert keys_of(reading.catalogue.providers["up"], config_environment(TWIN="sk-1")) == ("sk-1", "sk-2")
    with pytest.raises(MissingSecret, match="TWIN"):
        keys_of(reading.catalogue.providers["up"], config_environment())
    with pytest.raises(BadApiKey, match="blank"):
        keys_of(reading.catalogue.providers["up"], config_environment(TWIN="sk 1"))


def test_a_kind_has_its_own_form_of_a_key() -> None:
    own = kind("own", base_url="https://h/v1", check_key=lambda key: None if ":" in key else "there is no colon")
    environment = structs.replace(config_environment(), kinds={"own": own})
    reading = read(b'[providers.up]\nkind = "own"\napi_keys = ["a:b", "c"]', environment)
    assert [(one.where, one.message) for one in reading.mistakes] == [
        ("providers.up.api_keys", "key 2: there is no colon")
    ]
    with pytest.raises(BadApiKey, match="no colon"):
        keys_of(reading.catalogue.providers["up"], environment)


@pytest.mark.parametrize(
    "written", ["https://h/v1", "https://h/v1/", "https://h/", " https://h ", "https://h/v1/chat/completions"]
)
def test_base_urls_are_kept_in_one_form(written: str) -> None:
    reading = read_text(f'[providers.up]\nkind = "openai_compatible"\nbase_url = "{written}"')
    assert not reading.mistakes
    assert reading.catalogue.providers["up"].base_url == "https://h/v1"


@pytest.mark.parametrize("written", ["h/v1", "https://h/v1?x=1", "https://u:pass@h/v1", ""])
def test_other_addresses_are_refused_with_the_cure(written: str) -> None:
    (mistake,) = read_text(f'[providers.up]\nkind = "openai_compatible"\nbase_url = "{written}"').mistakes
    assert mistake.where == "providers.up.base_url"
    assert "pass@" not in mistake.message


def test_a_secret_in_a_file_loses_its_line_end_only() -> None:
    files = ConfigEnvironment(environment={}, read_file=lambda path: "\ufeffsk-1\r\n", kinds=KINDS)
    reading = read(b'[providers.up]\nkind = "openai"\nbase_url = "https://h"\napi_keys = ["file:k"]', files)
    assert keys_of(reading.catalogue.providers["up"], files) == ("sk-1",)


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ('[models.x]\noffers = [{ provider = "pu", model = "m" }]', "models.x.offers", "did you mean 'up'"),
        ('[models.x]\noffers = [{ provider = "up" }]', "models.x.offers.model", "missing"),
        ('[models.x]\noffers = [{ provider = "up", model = "m", wieght = 2 }]', "models.x.offers.wieght", "weight"),
        ('[models.x]\naliases = ["z"]', "models.x.aliases", "already an alias of"),
        ('[models.x]\naliases = ["y"]', "models.x.aliases", "a model of its own"),
        ('[models.x]\nsuccessor = "x"', "models.x.successor", "succeed itself"),
        ('[models.x]\nretires_at = "2027-13-01"', "models.x.retires_at", "a date"),
        ('[models.x]\nretires_at = "soon"', "models.x.retires_at", "a date"),
        ("[models.x]\ncontext_tokens = -1", "models.x.context_tokens", "from 1"),
        ("[models.x]\ncontext_tokens = true", "models.x.context_tokens", "whole number"),
        ('[models.x]\ncontext_tokens = "8k"', "models.x.context_tokens", "whole number"),
        ('[models.x]\nprice = "2.50"', "models.x.price", "expected a table"),
        ('[models.x]\nprice = { cache_read = "1" }', "models.x.price", "input has no price"),
        ('[models."simulate/x"]', 'models."simulate/x"', "simulator"),
        ('[models." x"]', 'models." x"', "printing characters"),
        ("[providers.q]", "providers.q.kind", "missing"),
        ('[providers.q]\nkind = "opnai"', "providers.q.kind", "nearest known one is openai"),
        ('[providers.q]\nkind = "openai"\nbase_url = "h/v1"', "providers.q.base_url", "begins with its scheme"),
        ('[providers.q]\nkind = "simulator"\nspeaks = ["chat"]', "providers.q.speaks", "openai_chat"),
        ('[providers.q]\nkind = "simulator"\non_disconnect = "stop"', "providers.q.on_disconnect", "abort, drain"),
        ('[providers.q]\nkind = "simulator"\nmanaged_by = "api"', "providers.q.managed_by", "unknown key"),
        (
            '[providers.q]\nkind = "simulator"\nheaders = { "a\\nb" = "c" }',
            'providers.q.headers."a\\nb"',
            "name of a header",
        ),
        ('[providers.q]\nkind = "simulator"\nheaders = { a = "b\\r\\nc" }', "providers.q.headers.a", "printing ASCII"),
        ('[providers."q r"]\nkind = "simulator"', 'providers."q r"', "A-Z"),
        ('[support]\nchannels = [{ kind = "email" }]', "support.channels", "value"),
    ],
)
def test_single_mistakes(text: str, where: str, words: str) -> None:
    base = '[providers.up]\nkind = "simulator"\n[models.y]\nfree = true\noffers = []\naliases = ["z"]\n'
    (mistake,) = read_text(base + text).mistakes
    assert mistake.where == where
    assert words in mistake.message


def test_a_table_that_is_a_value() -> None:
    (mistake,) = read_text("models = 3").mistakes
    assert str(mistake) == "models (line 1): expected a table: [models.NAME]"


def test_broken_toml_names_line_and_column() -> None:
    (mistake,) = read_text('[server]\nlisten = "x\n').mistakes
    assert mistake.line == 2
    assert "column" in mistake.message


def test_a_model_without_price_or_offers_is_a_warning() -> None:
    reading = read_text("[models.x]")
    assert [str(warning) for warning in reading.warnings] == ["models.x (line 1): no offers: nothing serves it"]
    assert {model: str(words) for model, words in reading.unpriced.items()} == {
        "x": "models.x (line 1): no price: calls are refused until it has one, or says free = true"
    }


WHOLE = """
[server]
listen = "127.0.0.1:8080"
database = "sqlite:///tollhouse.db"
counters = "memory:"
master_key = "env:TOLLHOUSE_MASTER_KEY"
lame_duck_seconds = 5
drain_seconds = 60
[outbound]
allow_networks = []
[platform]
[support]
[mail]
[providers.main]
kind = "openai"
base_url = "https://provider.example/v1"
api_keys = ["env:MAIN_KEY"]
connect_seconds = 5
first_byte_seconds = 600
idle_seconds = 300
on_disconnect = "abort"
speaks = ["openai_chat", "openai_responses"]
cost = { "gpt-4o-2024-11-20" = { input = "2.00", output = "8.00" } }
[models."gpt-4o"]
offers = [{ provider = "main", model = "gpt-4o-2024-11-20", priority = 0, weight = 1 }]
context_tokens = 128000
max_output_tokens = 16384
price = { input = "2.50", cache_read = "1.25", output = "10.00" }
groups = ["default"]
aliases = ["gpt-4o-latest"]
retires_at = "2027-06-01"
successor = "gpt-5"
[plans.default]
requests_per_minute = 500
tokens_per_minute = 200000
parallel_requests = 50
credit_limit_usd = "0"
system_hard_limit_usd = "1000"
"""


def test_a_file_that_says_everything_once_loads_also_with_a_successor_that_is_not_offered_yet() -> None:
    reading = read_text(WHOLE, MAIN_KEY="sk-1")
    assert not reading.mistakes
    assert reading.catalogue.models["gpt-4o"].successor == "gpt-5"
    (warning,) = reading.warnings
    assert warning.where == "models.gpt-4o.successor"
    assert "there is no model 'gpt-5'" in warning.message


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[platform]\nregions = ["eu"]', "platform.regions"),
        ('[platform]\ncurrency = "EUR"', "platform.currency"),
    ],
)
def test_what_has_no_effect_yet_says_so(text: str, where: str) -> None:
    reading = read_text(text)
    assert not reading.mistakes
    (warning,) = reading.warnings
    assert (warning.where, warning.line) == (where, 2)
    assert "it has no effect" in warning.message


def test_model_names_may_hold_slashes_colons_and_any_script() -> None:
    reading = read_text(
        '[models."meta/llama:7b"]\nfree = true\noffers = []\n[models."通义千问"]\nfree = true\noffers = []'
    )
    assert not reading.mistakes
    assert set(reading.catalogue.models) == {"meta/llama:7b", "通义千问"}
