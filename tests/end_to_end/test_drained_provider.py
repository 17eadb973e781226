"""While a provider is drained, new calls go elsewhere or are refused; what was under way ends; a restart keeps it."""

import asyncio
import threading

from tests.end_to_end.conftest import Start
from tests.end_to_end.platform_process import PlatformProcess, PlatformReply, chat, text_of
from tests.support.scripted_provider import LAST, ScriptedProvider, answers, said, streams, word

MORE = """
[providers.first]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"

[models.both]
offers = [{ provider = "first", model = "up-first" }, { provider = "up", model = "up-second", priority = 1 }]
price = { input = "2.50", output = "10.00" }

[models.alone]
offers = [{ provider = "first", model = "up-first" }]
price = { input = "2.50", output = "10.00" }
"""


def test_new_calls_go_elsewhere_and_one_under_way_ends(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    gate = asyncio.Event()
    provider.plays("up-first", streams([word("begun "), gate, word("and ended"), LAST]))
    provider.plays("up-second", answers(said("from the second")))
    replies: list[PlatformReply] = []
    caller = threading.Thread(target=lambda: replies.append(platform.ask(chat("alone", stream=True))))
    caller.start()
    provider.seen()
    platform.tollhouse("providers", "drain", "first", "--reason", "it moves house")
    assert platform.ask(chat("both")).json["choices"][0]["message"]["content"] == "from the second"
    refused = platform.ask(chat("alone"))
    assert (refused.status, refused.json["error"]["code"]) == (503, "overloaded")
    provider.signal(gate)
    caller.join()
    assert text_of(replies[0].body) == "begun and ended"
    assert platform.manage("GET", "/providers/first")["drain"]["reason"] == "it moves house"
    platform.tollhouse("providers", "resume", "first")
    provider.plays("up-first", answers(said("from the first")))
    assert platform.ask(chat("both")).json["choices"][0]["message"]["content"] == "from the first"


def test_drain_outlives_a_restart(start: Start, provider: ScriptedProvider) -> None:
    provider.plays("up-first", answers(said("from the first")))
    platform = start(MORE)
    platform.tollhouse("providers", "drain", "first")
    platform.stop()
    platform.again()
    assert platform.ask(chat("alone")).status == 503
