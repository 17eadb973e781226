"""The canned provider says what an OpenAI-compatible server would say; otherwise the figures mean nothing."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from bench import contenders, load
from bench.contenders import Contender
from bench.processes import cores


@pytest.fixture(scope="module")
def provider() -> Iterator[Contender]:
    with contenders.upstream(cores()[1]) as port:
        yield Contender("provider", 0, port, "")


def _ask(provider: Contender, model: str, *, stream: bool) -> tuple[str | None, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", provider.port, timeout=30)) as connection:
        connection.request("POST", load.PATH, load.request_body(model, stream))
        answer = connection.getresponse()
        return answer.getheader("content-type"), answer.read()


def test_a_whole_answer_has_text_and_usage(provider: Contender) -> None:
    kind, body = _ask(provider, "canned", stream=False)
    answer = json.loads(body)
    assert kind == "application/json"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"] == answer["usage"]["total_tokens"]
    assert 900 <= len(body) <= 1200


def test_a_stream_has_its_events_one_usage_and_an_end(provider: Contender) -> None:
    kind, body = _ask(provider, "canned", stream=True)
    events = body.decode().split("\n\n")
    assert kind == "text/event-stream"
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert ["usage" in chunk for chunk in chunks] == [False] * 46 + [True]
    assert 7_500 <= len(body) <= 10_000


def test_requests_are_about_as_large_as_people_make_them() -> None:
    assert 600 <= len(load.request_body("bench", stream=False)) <= 800
    load_with_stream = json.loads(load.request_body("bench", stream=True))
    assert load_with_stream["stream"] is True


def test_a_good_server_is_measured(provider: Contender) -> None:
    load.check(provider, "canned", stream=False)
    load.check(provider, "canned", stream=True)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n\r\n{}"])
def test_a_server_that_answers_nonsense_is_not(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        with pytest.raises(SystemExit, match=answer[9:12].decode()):
            load.check(Contender("odd", 0, listener.getsockname()[1], ""), "canned", stream=False)
        server.join()
