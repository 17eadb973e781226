"""The composition root: the file that knows all concrete parts of a running platform, and how they are put together."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from shutil import disk_usage
from typing import Any

import msgspec

from tollhouse.access.vault import Vault
from tollhouse.billing.in_memory_holds import InMemoryHolds
from tollhouse.clock import SystemClock, SystemRandom, pause
from tollhouse.collector import Collector
from tollhouse.console import BELOW, Console, ConsoleContext, LiveCalls, visitor_of
from tollhouse.core.audit import Actor
from tollhouse.core.catalogue import Catalogue, Provider
from tollhouse.core.data_folder import SOCKET
from tollhouse.core.examination import DoctorReport
from tollhouse.core.failure import BadRequest
from tollhouse.core.upstream import Deadlines, Upstream, UpstreamRoute
from tollhouse.edge import asgi, maintenance
from tollhouse.edge.admin.application import ControlApi
from tollhouse.edge.admin.callers import on_the_listener, on_the_socket
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.table import described
from tollhouse.edge.body_turns import BodyTurns
from tollhouse.edge.bounds import limits_of
from tollhouse.edge.drain import Draining
from tollhouse.edge.event_log import EventLog, LogFile, open_log
from tollhouse.edge.forwarded import TrustedProxies
from tollhouse.edge.metrics import Metrics
from tollhouse.edge.new_api import PlatformInfo
from tollhouse.edge.observers import RequestObservers
from tollhouse.edge.recent_requests import RecentRequests
from tollhouse.edge.router import Edge
from tollhouse.edge.server import Server
from tollhouse.edge.sockets import ListenAddress
from tollhouse.edge.standing import below_cost, standing
from tollhouse.edge.status import Readiness
from tollhouse.formats import codecs, dialects
from tollhouse.gateway import deferred_commit, vocabularies
from tollhouse.gateway.bodies import ANSWER_WAIT_SECONDS, Bodies
from tollhouse.gateway.destination import Destination, Destinations, deadlines_of, hidden, with_tokens_of
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.route import SIMULATED
from tollhouse.gateway.running import RunningPlatform
from tollhouse.gateway.stream_writer import KeepAlive
from tollhouse.limits.addresses import AddressRate
from tollhouse.limits.body_memory import BodyMemory
from tollhouse.outbound.discovery import platform_channels
from tollhouse.outbound.post import OutboundDelivery, open_post
from tollhouse.processes import Processes
from tollhouse.providers import base_url, kinds
from tollhouse.providers.credentials import tokens_of
from tollhouse.routing.health import Health
from tollhouse.routing.retry import RetryBudget
from tollhouse.services import expiry, keys, outbox, platform, retention, service_levels, sessions, watch
from tollhouse.services.context import ServiceContext
from tollhouse.services.loaded import loaded
from tollhouse.services.margin import MarginMonitor
from tollhouse.services.platform_file import ConfigEnvironment, keys_of
from tollhouse.services.secret_references import resolve
from tollhouse.settings import Settings, split_address
from tollhouse.spools import FileSpool
from tollhouse.store.database import Store, open_store
from tollhouse.store.database_lock import LockKeeper
from tollhouse.store.holder import Holder
from tollhouse.store.writer import TURN_S, WAL_BYTES
from tollhouse.threads import FairThreads
from tollhouse.tokens.tokenizer import Tokenizer
from tollhouse.upstream.address import read_base_url, read_url
from tollhouse.upstream.client import UpstreamClient
from tollhouse.upstream.fetch import UpstreamFetch
from tollhouse.upstream.framed import FramedUpstream
from tollhouse.upstream.simulator.resting import Resting
from tollhouse.upstream.simulator.simulator import Simulator

SYSTEM = Actor(kind="system", id="tollhouse")


async def serve(
    settings: Settings,
    wanted: Catalogue,
    folder: Path,
    environment: ConfigEnvironment,
    *,
    holder: Holder,
    create: bool = False,
    found: Callable[[ServiceContext], Awaitable[None]] | None = None,
    on_ready: Callable[[str], None] = lambda base_url: None,
    examine: Callable[[], DoctorReport] | None = None,
) -> None:
    """Run the platform until it is told to leave.

    wanted: what platform.toml names, applied first. around: where references in later configurations lead.
    holder: this process, as others are told of it. found: done once the services stands, before anybody is served.
    examine: the checks of `doctor`.
    Raises store.CannotOpen, also once another process has the database, BadRequest, OSError for an address in use.
    """
    clock, database = SystemClock(), settings.server.database
    opening = partial(open_store, database, create=create, clock=clock, folder=folder, holder=holder)
    store = opening(channels=platform_channels(), wal_bytes=WAL_BYTES)
    keeping, out = LockKeeper(store.lock, holder), LogFile(settings.server.log, folder)
    event_log = EventLog(open_log(out, clock), out)
    try:
        vault = Vault(resolve(settings.server.master_key, environment.environment, environment.read_file))
        contact = settings.support.contact
        services = await loaded(store, settings, clock, SystemRandom(), vault, dialects=dialects(), contact=contact)
        keys.watch_first_uses(services)
        await sessions.load(services)
        await service_levels.load(services)
        runtime = build_runtime(settings, environment, store, services, event_log)
        runtime.examine, runtime.folder, runtime.gateway.spool = examine, folder, partial(FileSpool, folder)
        services.prepare, services.post, store.writer.on_notice = runtime.prepare, runtime.post, services.news.set
        await platform.apply(services, SYSTEM, wanted)
        if services.catalogue is not runtime.gateway.catalogue:
            runtime.prepare(services.catalogue)()
        if found is not None:
            await found(services)
        await expiry.post_due(services, SYSTEM)
        sys.setswitchinterval(TURN_S)  # threads take short turns
        await _listen(settings, folder, runtime, keeping, on_ready)
        await service_levels.finish(services)
        await runtime.finish()
        if keeping.lost_to is not None:
            raise keeping.lost_to
    finally:
        await store.close()  # the loop turns meanwhile: calls that ended are in the log
        out.close()


@dataclass(slots=True)
class Runtime:
    """The platform with its doors still closed."""

    store: Store
    services: ServiceContext
    gateway: GatewayContext
    addresses: AddressRate
    network: UpstreamClient
    workers: tuple[FairThreads | Processes, ...]
    event_log: EventLog
    metrics: Metrics
    recent: RecentRequests
    live: LiveCalls
    draining: Draining
    environment: ConfigEnvironment
    networks: tuple[str, ...]  # where providers and webhooks may lead besides public addresses
    webhook_client: UpstreamClient  # what carries webhooks
    post: OutboundDelivery
    guard: MarginMonitor
    examine: Callable[[], DoctorReport] | None = None
    folder: Path = Path()

    def well(self) -> bool:
        """The database can be written."""
        return self.store.writer.trouble is None

    async def finish(self) -> None:
        """Wait for what no caller waits for, and let the workers go."""
        await deferred_commit.finish(self.gateway)
        await self.services.finish()
        await self.webhook_client.close()
        for workers in self.workers:
            workers.close()

    def depths(self) -> dict[str, int]:
        """How much waits at this moment, by what it waits for."""
        threads = {one.name: one.waiting for one in self.workers if isinstance(one, FairThreads)}
        return {"writer": self.store.writer.waiting} | threads

    def free(self) -> int:
        return disk_usage(self.folder).free

    def prepare(self, catalogue: Catalogue) -> Callable[[], None]:
        """See `services.Prepare`: everything that can fail first, then a step that cannot."""
        gateway = self.gateway
        destinations = {name: _destination(provider, self) for name, provider in catalogue.providers.items()}

        def put_in_force() -> None:
            for name, provider in gateway.catalogue.providers.items():
                if catalogue.providers.get(name) != provider:
                    gateway.forget_provider(name)
            gateway.catalogue = catalogue
            kept, drains = with_tokens_of(gateway.configured, destinations), self.services.drains
            gateway.destinations = {name: one for name, one in kept.items() if name not in drains}
            gateway.drained = {name: one for name, one in kept.items() if name in drains}
            self.event_log.event("configuration", generation=catalogue.generation, models=len(catalogue.models))

        return put_in_force


def build_runtime(
    settings: Settings, environment: ConfigEnvironment, store: Store, services: ServiceContext, event_log: EventLog
) -> Runtime:
    clock, random, server = SystemClock(), SystemRandom(), settings.server
    network = UpstreamClient(clock, decoded_bytes_max=server.max_answer_bytes)
    counting, large, simulated = map(FairThreads, ("counting", "large", "simulator"))
    workers = counting, large, simulated, (processes := Processes())
    tokenizer = Tokenizer(threads=counting)
    simulator = Simulator(tokenizer, clock, asyncio.sleep, Resting(simulated, clock, pause), processes)
    addresses = AddressRate(server.requests_per_minute_per_address or None, services.contact)
    guard, recent, live = MarginMonitor(services), RecentRequests(clock.now_ms()), LiveCalls(clock.now_ms())
    figures = Metrics(
        lambda model: model in gateway.catalogue.models,
        [lambda: standing(gateway, network, store), lambda: below_cost(guard.models)],
    )
    gateway = GatewayContext(
        clock=clock,
        random=random,
        codecs=codecs(),
        keys=services.directory,
        limits=services.rate_limiter,
        ledger=store.writer,
        observer=RequestObservers(event_log, figures, recent, live.ended, services.levels.ended),
        health=Health(),
        retries=RetryBudget(),
        count=tokenizer,
        sleep=asyncio.sleep,
        threads=large,
        processes=processes,
        bodies=Bodies(clock, BodyMemory(server.bodies_bytes_max, server.max_body_bytes)),
        answers=Bodies(clock, BodyMemory(server.answers_bytes_max, server.max_answer_bytes), ANSWER_WAIT_SECONDS),
        uploads=Bodies(clock, BodyMemory(server.uploads_bytes_max, server.max_upload_bytes)),
        keep_alive=KeepAlive(clock, asyncio.sleep),
        test_mode_endpoints=_test_mode_endpoints(simulator),
        drain_seconds_max=server.drain_seconds_max,
        answer_bytes_max=server.max_answer_bytes,
        show_provider=settings.platform.show_provider,
        cut_at_hold=settings.platform.cut_at_hold,
        public_url=settings.platform.public_url,
        contact=services.contact,
        addresses=addresses,
        holds=InMemoryHolds(services.counters),
        prices=lambda: services.prices,
    )
    # No connection is kept: it could tell twice.
    webhook_client = UpstreamClient(clock, connections_max=8, idle_max=0, customers=True)
    parts = store, services, gateway, addresses, network, workers, event_log, figures, recent, live
    post = _post(settings, environment, webhook_client)
    return Runtime(*parts, Draining(), environment, settings.outbound.allow_networks, webhook_client, post, guard)


def _post(settings: Settings, environment: ConfigEnvironment, webhook_client: UpstreamClient) -> OutboundDelivery:
    """Raises BadRequest for a mail server or a sender that cannot be used."""

    def secret(reference: str) -> str:
        return resolve(reference, environment.environment, environment.read_file)

    def webhook(url: str) -> tuple[UpstreamRoute, str]:
        return read_url(url, allow_networks=settings.outbound.allow_networks)

    try:
        return open_post(settings, secret, SystemClock(), webhook_client, webhook)
    except ValueError as error:
        raise BadRequest(str(error), param="mail") from None


def _test_mode_endpoints(simulator: Upstream) -> Destinations:
    """Where test-mode keys lead: a simulator that no configuration can change."""
    provider = Provider(id=SIMULATED, kind="simulator")
    route, path = read_base_url("http://simulator.invalid/v1")
    return {SIMULATED: Destination(provider, kinds()["simulator"], simulator, route, path, (), Deadlines())}


def _destination(provider: Provider, runtime: Runtime) -> Destination:
    """Raises BadRequest where the provider's address or one of its keys cannot be used."""
    kind, deadlines, networks = kinds()[provider.kind], deadlines_of(provider), runtime.networks
    provider = kind.with_quirks(provider)
    if kind.in_process:
        inside = runtime.gateway.test_mode_endpoints[SIMULATED]
        return Destination(provider, kind, inside.upstream, inside.route, inside.path, (), deadlines)
    try:
        address = base_url.read(kind, provider.base_url)
        route, path = read_base_url(
            address.origin + address.path, ca_file=provider.ca_file, proxy=provider.proxy, allow_networks=networks
        )
        secrets = keys_of(provider, runtime.environment)
    except ValueError as error:
        raise BadRequest(f"providers.{provider.id}: {error}", param=f"providers.{provider.id}") from None
    untold = hidden(secrets, provider.headers)
    tokens = tokens_of(kind.refresh, provider, secrets, UpstreamFetch(runtime.network, provider, networks))
    network = FramedUpstream(runtime.network, kind.framings) if kind.framings else runtime.network
    return Destination(provider, kind, network, route, path, secrets, deadlines, untold, tokens)


async def _listen(
    settings: Settings, folder: Path, runtime: Runtime, keeping: LockKeeper, on_ready: Callable[[str], None]
) -> None:
    """Listen, and keep the small clocks of the platform running meanwhile."""
    server, gateway, event_log = settings.server, runtime.gateway, runtime.event_log
    served, port = split_address(server.listen)

    def ready(names: list[Any]) -> None:
        shown = f"[{served}]" if ":" in served else served
        base_url = f"http://{shown}:{names[0][1]}"
        event_log.event("started", address=base_url, version=version("tollhouse"))
        keeping.serves_at(base_url)
        on_ready(base_url)

    edge, control = _applications(settings, runtime)
    addresses = [
        ListenAddress(app=edge, host=served, port=port),
        ListenAddress(app=asgi.serving(control), path=str(folder / SOCKET), serves_while_draining=True),
    ]
    if server.metrics_address:
        host, port = split_address(server.metrics_address)
        addresses.append(
            ListenAddress(app=asgi.serving(runtime.metrics.app()), host=host, port=port, serves_while_draining=True)
        )
    listening = Server(
        addresses,
        clock=gateway.clock,
        random=gateway.random,
        limits=limits_of(server),
        draining=runtime.draining,
        lame_duck_seconds=server.lame_duck_seconds,
        drain_seconds=server.drain_seconds,
        on_ready=ready,
        trusts=TrustedProxies(server.trusted_proxies).trusts,
        defect=lambda error: event_log.defect("", error),
        hung_up=event_log.reopen,
    )
    collector = Collector(gateway.clock, lambda: listening.idle)
    chores = [
        asyncio.create_task(keeping.keep(listening.begin_drain)),
        asyncio.create_task(gateway.keep_alive.run()),
        asyncio.create_task(maintenance.run(gateway, runtime.services, SYSTEM, event_log)),
        asyncio.create_task(collector.run(asyncio.sleep)),
        asyncio.create_task(runtime.guard.watch()),
        asyncio.create_task(vocabularies.read_all(gateway, SYSTEM.id)),
        asyncio.create_task(outbox.run(runtime.services, event_log)),
        asyncio.create_task(watch.run(runtime.services, event_log)),
        asyncio.create_task(retention.run(runtime.services, asyncio.sleep, event_log)),
        asyncio.create_task(service_levels.run(runtime.services, event_log)),
    ]
    try:
        await listening.run()
    finally:
        for chore in chores:
            chore.cancel()
        await runtime.network.close()


def _applications(settings: Settings, runtime: Runtime) -> tuple[Edge, ControlApi]:
    """What the main listener serves, and what the control socket does."""
    gateway, services, event_log = runtime.gateway, runtime.services, runtime.event_log
    proxies = TrustedProxies(settings.server.trusted_proxies, settings.server.forwarded_header)
    began_ms = gateway.clock.now_ms()
    running = RunningPlatform(gateway, version("tollhouse"), began_ms, runtime.depths, runtime.free, runtime.examine)
    context = AdminContext(
        services=services,
        environment=runtime.environment,
        version=version("tollhouse"),
        destinations=lambda: gateway.configured,
        recent=runtime.recent,
        gateway=gateway,
        settings=settings,
        running=running,
    )

    def address_of(scope: Any) -> str:
        return proxies.client(asgi.peer(scope), scope["headers"])

    by_key = on_the_listener(
        services.directory.find, address_of, gateway.addresses.admit, partial(visitor_of, services)
    )
    clock, random, turns = gateway.clock, gateway.random, BodyTurns()
    # Drawn now: it takes longer than a callback may, and anybody may ask for it.
    document = msgspec.structs.asdict(described(context.version))
    parts = services, settings, address_of, turns.line
    told = ConsoleContext(
        *parts, runtime.live, runtime.draining, running, event_log.defect, api_document=lambda: document
    )
    site = Console(told)
    edge = Edge(
        gateway=gateway,
        services=services,
        about=PlatformInfo(settings.platform.name, version("tollhouse"), settings.platform.public_url),
        proxies=proxies,
        body_bytes_max=settings.server.max_body_bytes,
        upload_bytes_max=settings.server.max_upload_bytes,
        ready=Readiness(
            parts=lambda: {"database": runtime.well(), "configuration": gateway.catalogue.generation > 0},
            generation=lambda: gateway.catalogue.generation,
            draining=runtime.draining,
        ),
        turns=turns,
        pages={
            "/api": ControlApi(context, by_key, clock, random, event_log.defect, turns=turns),
            **dict.fromkeys(BELOW, site),
        },
        defect=event_log.defect,
    )
    return edge, ControlApi(context=context, callers=on_the_socket, clock=clock, random=random, defect=event_log.defect)
