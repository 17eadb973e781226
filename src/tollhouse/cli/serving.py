"""Running the platform in this process: what `serve` and `demo` share."""

import asyncio
import resource
from collections.abc import Awaitable, Callable
from functools import partial

import uvloop

from tollhouse import app
from tollhouse.cli.alone import require_database
from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.configured import accepted, read_platform
from tollhouse.cli.doctor.listen_address import can_listen
from tollhouse.cli.doctor.report import examined
from tollhouse.cli.lock import FolderLock
from tollhouse.cli.terminal import show
from tollhouse.cli.trouble import CommandFailed, Misuse, from_failure
from tollhouse.clock import SystemClock
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.failure import BadRequest
from tollhouse.edge.admin.context import config_environment
from tollhouse.services.context import ServiceContext
from tollhouse.services.secret_references import MissingSecret, resolve
from tollhouse.settings import Settings, split_address
from tollhouse.store.database_lock import DatabaseInUse
from tollhouse.store.engines import CannotOpen
from tollhouse.store.holder import this_process

_FILES_WANTED = 65_536


def serve(at: CommonOptions, listen: str | None) -> None:
    """What `serve` runs. `listen`: instead of what platform.toml says. Raises Trouble."""
    reading = accepted(read_platform(at, {"listen": listen}))
    require_database(at, reading.settings)

    def ready(base_url: str) -> None:
        show(at, {"object": "server", "base_url": base_url}, f"tollhouse serves at {base_url}")

    run(at, reading.settings, reading.catalogue, command="serve", create=False, on_ready=ready)


def run(
    options: CommonOptions,
    settings: Settings,
    wanted: Catalogue,
    *,
    command: str,
    create: bool,
    on_ready: Callable[[str], None],
    found: Callable[[ServiceContext], Awaitable[None]] | None = None,
) -> None:
    """Serve until the process is told to end. `wanted` is applied first; see `app.serve`. Raises Trouble."""
    _require_master_key(options, settings)
    raise_file_limit()
    holder = this_process(command, SystemClock().now_ms())
    with FolderLock(options.lock, holder) as lock:

        def ready(base_url: str) -> None:
            lock.serves_at(base_url)
            on_ready(base_url)

        _require_free(settings.server.listen, "--port, or with [server] listen")
        if settings.server.metrics_address:
            _require_free(settings.server.metrics_address, "[server] metrics_address")
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(
                    app.serve(
                        settings,
                        wanted,
                        options.dir,
                        config_environment(options.dir),
                        holder=holder,
                        create=create,
                        found=found,
                        on_ready=ready,
                        examine=partial(examined, options),
                    )
                )
        except DatabaseInUse as error:
            raise CommandFailed(str(error), code="database_in_use") from error
        except CannotOpen as error:
            raise CommandFailed(str(error), code="database") from error
        except BadRequest as error:
            raise from_failure(error) from error
        except OSError as error:
            raise CommandFailed(f"cannot start: {error.strerror or error}", code="cannot_start") from error


def _require_master_key(options: CommonOptions, settings: Settings) -> None:
    """A key that was asked for and is not there must not end in secrets that are stored without it."""
    environment = config_environment(options.dir)
    try:
        resolve(settings.server.master_key, environment.environment, environment.read_file)
    except MissingSecret as error:
        raise Misuse(f"server.master_key: {error}", code="invalid_configuration") from error


def raise_file_limit() -> None:
    """Take as many open files as are allowed: the usual soft limit of 1024 ends at 500 streams."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, _FILES_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _require_free(address: str, option: str) -> None:
    """Said before anything is opened: which address it is, the operating system does not tell."""
    host, port = split_address(address)
    trouble = can_listen(host, port) if port else None
    if trouble is not None:
        message = f"cannot listen on {address}: {trouble}; stop what listens there, or choose another with {option}"
        raise CommandFailed(message, code="port_in_use")
