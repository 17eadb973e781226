"""What all connections of one listener share."""

from collections.abc import Callable
from dataclasses import dataclass

from tollhouse.core.clock import Clock
from tollhouse.core.failure import Failure
from tollhouse.edge.bounds import HttpLimits
from tollhouse.edge.connection_limiter import ConnectionLimiter
from tollhouse.edge.drain import Draining
from tollhouse.edge.exchange import App
from tollhouse.edge.refusal import RefusalWriter


@dataclass(slots=True)
class ListenerContext:
    """`defect` is told of exceptions that an application let through, `refused` of each failure told to a client.

    date: a whole header line, renewed by the server every second or sooner.
    """

    app: App
    limits: HttpLimits
    draining: Draining
    serves_while_draining: bool
    clock: Clock
    refusals: RefusalWriter
    defect: Callable[[BaseException], None]
    refused: Callable[[Failure], None]
    connection_limiter: ConnectionLimiter
    date: bytes = b""
