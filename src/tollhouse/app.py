"""The composition root: the file that knows all concrete parts of a running platform, and how they are put together."""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tollhouse import console
from tollhouse.access.vault import Vault
from tollhouse.clock import SystemClock, SystemRandom, pause
from tollhouse.core.audit import Actor
from tollhouse.core.catalogue import Catalogue, Provider
from tollhouse.core.failure import BadRequest, Overloaded
from tollhouse.core.wire import Deadlines, Route, Upstream
from tollhouse.edge.admin.application import ControlApi
from tollhouse.edge.admin.callers import on_the_listener, on_the_socket
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.books import About, Books
from tollhouse.edge.bounds import limits_of
from tollhouse.edge.drain import Draining
from tollhouse.edge.forwarded import TrustedProxies
from tollhouse.edge.journal import Journal, LogFile, open_log
from tollhouse.edge.metrics import Metrics
from tollhouse.edge.recent import Recent
from tollhouse.edge.router import Edge
from tollhouse.edge.server import Server
from tollhouse.edge.sockets import Address
from tollhouse.edge.standing import below_cost, standing
from tollhouse.edge.status import Readiness
from tollhouse.edge.turns import Turns
from tollhouse.edge.witness import Witnesses
from tollhouse.gateway import late
from tollhouse.gateway.bodies import ANSWER_WAIT_SECONDS, Bodies
from tollhouse.gateway.destination import Destination, Destinations, hidden
from tollhouse.gateway.outlet import Pulse
from tollhouse.gateway.ports import House
from tollhouse.gateway.route import SIMULATED
from tollhouse.limits.addresses import AddressRate
from tollhouse.limits.body_room import BodyRoom
from tollhouse.office import expiry, keys, outbox, platform, retention, watch
from tollhouse.office.margin import Guard
from tollhouse.office.office import Office
from tollhouse.office.platform_file import Surroundings, keys_of
from tollhouse.office.secret_references import resolve
from tollhouse.outbound.post import Post, open_post
from tollhouse.processes import Processes
from tollhouse.providers import base_url, kinds
from tollhouse.routing.health import Health
from tollhouse.routing.retry import RetryBudget
from tollhouse.settings import Settings, split_address
from tollhouse.store.database import Store, open_store
from tollhouse.store.database_lock import Keeping
from tollhouse.store.holder import Holder
from tollhouse.store.writer import TURN_S
from tollhouse.threads import FairThreads
from tollhouse.tokens.tokenizer import Tokenizer
from tollhouse.upstream.address import read_base_url, read_url
from tollhouse.upstream.client import Client
from tollhouse.upstream.simulator.resting import Resting
from tollhouse.upstream.simulator.simulator import Simulator

COLLECT_AFTER: Final = 50_000  # objects that came and stayed

SYSTEM = Actor(kind="system", id="tollhouse")


async def serve(
    settings: Settings,
    wanted: Catalogue,
    folder: Path,
    around: Surroundings,
    *,
    holder: Holder,
    create: bool = False,
    found: Callable[[Office], Awaitable[None]] | None = None,
    on_ready: Callable[[str], None] = lambda base_url: None,
) -> None:
    """Run the platform until it is told to leave.

    wanted: what platform.toml names, applied first. around: where references in later configurations lead.
    holder: this process, as others are told of it. found: done once the office stands, before anybody is served.
    Raises store.CannotOpen, also once another process has the database, BadRequest, OSError for an address in use.
    """
    clock, random = SystemClock(), SystemRandom()
    store = open_store(settings.server.database, create=create, clock=clock, folder=folder, holder=holder)
    keeping = Keeping(store.lock, holder)
    out = LogFile(settings.server.log, folder)
    journal = Journal(open_log(out), out)
    try:
        office = Office(
            rows=store,
            directory=await store.load_directory(),
            clock=clock,
            random=random,
            catalogue=await store.load_catalogue(),
            purses=await store.load_purses(clock.now_ms()),
            prices=await store.load_prices(),
            rules=await store.load_limits(),
            contact=settings.support.contact,
            retention_days=settings.server.request_retention_days,
            public_url=settings.platform.public_url,
            vault=Vault(resolve(settings.server.master_key, around.environment, around.read_file)),
        )
        keys.watch_first_uses(office)
        premises = _furnish(settings, around, store, office, journal)
        office.prepare, office.post = premises.prepare, premises.post
        store.writer.on_notice = office.news.set
        await platform.apply(office, SYSTEM, wanted)
        if office.catalogue is not premises.house.catalogue:
            premises.prepare(office.catalogue)()
        if found is not None:
            await found(office)
        await expiry.post_due(office, SYSTEM)
        _tune_interpreter()
        await _open_doors(settings, folder, premises, keeping, on_ready)
        await late.finish(premises.house)
        await office.finish()
        await premises.letters.close()
        for workers in premises.aside:
            workers.close()
        if keeping.lost_to is not None:
            raise keeping.lost_to
    finally:
        await store.close()
        journal.flush()
        out.close()


def _tune_interpreter() -> None:
    """Threads take short turns. The collector looks not again at what is there before the first call, and at the rest
    seldom: calls leave no cycles. Its looking was a tenth of a call's cost, and most of the longest waits."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 50)
    sys.setswitchinterval(TURN_S)


@dataclass(slots=True)
class Premises:
    """The house with its doors still closed."""

    store: Store
    office: Office
    house: House
    addresses: AddressRate
    network: Client
    aside: tuple[FairThreads | Processes, ...]
    journal: Journal
    metrics: Metrics
    recent: Recent
    draining: Draining
    around: Surroundings
    networks: tuple[str, ...]  # where providers and webhooks may lead besides public addresses
    letters: Client  # what carries webhooks
    post: Post
    guard: Guard

    def well(self) -> bool:
        """The database can be written."""
        return self.store.writer.trouble is None

    def prepare(self, catalogue: Catalogue) -> Callable[[], None]:
        """See `office.Prepare`: everything that can fail first, then a step that cannot."""
        house = self.house
        destinations = {name: _destination(provider, self) for name, provider in catalogue.providers.items()}

        def put_in_force() -> None:
            for name, provider in house.catalogue.providers.items():
                if catalogue.providers.get(name) != provider:
                    house.forget_provider(name)
            house.catalogue = catalogue
            house.destinations = destinations
            self.journal.event("configuration", generation=catalogue.generation, models=len(catalogue.models))

        return put_in_force


def _furnish(settings: Settings, around: Surroundings, store: Store, office: Office, journal: Journal) -> Premises:
    clock, random, server = SystemClock(), SystemRandom(), settings.server
    network = Client(clock, decoded_bytes_max=server.max_answer_bytes)
    counting, large, simulated = map(FairThreads, ("counting", "large", "simulator"))
    aside = counting, large, simulated, (processes := Processes())
    tokenizer = Tokenizer(aside=counting)
    simulator = Simulator(tokenizer, clock, asyncio.sleep, Resting(simulated, clock, pause), processes)
    addresses = AddressRate(server.requests_per_minute_per_address or None, office.contact)
    guard, recent = Guard(office), Recent(clock.now_ms())
    figures = Metrics(
        lambda model: model in house.catalogue.models,
        [lambda: standing(house, network, store), lambda: below_cost(guard.models)],
    )
    house = House(
        clock=clock,
        random=random,
        keys=office.directory,
        limits=office.gate,
        ledger=store.writer,
        witness=Witnesses(journal, figures, recent),
        health=Health(),
        retries=RetryBudget(),
        count=tokenizer,
        sleep=asyncio.sleep,
        aside=large,
        apart=processes,
        bodies=Bodies(clock, BodyRoom(server.bodies_bytes_max, server.max_body_bytes)),
        answers=Bodies(clock, BodyRoom(server.answers_bytes_max, server.max_answer_bytes), ANSWER_WAIT_SECONDS),
        pulse=Pulse(clock, asyncio.sleep),
        rehearsal=_rehearsal(simulator),
        drain_seconds_max=server.drain_seconds_max,
        answer_bytes_max=server.max_answer_bytes,
        show_provider=settings.platform.show_provider,
        cut_at_hold=settings.platform.cut_at_hold,
        contact=office.contact,
        addresses=addresses,
        purses=office.purses,
        prices=lambda: office.prices,
    )
    letters = Client(clock, connections_max=8, idle_max=0, customers=True)  # none is kept: it could tell twice
    parts = store, office, house, addresses, network, aside, journal, figures, recent, Draining(), around
    return Premises(*parts, settings.outbound.allow_networks, letters, _post(settings, around, letters), guard)


def _post(settings: Settings, around: Surroundings, letters: Client) -> Post:
    """Raises BadRequest for a mail server or a sender that cannot be used."""

    def secret(reference: str) -> str:
        return resolve(reference, around.environment, around.read_file)

    def webhook(url: str) -> tuple[Route, str]:
        return read_url(url, allow_networks=settings.outbound.allow_networks)

    try:
        return open_post(settings, secret, SystemClock(), letters, webhook)
    except ValueError as error:
        raise BadRequest(str(error), param="mail") from None


def _rehearsal(simulator: Upstream) -> Destinations:
    """Where test-mode keys lead: a simulator that no configuration can change."""
    provider = Provider(id=SIMULATED, kind="simulator")
    route, path = read_base_url("http://simulator.invalid/v1")
    return {SIMULATED: Destination(provider, kinds()["simulator"], simulator, route, path, (), Deadlines())}


def _destination(provider: Provider, premises: Premises) -> Destination:
    """Raises BadRequest where the provider's address or one of its keys cannot be used."""
    kind = kinds()[provider.kind]
    seconds = provider.connect_seconds, provider.first_byte_seconds, provider.idle_seconds, provider.total_seconds
    deadlines = Deadlines(*(each * 1000 for each in seconds))
    if kind.in_process:
        inside = premises.house.rehearsal[SIMULATED]
        return Destination(provider, kind, inside.upstream, inside.route, inside.path, (), deadlines)
    try:
        address = base_url.read(kind, provider.base_url)
        route, path = read_base_url(
            f"{address.origin}{address.path}",
            ca_file=provider.ca_file,
            proxy=provider.proxy,
            allow_networks=premises.networks,
        )
        secrets = keys_of(provider, premises.around)
    except ValueError as error:
        raise BadRequest(f"providers.{provider.id}: {error}", param=f"providers.{provider.id}") from None
    untold = hidden(secrets, provider.headers)
    return Destination(provider, kind, premises.network, route, path, secrets, deadlines, untold)


async def _open_doors(
    settings: Settings, folder: Path, premises: Premises, keeping: Keeping, on_ready: Callable[[str], None]
) -> None:
    """Listen, and keep the small clocks of the house running meanwhile."""
    server, house, journal = settings.server, premises.house, premises.journal
    served, port = split_address(server.listen)

    def ready(names: list[Any]) -> None:
        shown = f"[{served}]" if ":" in served else served
        base_url = f"http://{shown}:{names[0][1]}"
        journal.event("started", address=base_url, version=version("tollhouse"))
        keeping.serves_at(base_url)
        on_ready(base_url)

    edge, control = _applications(settings, premises)
    doors = [
        Address(app=edge, host=served, port=port),
        Address(app=control, path=str(folder / "tollhouse.sock"), serves_while_draining=True),
    ]
    if server.metrics_address:
        host, port = split_address(server.metrics_address)
        doors.append(Address(app=premises.metrics.app(), host=host, port=port, serves_while_draining=True))
    listening = Server(
        doors,
        clock=house.clock,
        random=house.random,
        limits=limits_of(server),
        draining=premises.draining,
        lame_duck_seconds=server.lame_duck_seconds,
        drain_seconds=server.drain_seconds,
        on_ready=ready,
        trusts=TrustedProxies(server.trusted_proxies).trusts,
        defect=lambda error: journal.defect("", error),
        hung_up=journal.reopen,
    )
    chores = [
        asyncio.create_task(keeping.keep(listening.begin_drain)),
        asyncio.create_task(house.pulse.run()),
        asyncio.create_task(_keep_tidy(premises)),
        asyncio.create_task(premises.guard.watch()),
        asyncio.create_task(_read_vocabularies(premises)),
        asyncio.create_task(outbox.run(premises.office, journal)),
        asyncio.create_task(watch.run(premises.office, journal)),
        asyncio.create_task(retention.run(premises.office, asyncio.sleep, journal)),
    ]
    try:
        await listening.run()
    finally:
        for chore in chores:
            chore.cancel()
        await premises.network.close()


def _applications(settings: Settings, premises: Premises) -> tuple[Edge, ControlApi]:
    """What the main listener serves, and what the control socket does."""
    house, office, journal = premises.house, premises.office, premises.journal
    proxies = TrustedProxies(settings.server.trusted_proxies, settings.server.forwarded_header)
    desk = Desk(
        office=office,
        around=premises.around,
        version=version("tollhouse"),
        destinations=lambda: house.destinations,
        health=house.seen_of,
        recent=premises.recent,
        house=house,
        settings=settings,
    )
    by_key = on_the_listener(
        office.directory.find, lambda scope: proxies.client(scope, scope["headers"]), house.addresses.admit
    )
    clock, random, turns = house.clock, house.random, Turns()
    site = console.build(
        settings,
        lambda: console.Facts(
            version=version("tollhouse"),
            ready=premises.well(),
            generation=house.catalogue.generation,
            models=len(house.catalogue.models),
        ),
    )
    edge = Edge(
        house=house,
        books=Books(office, About(settings.platform.name, version("tollhouse"), settings.platform.public_url)),
        proxies=proxies,
        body_bytes_max=settings.server.max_body_bytes,
        ready=Readiness(
            parts=lambda: {"database": premises.well(), "configuration": house.catalogue.generation > 0},
            generation=lambda: house.catalogue.generation,
            draining=premises.draining,
        ),
        turns=turns,
        pages={
            "/api": ControlApi(desk, by_key, clock, random, journal.defect, turns=turns),
            "/console": site,
            "/support": site,
        },
        defect=journal.defect,
    )
    return edge, ControlApi(desk=desk, callers=on_the_socket, clock=clock, random=random, defect=journal.defect)


async def _keep_tidy(premises: Premises) -> None:
    """Never returns: once a minute, what memory need not hold is dropped, and grants whose time is over end."""
    office, clock = premises.office, premises.house.clock
    while True:
        await asyncio.sleep(60)
        now_ms = clock.now_ms()
        premises.house.forget_idle(now_ms)
        office.forget_idle(now_ms)
        try:
            await expiry.post_due(office, SYSTEM)
        except Overloaded:
            continue  # the database is away: calls hear of it too, and the next minute does the rest
        except Exception as error:  # guard: one account's defect must not keep the house untidy for good
            premises.journal.defect("", error)


async def _read_vocabularies(premises: Premises) -> None:
    """Ahead of the first call that has to be counted: a stream that breaks should not wait for a vocabulary."""
    for model in list(premises.house.catalogue.models):
        await premises.house.count.count_aside("", model, SYSTEM.id)
