"""The bank test: money moves every way it can while somebody interferes, and every look at it must add up.

`make bank`, or `python -m tests.crash.bank --help`. On SQLite and on PostgreSQL, with nobody interfering, with
`kill -9`, and with SIGSTOP; clients spend by calls, an operator grants and refunds, many rush at once for a budget that
pays exactly so many, and an auditor reads all the while.
"""

import argparse
import http.client
import random
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.crash.callers import Received, Refused
from tests.crash.history import CONFIG, History
from tests.crash.recovered_state import look
from tests.crash.retrying_client import RetryingClient, unbalanced
from tests.end_to_end.platform_process import PlatformProcess
from tests.store import postgresql
from tests.store.harness import on_disk
from tollhouse.core.amount import parse_usd

DATABASES: Final = ("sqlite", "postgresql")
NEMESES: Final = ("none", "kill", "pause")
ACCOUNTS: Final = ("ada", "bob", "eve")
PAYERS: Final = 4
RUSHERS: Final = 8
PAID: Final = 3  # calls that a rush's budget pays for
FLAT: Final = "flat"  # a model whose calls cost one price, whatever they say
MORE: Final = """
[providers.till]
kind = "simulator"

[models.flat]
offers = [{ provider = "till", model = "flat" }]
context_tokens = 128000
max_output_tokens = 16
price = { per_request = "0.001" }
"""


class Bank:
    """One platform, its accounts, and everybody who moves money there. `violations` is what must stay empty."""

    COUNTED: Final = ("calls", "grants", "refunds", "rushes", "audits", "strikes")

    def __init__(self, platform: PlatformProcess, url: str, seed: int) -> None:
        self.platform = platform
        self.url = url
        self.seed = seed
        self.history = History()
        self.violations: list[str] = []
        self.done = dict.fromkeys(self.COUNTED, 0)
        self.granted: dict[str, int] = {}  # id of the grant: nano-USD
        self.over = threading.Event()
        self.news = threading.Event()
        self._lock = threading.Lock()
        self._alive = threading.Event()
        self._alive.set()
        self.keys: dict[str, str] = {}
        for account in ACCOUNTS:
            platform.manage("POST", "/accounts", {"name": account})
            platform.manage("POST", "/credits", {"account": account, "amount_usd": "1000"})
            made = platform.manage("POST", "/keys", {"name": account, "account": account})
            self.keys[account] = str(made["secret"])
            platform.manage("POST", "/budgets", {"account": account, "amount_usd": "900", "window": "month"})

    def counted(self, what: str) -> None:
        with self._lock:
            self.done[what] += 1
        self.news.set()

    def violated(self, what: str) -> None:
        with self._lock:
            self.violations.append(what)
        self.news.set()

    # Who moves money

    def pay(self, number: int) -> None:
        choice = random.Random(f"{self.seed} payer {number}")
        client = RetryingClient(self.platform, self._alive)
        while not self.over.is_set():
            self._note(client.buy(self._name(), self.keys[choice.choice(ACCOUNTS)], choice))
        client.close()

    def give(self) -> None:
        """The operator: grants, and refunds of calls that somebody holds the answer of."""
        choice = random.Random(f"{self.seed} operator")
        client = RetryingClient(self.platform, self._alive)
        refunded: set[str] = set()
        while not self.over.is_set():
            amount = f"0.{choice.randrange(1, 10**6):06d}"
            made = client.manage("POST", "/credits", {"account": choice.choice(ACCOUNTS), "amount_usd": amount})
            if made is not None:
                with self._lock:
                    self.granted[str(made["id"])] = parse_usd(amount)
                self.counted("grants")
            with self._lock:
                calls = [one for one in self.history.received[-50:] if one.charge and one.request_id not in refunded]
            if calls:
                call = choice.choice(calls)
                refunded.add(call.request_id)
                if client.manage("POST", "/refunds", {"request_id": call.request_id}) is not None:
                    self.counted("refunds")

    def rush(self) -> None:
        """Again and again: many at once against a budget that pays for exactly so many, until all are refused."""
        client = RetryingClient(self.platform, self._alive)
        while not self.over.is_set():
            named = {"name": f"rush {uuid.uuid4().hex[:8]}", "account": ACCOUNTS[0]}
            key = client.manage("POST", "/keys", named)
            budget = {"amount_usd": f"0.00{PAID}", "window": "total"}
            if key is None or client.manage("POST", "/budgets", {"key": key["id"], **budget}) is None:
                continue
            secret = str(key["secret"])
            rushers = [threading.Thread(target=self._until_refused, args=(secret, n)) for n in range(RUSHERS)]
            for rusher in rushers:
                rusher.start()
            for rusher in rushers:
                rusher.join()
            charged = self._charged(str(key["id"]))
            if charged != PAID:
                self.violated(f"a budget for {PAID} calls of key {key['id']} paid for {charged}")
            self.counted("rushes")

    def _until_refused(self, secret: str, number: int) -> None:
        client = RetryingClient(self.platform, self._alive)
        choice = random.Random(number)
        told: Received | Refused | None = None
        while not isinstance(told, Refused):
            told = client.buy(self._name(), secret, choice, FLAT)
            self._note(told)
        if told.code != "insufficient_quota":
            self.violated(f"refused otherwise than for the budget: {told}")
        client.close()

    def _charged(self, key_id: str) -> int:
        """Calls of a key that stand in the ledger."""
        calls = on_disk(self.url, lambda tables: tables.requests.page(before=None, limit=1_000_000))
        return sum(call.key_id == key_id and call.charge is not None for call in calls)

    # Who looks

    def audit(self) -> None:
        client = RetryingClient(self.platform, self._alive)
        while not self.over.is_set():
            found = client.manage("GET", "/ledger/verify")
            if found is not None and not found["ok"]:
                self.violated(f"the ledger's own check: {found['flaws'][:3]}")
            for wrong in on_disk(self.url, lambda tables: list(unbalanced(tables))):
                self.violated(wrong)
            for account in ACCOUNTS:
                self._reads_its_bill(client, account)
            self.counted("audits")
        client.close()

    def _reads_its_bill(self, client: RetryingClient, account: str) -> None:
        bill = client.get("/v1/dashboard/billing/subscription", self.keys[account])
        if bill is None:
            return
        own = bill["tollhouse"]
        held = 0 if own["window"] == "month" else own["held_usd"]  # by the month a call shows once it is charged
        rest = own["limit_usd"] - own["used_usd"] - held - own["remaining_usd"]
        if abs(rest) > 1e-5 or own["remaining_usd"] < 0:
            self.violated(f"the bill of {account} does not add up: {own}")

    # Who interferes

    def interfere(self, nemesis: str) -> None:
        choice = random.Random(f"{self.seed} {nemesis}")
        while not self.over.wait(choice.uniform(1, 4)):
            if nemesis == "kill":
                self._alive.clear()
                self.platform.signal(signal.SIGKILL)
                self.platform.wait()
                self.platform.again()
                self._alive.set()
            elif nemesis == "pause":
                self.platform.signal(signal.SIGSTOP)
                self.over.wait(choice.uniform(0.1, 1))
                self.platform.signal(signal.SIGCONT)
            self.counted("strikes")

    # The end

    def close(self) -> None:
        """Everybody has gone: the callers' memory, the ledger, and what the platform shows must be one."""
        shown = {account: self._left(account) for account in ACCOUNTS}
        self.platform.stop()
        standing = look(self.url)
        self.violations += self.history.differences(standing)
        self.violations += [f"the grant {name} is lost" for name in self.granted.keys() - standing.non_charges]
        for account, (left, balance) in shown.items():
            if abs(left - balance) > 1e-5:
                self.violations.append(f"{account} is shown {left} USD, the ledger has {balance}")

    def _left(self, account: str) -> tuple[float, float]:
        """What a balance tool computes, and what the ledger says, less what the budget forbids."""
        secret = self.keys[account]
        client = RetryingClient(self.platform, self._alive)
        bill = client.get("/v1/dashboard/billing/subscription", secret)
        used = client.get("/v1/dashboard/billing/usage", secret)
        client.close()
        return bill["hard_limit_usd"] - used["total_usage"] / 100, bill["tollhouse"]["remaining_usd"]

    def _name(self) -> str:
        name = uuid.uuid4().hex[:12]
        with self._lock:
            self.history.asked.add(name)
        return name

    def _note(self, told: Received | Refused | None) -> None:
        with self._lock:
            if isinstance(told, Received):
                self.history.received.append(told)
                self.done["calls"] += 1
            elif isinstance(told, Refused):
                self.history.refused.append(told)


def play(folder: Path, url: str, nemesis: str, seed: int, enough: Callable[[Bank], object]) -> Bank:
    """Everybody at once, until `enough` returns. The bank that is given back has ended, and judged itself."""
    setting = "" if url.startswith("sqlite") else f'database = "{url}"'
    platform = PlatformProcess(folder, CONFIG.replace("{database}", setting) + MORE)
    try:
        bank = Bank(platform, url, seed)
        work: list[tuple[Callable[..., None], tuple[object, ...]]] = [
            *((bank.pay, (number,)) for number in range(PAYERS)),
            (bank.give, ()),
            (bank.rush, ()),
            (bank.audit, ()),
        ]
        if nemesis != "none":
            work.append((bank.interfere, (nemesis,)))
        threads = [threading.Thread(target=_reporting(bank, what), args=how) for what, how in work]
        for thread in threads:
            thread.start()
        enough(bank)
        bank.over.set()
        for thread in threads:
            thread.join()
        bank.close()
    finally:
        platform.stop()
    return bank


def _reporting(bank: Bank, work: Callable[..., None]) -> Callable[..., None]:
    def run(*arguments: object) -> None:
        try:
            work(*arguments)
        except (AssertionError, KeyError, TypeError, ValueError, OSError, http.client.HTTPException) as error:
            bank.violated(f"{work.__name__} broke off: {error!r}")

    return run


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/tollhouse.db"
    else:
        with postgresql.server(f"bank-{uuid.uuid4().hex[:8]}") as server:
            yield server.database()


def main() -> int:
    parser = argparse.ArgumentParser(prog="bank", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="of each run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=DATABASES, action="append", help="only this one; may be repeated")
    parser.add_argument("--nemesis", choices=NEMESES, action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    failed = 0
    head = f"{'database':11} {'nemesis':8} " + " ".join(f"{name:>8}" for name in Bank.COUNTED) + "  violations"
    lines = [head]
    for kind in options.database or DATABASES:
        for nemesis in options.nemesis or NEMESES:
            with tempfile.TemporaryDirectory(prefix="tollhouse-bank-") as name:
                folder = Path(name) / "house"
                with _database(kind, folder) as url:
                    bank = play(folder, url, nemesis, options.seed, lambda bank: bank.over.wait(options.seconds))
            counts = " ".join(f"{bank.done[name]:8}" for name in Bank.COUNTED)
            lines.append(f"{kind:11} {nemesis:8} {counts}  {len(bank.violations)}")
            print(lines[-1], flush=True)
            for violation in bank.violations[:20]:
                print(f"  {violation}", flush=True)
            failed += bool(bank.violations)
    print("\n" + "\n".join(lines))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
