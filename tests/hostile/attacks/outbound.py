"""G4, D2, D5: what customers make leave the platform, and whom it keeps waiting."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.hostile.attacks.bodies import attacked
from tests.hostile.harness import BEFORE_SECONDS, Attack, AttackHarness, Observations
from tests.hostile.launcher import CONFIG, AttackedPlatform, Launch, TenantAccount, chat
from tests.hostile.wire import at_once, each
from tests.outbound.receivers import hooks, mailbox

KEYS: Final = 20
SLOW_SECONDS: Final = 20
MAIL: Final = """
[mail]
smtp = "smtp://127.0.0.1:{mail}"
from = "tollhouse <toll@example.org>"
"""


def g4(harness: AttackHarness, seen: Observations) -> None:
    named = CONFIG.replace("http://127.0.0.1:{port}", "http://localhost:{port}")
    platform = harness.platform(Launch(config=named, slow_names=SLOW_SECONDS))
    b = harness.neighbour(
        platform, model="house-1", says="[[close=1]]"
    )  # each call a new connection, each 5 s a new look-up
    a = platform.account("a", mode="admin")
    before = b.for_seconds(BEFORE_SECONDS * 2)
    begin = attacked(platform, b)

    def tried(number: int) -> int:
        given = {"webhook": f"https://n{number}.slow.test/in"}
        return platform.ask(given, "/api/v1/alerts/test", key=a.key).status

    statuses = at_once(10, tried)
    seen.note("tests", sorted(statuses))
    seen.beside(before, b.between(begin, max(b.mark(), begin + 12)))


@contextmanager
def _hangs() -> Iterator[int]:
    """A receiver that takes connections and never answers: its port."""
    over = threading.Event()

    class WebhookHandler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            over.wait(60)

        def log_message(self, *_: object) -> None:
            pass

    class WebhookServer(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

    server = WebhookServer(("127.0.0.1", 0), WebhookHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _budgets(
    platform: AttackedPlatform, a: TenantAccount, thresholds: int, told: dict[str, str]
) -> tuple[list[int], list[int]]:
    """20 keys, each with a budget of many thresholds that one call passes; the statuses of budgets and calls."""
    admin = platform.key(a.id, "admin", mode="admin")
    keys = [platform.key(a.id, f"k{number}") for number in range(KEYS)]

    def one(number: int) -> tuple[int, int]:
        way = {name: value.replace("N", str(number)) for name, value in told.items()}
        given = {"key": keys[number].key_id, "amount_usd": "0.01", "window": "day"}
        soft = {"soft": list(range(1, thresholds + 1))}
        made = platform.ask({**given, **soft, **way}, "/api/v1/budgets", key=admin.key)
        called = platform.ask(chat("[[prompt=4000&completion=3]]", max_tokens=100), key=keys[number].key)
        return made.status, called.status

    rows = each(list(range(KEYS)), one)
    return [made for made, _ in rows], [called for _, called in rows]


def d2(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    b = platform.neighbour_account()
    a = platform.open_wide(platform.account("a", "10"))
    with _hangs() as deaf, hooks() as (box, hears):
        budget = {"account": b.id, "amount_usd": "0.01", "window": "day", "soft": [10]}
        platform.manage("POST", "/budgets", {**budget, "webhook": f"http://127.0.0.1:{hears}/b"})
        made, called = _budgets(platform, a, 15, {"webhook": f"http://127.0.0.1:{deaf}/N"})
        seen.note("A's budgets", sorted(set(made)))
        seen.note("A's calls", sorted(set(called)))
        began = time.monotonic()
        platform.ask(chat("[[prompt=3000&completion=3]]", max_tokens=100), key=b.key)
        while not box.all() and time.monotonic() < began + 60:
            threading.Event().wait(0.02)
        waited = time.monotonic() - began if box.all() else 60.0
        seen.within("B's alert", round(waited, 2), 3, " s")


def d5(harness: AttackHarness, seen: Observations) -> None:
    with mailbox() as (box, port):
        platform = harness.platform(Launch(more=MAIL.replace("{mail}", str(port))))
        a = platform.open_wide(platform.account("a", "10"))
        made, called = _budgets(platform, a, 100, {"mail": "strangerN@example.com"})
        seen.note("budgets", sorted(set(made)))
        seen.note("calls", sorted(set(called)))
        threading.Event().wait(5)
        queued, after = 0, ""
        for _ in range(60):
            page = platform.manage("GET", f"/alerts?account={a.id}&limit=100{after}")
            waiting = [row for row in page["data"] if row["channel"] == "mail" and row["state"] in ("pending", "sent")]
            queued += len(waiting)
            if not page["next"]:
                break
            after = f"&after={page['next']}"
        told = [mail for mail in box.all() if any(to.startswith("stranger") for to in mail.to)]
        most = max((sum(mail.to == other.to for other in told) for mail in told), default=0)
        seen.within("mails queued or sent", queued, 100)
        seen.within("mails that left", len(box.all()), 100)
        seen.within("to one stranger who confirmed nothing", most, 1)


ATTACKS: Final = (
    Attack("G4", "names that customers choose share no resolver with the providers'", g4),
    Attack("D2", "B's alert does not wait behind 300 of A's that hang: within 3 s", d2),
    Attack("D5", "mails of an account are bounded, strangers confirm first", d5),
)
