"""One client of the bank: asks again and again, also of a platform that has been killed and comes back."""

import http.client
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from tests.crash.callers import MODEL, Received, Refused, ask, body_of
from tests.end_to_end.platform_process import WAIT_SECONDS_MAX, PlatformProcess
from tollhouse.billing.ledger import legs
from tollhouse.store.tables import SqlRepositories

T = TypeVar("T")

_BROKEN: Final = (http.client.HTTPException, OSError)


class RetryingClient:
    """A connection that is made anew whenever it breaks. What was under way then is None: nobody knows about it."""

    def __init__(self, platform: PlatformProcess, alive: threading.Event) -> None:
        self._platform = platform
        self._alive = alive
        self._connection: http.client.HTTPConnection | None = None

    def buy(self, call: str, key: str, choice: random.Random, model: str = MODEL) -> Received | Refused | None:
        body = body_of(choice, model)
        return self._over(lambda connection: ask(connection, self._platform, call, body, key))

    def get(self, path: str, key: str) -> Any:
        """The JSON of a page that an API key may read."""

        def read(connection: http.client.HTTPConnection) -> Any:
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            data = answer.read()
            assert answer.status == 200, data
            return json.loads(data)

        return self._over(read)

    def manage(self, method: str, path: str, body: object = None) -> Any:
        """The control API, over its socket; None also for what it refuses."""
        self._alive.wait(WAIT_SECONDS_MAX)
        connection = http.client.HTTPConnection("control", timeout=WAIT_SECONDS_MAX)
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.connect(str(self._platform.folder / "tollhouse.sock"))
            connection.request(method, f"/api/v1{path}", *self._platform.written(body, "", None))
            answer = connection.getresponse()
            data = answer.read()
            return json.loads(data) if answer.status < 300 else None
        except _BROKEN:
            return None
        finally:
            connection.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _over(self, question: Callable[[http.client.HTTPConnection], T]) -> T | None:
        self._alive.wait(WAIT_SECONDS_MAX)
        if self._connection is None:
            self._connection = self._platform.connect()
        try:
            return question(self._connection)
        except _BROKEN:
            self.close()
            return None


def unbalanced(tables: SqlRepositories) -> Iterator[str]:
    """What does not add up in one look at the rows: the legs of all transfers, and the money kept beside them."""
    total = 0
    for money in tables.ledger.every_money():
        made = 0
        for entry, counter in tables.ledger.chain(money.account_id):
            own, other = legs(entry.transfer)
            made += own.amount
            total += own.amount + (other.amount if other.account == counter else 0)
        if made != money.balance:
            yield f"the balance of {money.account_id} is kept as {money.balance}, its entries make {made}"
    if total:
        yield f"the ledger sums to {total}"
