"""Chat services: vendors' own hosts only, no option of the library that carries them, and what they made of it."""

import asyncio
import threading

import pytest

from tollhouse.core.notice import DeliveryResult
from tollhouse.outbound import chat

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"


@pytest.mark.parametrize(
    "url",
    [SLACK, "discord://417/JHM_dV-js", "tgram://123456789:abc_d/12315544/", "feishu://abc", "dingtalk://secret@abc"],
)
def test_services_at_their_vendors_hosts_are_known(url: str) -> None:
    assert chat.refuses(url, installed=True) is None
    assert chat.refuses(url, installed=False) == chat.MISSING


@pytest.mark.parametrize(
    "url",
    [
        *("mmost://127.0.0.1/token", "matrix://host/room", "json://169.254.169.254/", "form://host", "mailto://a:b@c"),
        *("dbus://", "syslog://", "exec://x", "https://hooks.slack.com/x", "slack", "Slack://a/b/c", ""),
        *(f"{SLACK}?template=/etc/passwd", f"{SLACK}#x", "slack://a/b/%2e%2e", "slack://a b/c", "slack://a/\r\nb"),
        *("slack://\u00e4/b/c", f"slack://{'a' * 600}"),
    ],
)
def test_hosts_that_an_address_chooses_and_options_are_refused(url: str) -> None:
    assert chat.refuses(url, installed=True) is not None
    sent: list[str] = []

    def takes(*words: str) -> bool:
        sent.append(words[0])
        return True

    answer = asyncio.run(chat.send(url, "about", "text", 5, takes))
    assert (answer.ok, sent) == (False, [])


def test_what_a_service_made_of_it_is_the_answer() -> None:
    said: list[tuple[str, ...]] = []

    def takes(*words: str) -> bool:
        said.append(words)
        return len(said) == 1

    assert asyncio.run(chat.send(SLACK, "about", "text", 5, takes)) == DeliveryResult(ok=True, words="taken")
    assert not asyncio.run(chat.send(SLACK, "about", "text", 5, takes)).ok
    assert said == [(SLACK, "about", "text")] * 2


def test_a_service_that_does_not_answer_is_not_waited_for() -> None:
    leaves = threading.Event()

    async def scenario() -> DeliveryResult:
        try:
            return await chat.send(SLACK, "about", "text", 0.01, lambda *words: leaves.wait(20))
        finally:
            leaves.set()

    assert asyncio.run(scenario()) == DeliveryResult(ok=False, words="no answer in time")
