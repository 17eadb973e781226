"""The control API over a real database, called as the listener and the socket call it."""

import asyncio
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tests.admin.conformity import require_described
from tests.channels import CHANNELS
from tests.store.samples import request
from tests.support.databases import put_database, todays_tables
from tests.support.quick_hashing import quick_hashing
from tollhouse.clock import SystemRandom
from tollhouse.core.account import KeyMode
from tollhouse.core.audit import Actor
from tollhouse.core.ids import make_id
from tollhouse.core.usage_record import UsageRecord
from tollhouse.edge.admin.application import ControlApi
from tollhouse.edge.admin.callers import on_the_listener, on_the_socket
from tollhouse.edge.admin.context import AdminContext, config_environment
from tollhouse.edge.admin.table import TABLE
from tollhouse.edge.recent_requests import RecentRequests
from tollhouse.formats import dialects
from tollhouse.gateway.destination import Destinations
from tollhouse.services import accounts, keys
from tollhouse.services.context import ServiceContext
from tollhouse.settings import Settings
from tollhouse.store.database import open_store

OPERATOR = Actor(kind="operator", id="test")
START_MS = 1_800_000_000_000


class SetClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms

    def ticks_ns(self) -> int:
        return self.ms * 1_000_000


class AdminReply(Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])


class Prepared(Struct, frozen=True):
    """A database with two accounts, and what was made in it: ids and secrets by name."""

    database: bytes
    accounts: dict[str, str]
    secrets: dict[str, str]
    keys: dict[str, str]


class AdminHarness:
    """Two accounts with a key of each mode; `ask` speaks as the bearer of a key, or as the operator."""

    def __init__(self, runner: asyncio.Runner, folder: Path, there: Prepared) -> None:
        self.runner = runner
        self.folder = folder
        self.clock = SetClock()
        self.random = SystemRandom()
        self.defects: list[BaseException] = []
        self.destinations: Destinations = {}
        (folder / "tollhouse.db").write_bytes(there.database)
        self.accounts, self.secrets, self.keys = dict(there.accounts), dict(there.secrets), dict(there.keys)
        self.open()

    def open(self) -> None:
        """Open the database, again after `close`: what a restart does."""
        url = put_database(self.folder)
        self.store = open_store(url, create=False, clock=self.clock, channels=CHANNELS)
        self.services = self.runner.run(self._services())
        self.recent = RecentRequests(START_MS)
        context = AdminContext(
            services=self.services,
            environment=config_environment(self.folder),
            version="0",
            destinations=lambda: self.destinations,
            recent=self.recent,
            settings=Settings(),
        )
        by_key = on_the_listener(self.services.directory.find, lambda scope: "192.0.2.1")
        noted = self.note_defect
        self.listener = ControlApi(context, by_key, self.clock, self.random, defect=noted)
        self.socket = ControlApi(context, on_the_socket, self.clock, self.random, defect=noted)

    def close(self) -> None:
        self.runner.run(self.services.finish())
        self.runner.run(self.store.close())

    async def _services(self) -> ServiceContext:
        return ServiceContext(
            rows=self.store,
            directory=await self.store.load_directory(),
            clock=self.clock,
            random=self.random,
            catalogue=await self.store.load_catalogue(),
            prices=await self.store.load_prices(),
            channels=CHANNELS,
            dialects=tuple(dialects()),
            hashing=quick_hashing(),
        )

    def note_defect(self, request_id: str, error: BaseException) -> None:
        self.defects.append(error)

    def call(self, key: str, number: int = 1, **changed: object) -> UsageRecord:
        """A call of a key of `keys`, written down as the gateway does."""
        record = self.record(key, number, **changed)

        async def commit() -> None:
            await self.store.writer.commit(record)

        self.runner.run(commit())
        self.recent.add([record])
        return record

    def call_many(self, key: str, count: int, **changed: object) -> None:
        """As many calls, one a millisecond from the second on, written down together."""

        async def commit() -> None:
            records = (self.record(key, number, **changed) for number in range(2, count + 2))
            await asyncio.gather(*(self.store.writer.commit(record) for record in records))

        self.runner.run(commit())

    def record(self, key: str, number: int, **changed: object) -> UsageRecord:
        made = self.services.directory.keys[self.keys[key]]
        time_ms = self.clock.ms + number
        return request(
            number,
            **{
                "id": make_id("req", time_ms, number.to_bytes(10, "big")),
                "time_ms": time_ms,
                "account_id": made.account_id,
                "project_id": made.project_id,
                "key_id": made.id,
                "mode": made.mode,
                "status": 200,
                "error": None,
                **changed,
            },
        )

    def operator(self, method: str, target: str, body: Any = None) -> AdminReply:
        return self.ask(method, target, body, api=self.socket)

    def bearer(self, name: str, method: str, target: str, body: Any = None) -> AdminReply:
        """As the bearer of a key of `secrets`, or of the text itself."""
        authorization = f"Bearer {self.secrets.get(name, name)}".encode()
        return self.ask(method, target, body, headers=[(b"authorization", authorization)])

    def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        headers: list[tuple[bytes, bytes]] | None = None,
        api: ControlApi | None = None,
    ) -> AdminReply:
        """`body`: JSON of anything; bytes go as they are, without a content type."""
        path, _, query = target.partition("?")
        sent: list[MutableMapping[str, Any]] = []
        data = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        kind = [] if body is None or isinstance(body, bytes) else [(b"content-type", b"application/json")]
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [*(headers or []), *kind],
        }

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        self.runner.run((api or self.listener)(scope, receive, send))
        answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        text = sent[1]["body"]
        as_csv = answered["content-type"] in ("text/csv; charset=utf-8", "text/html; charset=utf-8")
        read = text.decode() if as_csv else msgspec.json.decode(text) if text else None
        reply = AdminReply(sent[0]["status"], answered, read)
        assert answered["x-request-id"].startswith("req_")
        assert answered["cache-control"] == "no-store"
        assert as_csv or answered["content-type"] == "application/json"
        assert "access-control-allow-origin" not in answered
        assert reply.status < 400 or reply.message
        require_described(method, path, reply.status, reply.body)
        return reply


@cache
def two_accounts() -> Prepared:
    """Accounts alpha and beta with a key of each mode: made once in a process, and every test works on a copy."""
    modes: tuple[KeyMode, ...] = ("live", "test", "admin")
    accounts_by_name, secrets, key_ids = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        empty = AdminHarness(runner, Path(folder), Prepared(todays_tables(), {}, {}, {}))
        for name in ("alpha", "beta"):
            account = runner.run(accounts.create(empty.services, OPERATOR, name=name))
            accounts_by_name[name] = account.id
            for mode in modes:
                made = runner.run(
                    keys.create(empty.services, OPERATOR, name=f"{name}-{mode}", account=account.id, mode=mode)
                )
                secrets[made.key.name], key_ids[made.key.name] = made.secret, made.key.id
        empty.close()
        return Prepared((Path(folder) / "tollhouse.db").read_bytes(), accounts_by_name, secrets, key_ids)


@contextmanager
def at_work(folder: Path) -> Iterator[AdminHarness]:
    there = two_accounts()
    with asyncio.Runner() as runner:
        admin_harness = AdminHarness(runner, folder, there)
        try:
            yield admin_harness
            assert not admin_harness.defects
        finally:
            admin_harness.close()


__all__ = ["START_MS", "TABLE", "AdminHarness", "AdminReply", "at_work"]
