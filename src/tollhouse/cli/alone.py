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
from tollhouse.cli.place import Place, accepted, read_platform
from tollhouse.cli.trouble import Trouble
from tollhouse.clock import SystemClock, SystemRandom
from tollhouse.core.catalogue import Plan
from tollhouse.edge.admin.application import ControlApi
from tollhouse.edge.admin.callers import on_the_socket
from tollhouse.edge.admin.desk import Desk, surroundings
from tollhouse.office.office import Office
from tollhouse.office.platform_file import FILE_NAME, Reading
from tollhouse.office.secret_references import MissingSecret, resolve
from tollhouse.settings import Settings
from tollhouse.store.database import open_store
from tollhouse.store.database_lock import DatabaseInUse
from tollhouse.store.engines import CannotOpen
from tollhouse.store.holder import this_process


def ask(place: Place, method: str, target: str, content_type: str, body: bytes) -> tuple[int, bytes]:
    """One request of the control API; whoever calls holds the folder's lock. Raises Trouble."""
    return asyncio.run(_ask(place, method, target, content_type, body))


@asynccontextmanager
async def opened(place: Place, settings: Settings, *, changes: bool = False) -> AsyncIterator[Office]:
    """The office on the data folder's database. Raises Trouble; where something is to be changed, also while another
    process serves the database: it would not hear of it."""
    require_database(place, settings)
    clock = SystemClock()
    try:
        store = open_store(
            settings.server.database,
            create=False,
            clock=clock,
            folder=place.dir,
            holder=this_process("command", clock.now_ms()) if changes else None,
        )
    except DatabaseInUse as error:
        raise Trouble(f"{error}; or give the command beside it, with its --dir", code="database_in_use") from error
    except CannotOpen as error:
        raise Trouble(str(error), code="database") from error
    try:
        office = Office(
            rows=store,
            directory=await store.load_directory(),
            clock=clock,
            random=SystemRandom(),
            catalogue=await store.load_catalogue(),
            purses=await store.load_purses(clock.now_ms()),
            prices=await store.load_prices(),
            rules=await store.load_limits(),
            vault=_vault(place, settings),
            retention_days=settings.server.request_retention_days,
        )
        yield office
        await office.finish()
    finally:
        await store.close()


def _vault(place: Place, settings: Settings) -> Vault:
    """Few commands need the master key: those that do refuse without it."""
    around = surroundings(place.dir)
    try:
        return Vault(resolve(settings.server.master_key, around.environment, around.read_file))
    except MissingSecret as error:
        return Vault(missing=f"server.master_key: {error}")


def require_database(place: Place, settings: Settings) -> None:
    """Raises Trouble where looking would only make an empty file."""
    scheme, _, path = settings.server.database.partition(":///")
    if scheme == "sqlite" and not (place.dir / path).exists():
        message = f"there is no database in {place.dir}: make it with `tollhouse init`, or name the folder with --dir"
        raise Trouble(message, code="no_database")


def server_settings(reading: Reading) -> Settings:
    """Settings of a reading in which only what concerns this process must be right. Raises Misuse."""
    _require(reading, "server", "TOLLHOUSE_", FILE_NAME)
    return reading.settings


def _first_plans(reading: Reading) -> dict[str, Plan]:
    """What the first start will put in force: an account that is opened before it gets the file's terms already.

    Raises Misuse."""
    _require(reading, "plans")
    return reading.catalogue.plans


def _require(reading: Reading, *places: str) -> None:
    """Raises Misuse where one of these has a mistake, and then names all that the file has: one run is to show all."""
    if any(one.where.startswith(places) for one in reading.mistakes):
        accepted(reading)


async def _ask(place: Place, method: str, target: str, content_type: str, body: bytes) -> tuple[int, bytes]:
    reading = read_platform(place)
    async with opened(place, server_settings(reading), changes=method != "GET") as office:
        if not office.catalogue.generation:
            office.catalogue = structs.replace(office.catalogue, plans=_first_plans(reading))
        desk = Desk(
            office=office,
            around=surroundings(place.dir),
            version=version("tollhouse"),
            destinations=dict,
            at_rest=at_rest(office),
        )
        api = ControlApi(desk, on_the_socket, office.clock, office.random, defect=_raise)
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
