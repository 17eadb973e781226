"""Who is told: a real HTTP server that takes webhooks and a real mail server, each on a thread of its own."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from aiosmtpd.controller import Controller
from standardwebhooks.webhooks import Webhook

from tests.support.server_process import free_port

WAIT_SECONDS_MAX: Final = 20


class Box:
    """What has come, in its order."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._came: list[Any] = []

    def put(self, one: Any) -> None:
        with self._news:
            self._came.append(one)
            self._news.notify_all()

    def first(self, count: int) -> list[Any]:
        """As soon as so many are there; all that is there."""
        with self._news:
            assert self._news.wait_for(lambda: len(self._came) >= count, WAIT_SECONDS_MAX), self._came
            return list(self._came)

    def all(self) -> list[Any]:
        with self._news:
            return list(self._came)


@dataclass(frozen=True)
class Hook:
    """A webhook as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The body, as the reference library reads it. Raises WebhookVerificationError."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(frozen=True)
class ReceivedMail:
    sender: str
    to: tuple[str, ...]
    message: EmailMessage

    @property
    def text(self) -> str:
        return str(self.message.get_content())


Answers = Callable[[Hook], tuple[int, dict[str, str], bytes]]


def taken(hook: Hook) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b"thanks"


@contextmanager
def hooks(answers: Answers = taken, port: int = 0) -> Iterator[tuple[Box, int]]:
    """What came, and the port of the receiver on 127.0.0.1."""
    box = Box()

    class ReceiverHandler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hook = Hook(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            box.put(hook)
            status, headers, words = answers(hook)
            self.send_response(status)
            for name, value in {"content-length": str(len(words)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), ReceiverHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield box, server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Mailbox:
    """An aiosmtpd handler. refuses: an address to the answer its RCPT gets."""

    def __init__(self, refuses: dict[str, str]) -> None:
        self.box = Box()
        self._refuses = refuses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Sequence[str]) -> str:
        if address in self._refuses:
            return self._refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=POLICY)
        assert isinstance(message, EmailMessage)
        self.box.put(ReceivedMail(envelope.mail_from, tuple(envelope.rcpt_tos), message))
        return "250 taken"


@contextmanager
def mailbox(refuses: dict[str, str] | None = None, port: int = 0, **options: Any) -> Iterator[tuple[Box, int]]:
    """What came, and the port of the mail server on 127.0.0.1. `options` are aiosmtpd's."""
    handler = Mailbox(refuses or {})
    controller = Controller(handler, hostname="127.0.0.1", port=port or free_port(), **options)
    controller.start()
    try:
        yield handler.box, controller.port
    finally:
        controller.stop()
