"""A budget that fills up, as those who watch over it hear of it: by mail and by a signed webhook, each threshold once,
also when the process is killed between reaching it and telling."""

import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from email.utils import parseaddr
from typing import Any

import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.platform_process import PlatformProcess, chat
from tests.outbound.receivers import WAIT_SECONDS_MAX, Hook, ReceivedMail, hooks, mailbox
from tests.support.scripted_provider import ScriptedProvider, answers, said
from tests.support.server_process import free_port

SOFT = [50, 80, 100]


class AlertSetup:
    """A platform, and the ports at which a mail server and a receiver of webhooks may open."""

    def __init__(self, start: Start, provider: ScriptedProvider) -> None:
        provider.plays("up-flat", answers(said("hello")))
        self.mail_port, self.hook_port = free_port(), free_port()
        self.platform: PlatformProcess = start(
            f"""
[outbound]
allow_networks = ["127.0.0.1/32"]

[mail]
smtp = "smtp://127.0.0.1:{self.mail_port}"
from = "Zollhaus <zoll@example.org>"

[models.flat]
offers = [{{ provider = "up", model = "up-flat" }}]
context_tokens = 1000
price = {{ per_request = "0.01" }}
"""
        )
        self.secret = ""

    def budget(self, calls: int) -> Any:
        """For so many calls a day."""
        given = {"account": "demo", "amount_usd": f"{calls / 100}", "window": "day", "soft": SOFT}
        told = {"webhook": f"http://127.0.0.1:{self.hook_port}/in", "mail": "ops@example.org"}
        made = self.platform.manage("POST", "/budgets", given | told)
        self.secret = made["secret"] or self.secret
        return made

    def calls(self, count: int) -> Counter[int]:
        """As many at once; how often each status came."""
        with ThreadPoolExecutor(count) as callers:
            return Counter(callers.map(lambda _: self.platform.ask(chat("flat")).status, range(count)))

    def percents(self, came: list[Hook]) -> list[int]:
        bodies = [hook.verified(self.secret) for hook in came]
        assert {body["type"] for body in bodies} <= {"budget.threshold"}
        return [body["data"]["threshold_percent"] for body in bodies]


@pytest.fixture
def setup(start: Start, provider: ScriptedProvider) -> AlertSetup:
    return AlertSetup(start, provider)


def mails(came: list[ReceivedMail]) -> list[int]:
    assert {one.to for one in came} <= {("demo@tollhouse.example", "ops@example.org")}
    assert {parseaddr(str(one.message["From"]))[1] for one in came} <= {"zoll@example.org"}
    return [int(str(one.message["Subject"]).removeprefix("[tollhouse] ").split(" %")[0]) for one in came]


def test_twenty_parallel_calls_from_40_to_100_percent_send_one_mail_and_one_webhook_a_threshold(
    setup: AlertSetup,
) -> None:
    with mailbox(port=setup.mail_port) as (letters, _), hooks(port=setup.hook_port) as (came, _):
        budget = setup.budget(calls=20)
        assert setup.secret.startswith("whsec_")
        assert setup.calls(8) == {200: 8}
        assert setup.calls(20) == {200: 12, 429: 8}
        assert setup.percents(came.first(3)) == SOFT
        assert mails(letters.first(3)) == SOFT
        assert setup.calls(5) == {429: 5}
        again = setup.budget(calls=30)
        assert (again["id"], again["secret"]) == (budget["id"], None)
        assert setup.calls(20) == {200: 10, 429: 10}
        # Nothing of this budget is left to be told; another one's notice would come behind it.
        setup.platform.manage("POST", f"/budgets/{budget['id']}/remove", {})
        setup.budget(calls=31)
        assert sorted(setup.percents(came.first(5)[3:])) == [50, 80]
        assert sorted(mails(letters.first(5)[3:])) == [50, 80]
        assert len(came.all()) == len(letters.all()) == 5
    bodies = [hook.verified(setup.secret)["data"] for hook in came.all()[3:]]
    assert {body["budget_id"] for body in bodies} != {budget["id"]}
    listed = setup.platform.tollhouse("alerts", "list")
    assert Counter((row["channel"], row["state"], row["attempts"]) for row in listed["data"]) == {
        ("mail", "sent", 1): 5,
        ("webhook", "sent", 1): 5,
    }
    assert setup.platform.defects() == []


def test_killed_between_reaching_and_telling_each_arrives_once(setup: AlertSetup) -> None:
    """Nobody is there to be told; the process is killed; then they are there, and so is the process."""
    setup.budget(calls=10)
    assert setup.calls(8) == {200: 8}
    listed = setup.platform.manage("GET", "/alerts")["data"]
    assert [(row["state"], row["threshold_percent"]) for row in listed if row["channel"] == "webhook"]
    assert {row["state"] for row in listed} == {"pending"}
    setup.platform.signal(signal.SIGKILL)
    setup.platform.wait()
    with mailbox(port=setup.mail_port) as (letters, _), hooks(port=setup.hook_port) as (came, _):
        setup.platform.again()
        assert sorted(setup.percents(came.first(2))) == [50, 80]
        assert sorted(mails(letters.first(2))) == [50, 80]
        sent = setup.platform.logged(lambda line: line.get("event") == "alert" and line["state"] == "sent")
        assert sent["attempts"] >= 1
        _until_sent(setup.platform, 4)
        setup.platform.signal(signal.SIGKILL)
        setup.platform.wait()
        setup.platform.again()
        assert setup.calls(2) == {200: 2}
        assert sorted(setup.percents(came.first(3))) == SOFT
        assert sorted(mails(letters.first(3))) == SOFT
        assert len({hook.id for hook in came.all()}) == 3
        assert len({str(one.message["Message-ID"]) for one in letters.all()}) == 3


def test_killed_between_the_answer_and_our_note_it_comes_again_under_the_same_id(setup: AlertSetup) -> None:
    """What cannot be avoided: the receiver has it, and we do not know. It can tell by the id."""
    leaves = threading.Event()

    def answers_late(hook: Hook) -> tuple[int, dict[str, str], bytes]:
        assert leaves.wait(WAIT_SECONDS_MAX)
        return 200, {}, b""

    with ExitStack() as open_now:
        came, _ = open_now.enter_context(hooks(answers_late, port=setup.hook_port))
        setup.budget(calls=2)
        assert setup.calls(1) == {200: 1}
        came.first(1)
        setup.platform.signal(signal.SIGKILL)
        setup.platform.wait()
        leaves.set()
        setup.platform.again()
        first, second = came.first(2)
        assert (first.id, first.body) == (second.id, second.body)
        assert second.verified(setup.secret)


def test_a_test_shows_what_the_receiver_said(setup: AlertSetup) -> None:
    with hooks(lambda hook: (418, {}, b"short and stout"), port=setup.hook_port) as (came, port):
        budget = setup.budget(calls=2)
        answer = setup.platform.manage("POST", "/alerts/test", {"budget": budget["id"]})
        mail, hook = answer["data"]
        assert (hook["delivered"], hook["status"], hook["answer"]) == (False, 418, "short and stout")
        assert (mail["delivered"], mail["status"]) == (False, None), "no mail server is there"
        (seen,) = came.first(1)
        assert seen.verified(setup.secret)["type"] == "alert.test"
        assert seen.id == hook["webhook_id"]
        refused = setup.platform.ask(
            {"webhook": f"http://127.0.0.2:{port}/"}, "/api/v1/alerts/test", key=setup.platform.facts["admin_key"]
        )
        assert (refused.status, refused.json["error"]["param"]) == (400, "webhook")


def _until_sent(platform: PlatformProcess, count: int) -> None:
    """Ask until so many are noted as sent."""
    for _ in range(2_000):
        rows = platform.manage("GET", "/alerts")["data"]
        if [row["state"] for row in rows].count("sent") == count:
            return
    raise AssertionError(rows)
