"""`doctor`: each check sees what is wrong in a real folder and says what to do."""

import os
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.test_commands import Folder
from tests.outbound.receivers import mailbox
from tollhouse.access.vault import Vault
from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.examination import checks, examine
from tollhouse.cli.doctor.verdict import CheckVerdict
from tollhouse.clock import SystemClock
from tollhouse.core.examination import DoctorReport
from tollhouse.providers import kinds
from tollhouse.services.platform_file import ConfigEnvironment, read
from tollhouse.store.database import migrate
from tollhouse.store.file_lock import FileLock
from tollhouse.store.holder import Holder


class StoppedClock:
    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def ticks_ns(self) -> int:
        return 0


def context(folder: Path, text: str = "", environment: Mapping[str, str] | None = None) -> DiagnosticContext:
    around = ConfigEnvironment(
        environment=environment or {},
        read_file=lambda path: (folder / path).read_text(encoding="utf-8"),
        kinds=kinds(),
    )
    if text:
        (folder / "platform.toml").write_text(text, encoding="utf-8")
    return DiagnosticContext(
        options=CommonOptions(chosen=folder),
        reading=read(text.encode(), around),
        environment=around,
        clock=SystemClock(),
    )


def verdict(name: str, given: DiagnosticContext) -> CheckVerdict:
    found: CheckVerdict = dict(checks())[name].check(given)
    assert found.reason
    assert bool(found.cure) == (found.state == "red")
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_every_check_has_a_title_and_there_are_at_least_twelve() -> None:
    titles = [module.TITLE for _, module in checks()]
    assert len(titles) >= 12
    assert len(set(titles)) == len(titles)


def test_a_fresh_installation_is_green(folder: Path) -> None:
    text = '[server]\nlisten = "127.0.0.1:0"\nmetrics_address = "none"\n'
    migrate("sqlite:///tollhouse.db", folder)
    report = examine(context(folder, text))
    assert report.ok, [check for check in report.checks if check.state == "red"]
    assert isinstance(report, DoctorReport)
    assert {check.id for check in report.checks} == {name for name, _ in checks()}


def test_an_empty_folder_lacks_a_database_and_looking_makes_none(folder: Path) -> None:
    free = {"TOLLHOUSE_LISTEN": "127.0.0.1:0", "TOLLHOUSE_METRICS_ADDRESS": "none"}  # whatever else the machine runs
    report = examine(context(folder, environment=free))
    assert [check.id for check in report.checks if check.state == "red"] == ["database"]
    assert list(folder.iterdir()) == []


def test_data_folder(folder: Path) -> None:
    assert verdict("data_folder", context(folder)).state == "green"
    folder.chmod(0o777)
    assert "chmod" in verdict("data_folder", context(folder)).cure
    assert "init" in verdict("data_folder", context(folder / "gone")).cure


def test_secret_files(folder: Path) -> None:
    assert verdict("secret_files", context(folder)).state == "skipped"
    (folder / "demo.env").write_text("TOLLHOUSE_API_KEY=x\n")
    (folder / "demo.env").chmod(0o644)
    assert "demo.env" in verdict("secret_files", context(folder)).cure
    (folder / "demo.env").chmod(0o600)
    assert verdict("secret_files", context(folder)).state == "green"
    (folder / "key.txt").write_text("sk-1\n")
    (folder / "key.txt").chmod(0o640)
    text = '[providers.up]\nkind = "openai"\napi_keys = ["file:key.txt"]\n'
    assert "key.txt" in verdict("secret_files", context(folder, text)).reason


def test_retention(folder: Path) -> None:
    text = "[server]\nrequest_retention_days = 30\n"
    assert verdict("retention", context(folder, text)).state == "skipped"
    migrate("sqlite:///tollhouse.db", folder)
    assert "there is none; the first look is due" in verdict("retention", context(folder, text)).reason
    with closing(sqlite3.connect(folder / "tollhouse.db")) as database:
        database.execute("INSERT INTO requests VALUES (?, 'req_1', 'acc_1', '{}')", [86_400_000])
        database.commit()
    late = verdict("retention", context(folder, text))
    assert (late.state, "kept 30 days; the oldest is of 1970-01-02 00:00 UTC" in late.reason) == ("red", True)
    assert "tollhouse serve" in late.cure
    with closing(sqlite3.connect(folder / "tollhouse.db")) as database:
        now_ms = SystemClock().now_ms()
        database.execute("INSERT INTO retention VALUES (0, 0, ?, ?)", [now_ms, now_ms + 60_000])
        database.commit()
    assert "; the next look is due at 20" in verdict("retention", context(folder, text)).reason
    with closing(sqlite3.connect(folder / "tollhouse.db")) as database:
        database.execute("UPDATE retention SET ended_at_ms = ?", [now_ms - 9 * 86_400_000])
        database.commit()
    doubted = verdict("retention", context(folder, text))
    assert (doubted.state, "the clock went ahead" in doubted.reason, "set it" in doubted.cure) == ("red", True, True)


def test_platform_file(folder: Path) -> None:
    assert verdict("platform_file", context(folder)).state == "skipped"
    assert verdict("platform_file", context(folder, "[server]\nlisten = 1\ndatabse = 2\n")).state == "red"
    assert verdict("platform_file", context(folder, '[platform]\nname = "x"\n')).state == "green"
    assert "warnings" in verdict("platform_file", context(folder, "[models.x]\n")).reason


def test_database(folder: Path) -> None:
    assert "migrate" in verdict("database", context(folder)).cure
    (folder / "tollhouse.db").write_bytes(b"this is no database" * 100)
    assert verdict("database", context(folder)).state == "red"
    (folder / "tollhouse.db").unlink()
    migrate("sqlite:///tollhouse.db", folder)
    assert verdict("database", context(folder)).reason == "SQLite"


def test_schema(folder: Path) -> None:
    assert verdict("schema", context(folder)).state == "skipped"
    (folder / "tollhouse.db").touch()
    assert "migrate" in verdict("schema", context(folder)).cure
    migrate("sqlite:///tollhouse.db", folder)
    assert verdict("schema", context(folder)).state == "green"
    with sqlite3.connect(folder / "tollhouse.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer" in verdict("schema", context(folder)).reason


def test_durability(folder: Path) -> None:
    assert verdict("durability", context(folder)).state == "skipped"
    migrate("sqlite:///tollhouse.db", folder)
    assert verdict("durability", context(folder)).reason == "synchronous FULL, journal WAL"


def test_disk_space(folder: Path) -> None:
    assert "GiB free" in verdict("disk_space", context(folder)).reason
    assert verdict("disk_space", context(folder / "gone")).state == "skipped"


def test_wall_clock(folder: Path) -> None:
    given = context(folder)
    assert verdict("wall_clock", given).state == "green"
    early = DiagnosticContext(
        options=given.options, reading=given.reading, environment=given.environment, clock=StoppedClock(86_400_000)
    )
    assert "before this version" in verdict("wall_clock", early).reason
    (folder / "x").touch()
    now_s = SystemClock().now_ms() // 1000
    os.utime(folder / "x", (now_s + 3600, now_s + 3600))
    assert "set back" in verdict("wall_clock", given).reason


def test_provider_addresses(folder: Path) -> None:
    assert verdict("provider_addresses", context(folder)).state == "skipped"
    provider = '[providers.up]\nkind = "openai_compatible"\nbase_url = "{}"\n'
    assert verdict("provider_addresses", context(folder, provider.format("http://127.0.0.1:1/v1"))).state == "green"
    metadata = context(folder, provider.format("http://169.254.169.254/v1"))
    assert "allow_networks" in verdict("provider_addresses", metadata).reason
    allowed = context(
        folder, '[outbound]\nallow_networks = ["169.254.169.254/32"]\n' + provider.format("http://169.254.169.254/v1")
    )
    assert verdict("provider_addresses", allowed).state == "green"
    unknown = context(folder, provider.format("http://nobody.invalid/v1"))
    assert "does not resolve" in verdict("provider_addresses", unknown).reason
    assert verdict("provider_addresses", context(folder, '[providers.s]\nkind = "simulator"\n')).state == "skipped"


def test_provider_keys(folder: Path) -> None:
    assert verdict("provider_keys", context(folder)).state == "skipped"
    text = '[providers.up]\nkind = "openai"\napi_keys = ["env:UP_KEY"]\n'
    assert "UP_KEY is not set" in verdict("provider_keys", context(folder, text)).reason
    assert verdict("provider_keys", context(folder, text, {"UP_KEY": "sk-1"})).state == "green"
    assert "blank" in verdict("provider_keys", context(folder, text, {"UP_KEY": "sk 1"})).reason
    assert "has no key" in verdict("provider_keys", context(folder, '[providers.up]\nkind = "openai"\n')).reason
    assert verdict("provider_keys", context(folder, '[providers.up]\nkind = "simulator"\n')).state == "green"


def test_master_key(folder: Path) -> None:
    assert verdict("master_key", context(folder)).state == "skipped"
    text = '[server]\nmaster_key = "env:MASTER"\n'
    assert "MASTER" in verdict("master_key", context(folder, text)).reason
    assert "fewer" in verdict("master_key", context(folder, text, {"MASTER": "short"})).reason
    assert verdict("master_key", context(folder, text, {"MASTER": "x" * 32})).state == "green"
    written = context(folder, '[providers.up]\nkind = "openai"\napi_keys = ["sk-written-here"]\n')
    (folder / "platform.toml").chmod(0o644)
    found = verdict("master_key", written)
    assert found.state == "red"
    assert "sk-written-here" not in found.reason
    (folder / "platform.toml").chmod(0o600)
    assert verdict("master_key", written).state == "green"


def mailing(port: int, user: str = "", more: str = "") -> str:
    return f'[mail]\nsmtp = "smtp://{user}127.0.0.1:{port}{more}"\nfrom = "Toll <toll@example.org>"\n'


def test_mail_server_is_reached_and_speaks_smtp(folder: Path, listening: int) -> None:
    assert verdict("mail", context(folder)).state == "skipped"
    with mailbox() as (box, port):
        found = verdict("mail", context(folder, mailing(port)))
        assert (found.state, found.reason) == ("green", f"127.0.0.1 port {port} answers")
        refused = verdict("mail", context(folder, mailing(port, more="?starttls=1")))
        assert refused.state == "red"
        refused = verdict("mail", context(folder, mailing(port, user="user:hunter2@")))
        assert (refused.state, "hunter2" in refused.reason) == ("red", False)
        assert box.all() == []
    gone = verdict("mail", context(folder, mailing(port)))
    assert gone.state == "red"
    assert f"127.0.0.1 port {port}" in gone.reason
    for text, words in (
        ('[mail]\nsmtp = "env:SMTP"\n', "SMTP is not set"),
        ('[mail]\nsmtp = "http://user:hunter2@mail.example"\n', "mail.smtp cannot be used"),
        ('[mail]\nsmtp = "smtp://127.0.0.1"\nfrom = "nobody"\n', "mail.from cannot be used"),
    ):
        found = verdict("mail", context(folder, text))
        assert (found.state, words in found.reason, "hunter2" in found.reason) == ("red", True, False), found


def test_mail_that_no_server_is_set_for_is_named(folder: Path) -> None:
    typed = Folder(folder)
    typed.json("init")
    typed.json("accounts", "create", "acme")
    words = ("budgets", "set", "--account", "acme", "--amount", "1", "--soft", "50")
    typed.json(*words, "--window", "day")
    assert verdict("mail", context(folder)).state == "skipped"
    made = typed.json(*words, "--window", "week", "--mail", "ops@example.org").answer
    found = verdict("mail", context(folder))
    assert (found.state, made["id"] in found.reason) == ("red", True)


def test_master_key_opens_what_it_has_encrypted(folder: Path) -> None:
    migrate("sqlite:///tollhouse.db", folder)
    text = '[server]\nmaster_key = "env:MASTER"\n'

    def keep(secret: str) -> None:
        database = sqlite3.connect(folder / "tollhouse.db")
        database.execute("DELETE FROM webhook_secrets")
        database.execute("INSERT INTO webhook_secrets VALUES ('bud_1', 'https://hooks.example', ?, 0)", (secret,))
        database.commit()
        database.close()

    keep("whsec_AAAA")
    found = verdict("master_key", context(folder))
    assert (found.state, "whsec_" in found.reason) == ("green", False)
    assert "secrets of 1 webhooks stand in the database as they are" in found.reason
    keep(Vault("x" * 32).seal("whsec_AAAA", "webhook", bytes(12)))
    assert "opens the 1 secrets" in verdict("master_key", context(folder, text, {"MASTER": "x" * 32})).reason
    assert "another master key" in verdict("master_key", context(folder, text, {"MASTER": "y" * 32})).reason
    (folder / "platform.toml").unlink()
    assert "no master key is set" in verdict("master_key", context(folder)).reason


def test_listen_address(folder: Path, listening: int) -> None:
    text = '[server]\nmetrics_address = "none"\nlisten = '
    assert verdict("listen_address", context(folder, f'{text}"127.0.0.1:0"\n')).state == "green"
    assert verdict("listen_address", context(folder, f'{text}"no.such.host.invalid:1"\n')).state == "red"


def test_the_metrics_address_is_looked_at_too(folder: Path, listening: int) -> None:
    taken = f'[server]\nlisten = "127.0.0.1:0"\nmetrics_address = "127.0.0.1:{listening}"\n'
    found = verdict("listen_address", context(folder, taken))
    assert (found.state, "metrics_address" in (found.cure or "")) == ("red", True)
    free = '[server]\nlisten = "127.0.0.1:0"\nmetrics_address = "127.0.0.1:0"\n'
    assert verdict("listen_address", context(folder, free)).state == "green"


def test_a_server_that_runs_has_its_own_environment_and_address(folder: Path) -> None:
    text = '[server]\nlisten = "127.0.0.1:1"\n[providers.up]\nkind = "openai"\napi_keys = ["env:UP_KEY"]\n'
    seen = context(folder, text)
    assert verdict("provider_keys", seen).state == "red"
    serving = Holder(command="serve", host="h", pid=7, since_ms=0, address="http://127.0.0.1:9")
    lock = FileLock(seen.options.lock)
    assert lock.take(serving)
    try:
        assert "UP_KEY" in verdict("provider_keys", seen).reason
        assert verdict("provider_keys", seen).state == "skipped"
        assert verdict("listen_address", seen).reason == str(serving)
        assert lock.holder() == serving
    finally:
        lock.release()
    assert verdict("provider_keys", seen).state == "red"


def test_open_files(folder: Path) -> None:
    assert "raised" in verdict("open_files", context(folder)).reason or verdict("open_files", context(folder)).cure


def test_models(folder: Path) -> None:
    assert verdict("models", context(folder)).state == "skipped"
    assert "no offers: x" in verdict("models", context(folder, '[models.x]\nprice = { input = "1" }\n')).reason
    provider = '[providers.up]\nkind = "simulator"\n[models.x]\noffers = [{ provider = "up", model = "m" }]\n'
    assert "no price: x" in verdict("models", context(folder, provider)).reason
    assert verdict("models", context(folder, provider + "free = true\n")).state == "green"


MARGIN = """
[providers.up]
kind = "simulator"
cost = { m = { input = "2", output = "8" } }
[models.x]
offers = [{ provider = "up", model = "m" }]
price = { input = "%s", output = "9" }
"""


def test_a_model_that_is_sold_below_cost_is_named(folder: Path) -> None:
    assert verdict("margin", context(folder)).state == "skipped"
    assert verdict("margin", context(folder, MARGIN % "2")).state == "green"
    found = verdict("margin", context(folder, MARGIN % "1.99"))
    assert found.reason.startswith("sold below cost: x: input, cache_read,")
    assert "of up/m by list default" in found.reason
    assert verdict("margin", context(folder, MARGIN % "1e9")).state in ("green", "skipped", "red")  # and no traceback


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("", "green"),
        ('[platform]\npublic_url = "https://llm.example"', "green"),
        ('[platform]\npublic_url = "http://llm.example"', "red"),
        ('[platform]\npublic_url = "llm.example"', "red"),
        ('[server]\nlisten = "0.0.0.0:80"', "red"),
        ('[server]\nlisten = "localhost:80"', "green"),
        ('[server]\nlisten = "[::1]:80"', "green"),
    ],
)
def test_public_url(folder: Path, text: str, state: str) -> None:
    assert verdict("public_url", context(folder, text)).state == state


def test_a_taken_port_is_red_when_something_else_answers(folder: Path, listening: int) -> None:
    # What listens here accepts and says nothing; the check gives up after its own deadline.
    found = verdict("listen_address", context(folder, f'[server]\nlisten = "127.0.0.1:{listening}"\n'))
    assert found.state == "red"
    assert "in use" in found.reason
