"""Working on the database itself, when no server runs: the same control API, called in this process."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any
from urllib.parse import unquote

from msgspec import structs

from tollhouse.access.vault import Vault
from tollhouse.cli.at_rest import at_rest
from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.configured import accepted, read_platform
from tollhouse.cli.trouble import CommandFailed
from tollhouse.clock import SystemClock, SystemRandom
from tollhouse.core.catalogue import Plan
from tollhouse.core.data_folder import PLATFORM_FILE
from tollhouse.edge.admin.application import ControlApi
from tollhouse.edge.admin.callers import on_the_socket
from tollhouse.edge.admin.context import AdminContext, config_environment
from tollhouse.formats import dialects
from tollhouse.outbound.discovery import platform_channels
from tollhouse.services.context import ServiceContext
from tollhouse.services.loaded import loaded
from tollhouse.services.platform_file import PlatformFile
from tollhouse.services.secret_references import MissingSecret, resolve
from tollhouse.settings import Settings
from tollhouse.store.database import open_store
from tollhouse.store.database_lock import DatabaseInUse
from tollhouse.store.engines import CannotOpen
from tollhouse.store.holder import this_process


def ask(options: CommonOptions, method: str, target: str, content_type: str, body: bytes) -> tuple[int, bytes]:
    """One request of the control API; whoever calls holds the folder's lock. Raises Trouble."""
    return asyncio.run(_ask(options, method, target, content_type, body))


@asynccontextmanager
async def opened(options: CommonOptions, settings: Settings, *, changes: bool = False) -> AsyncIterator[ServiceContext]:
    """The services on the data folder's database. Raises Trouble; where something is to be changed, also while another
    process serves the database: it would not hear of it."""
    require_database(options, settings)
    clock, channels = SystemClock(), platform_channels()
    try:
        store = open_store(
            settings.server.database,
            create=False,
            clock=clock,
            folder=options.dir,
            holder=this_process("command", clock.now_ms()) if changes else None,
            channels=channels,
        )
    except DatabaseInUse as error:
        raise CommandFailed(
            f"{error}; or give the command beside it, with its --dir", code="database_in_use"
        ) from error
    except CannotOpen as error:
        raise CommandFailed(str(error), code="database") from error
    try:
        services = await loaded(store, settings, clock, SystemRandom(), _vault(options, settings), dialects=dialects())
        yield services
        await services.finish()
    finally:
        await store.close()


def _vault(options: CommonOptions, settings: Settings) -> Vault:
    """Few commands need the master key: those that do refuse without it."""
    environment = config_environment(options.dir)
    try:
        return Vault(resolve(settings.server.master_key, environment.environment, environment.read_file))
    except MissingSecret as error:
        return Vault(missing=f"server.master_key: {error}")


def require_database(options: CommonOptions, settings: Settings) -> None:
    """Raises Trouble where looking would only make an empty file."""
    scheme, _, path = settings.server.database.partition(":///")
    if scheme == "sqlite" and not (options.dir / path).exists():
        message = f"there is no database in {options.dir}: make it with `tollhouse init`, or name the folder with --dir"
        raise CommandFailed(message, code="no_database")


def server_settings(reading: PlatformFile) -> Settings:
    """Settings of a reading in which only what concerns this process must be right. Raises Misuse."""
    _require(reading, "server", "TOLLHOUSE_", PLATFORM_FILE)
    return reading.settings


def _first_plans(reading: PlatformFile) -> dict[str, Plan]:
    """What the first start will put in force: an account that is opened before it gets the file's terms already.

    Raises Misuse."""
    _require(reading, "plans")
    return reading.catalogue.plans


def _require(reading: PlatformFile, *places: str) -> None:
    """Raises Misuse where one of these has a mistake, and then names all that the file has: one run is to show all."""
    if any(one.where.startswith(places) for one in reading.mistakes):
        accepted(reading)


async def _ask(options: CommonOptions, method: str, target: str, content_type: str, body: bytes) -> tuple[int, bytes]:
    reading = read_platform(options)
    async with opened(options, server_settings(reading), changes=method != "GET") as services:
        if not services.catalogue.generation:
            services.catalogue = structs.replace(services.catalogue, plans=_first_plans(reading))
        context = AdminContext(
            services=services,
            environment=config_environment(options.dir),
            version=version("tollhouse"),
            destinations=dict,
            at_rest=at_rest(services),
        )
        api = ControlApi(context, on_the_socket, services.clock, services.random, defect=_raise)
        return await _call(api, method, target, content_type, body)


def _raise(request_id: str, error: BaseException) -> None:
    """Nobody else listens here: a defect ends the command with its traceback."""
    raise error


async def _call(api: ControlApi, method: str, target: str, content_type: str, body: bytes) -> tuple[int, bytes]:
    path, _, query = target.partition("?")
    scope: MutableMapping[str, Any] = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"content-type", content_type.encode())] if content_type else [],
        "request_id": "",  # no log and no record would know it
    }
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await api(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]
