"""The simulator on a real socket, asked by OpenAI's own client and by bare bytes."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
import uvloop

from tests.simulator.harness import StandingClock
from tollhouse.core.workers import InlineWorkers
from tollhouse.tokens.tokenizer import Tokenizer
from tollhouse.upstream.simulator.server import HttpRequest, SimulatorServer
from tollhouse.upstream.simulator.simulator import Simulator

Run = Callable[[Coroutine[Any, Any, Any]], Any]
SECONDS_MAX = 20  # a test that hangs says where

MESSAGES: Any = [{"role": "user", "content": "What does the gate say?"}]
BODY = b'{"model":"simulator","messages":[{"role":"user","content":"Hello"}]}'
STREAM = BODY[:-1] + b',"stream":true}'


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[tuple[SimulatorServer, int]]:
    server = SimulatorServer(
        Simulator(Tokenizer(), StandingClock(), _at_once, InlineWorkers(), InlineWorkers()), **options
    )
    port = await server.start()
    try:
        yield server, port
    finally:
        await server.close()


async def _at_once(seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Both event loops: their transports differ."""

    def bounded(main: Coroutine[Any, Any, Any]) -> Any:
        factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(main, SECONDS_MAX))

    return bounded


def _with_client(run: Run, main: Callable[[openai.AsyncOpenAI], Coroutine[Any, Any, None]], **options: Any) -> None:
    async def asking() -> None:
        async with served(**options) as (_, port):
            base_url = f"http://127.0.0.1:{port}/v1"
            async with openai.AsyncOpenAI(base_url=base_url, api_key="sk-one", max_retries=0) as client:
                await main(client)

    run(asking())


async def _exchange(port: int, *requests: bytes) -> bytes:
    """What the server answers to these bytes, until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.writelines(requests)
    answer = await reader.read()
    writer.close()
    return answer


def _post(body: bytes, *headers: bytes, path: bytes = b"/v1/chat/completions") -> bytes:
    lines = [b"POST %b HTTP/1.1" % path, b"Host: h", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_openais_client_gets_chat_streams_tools_embeddings_and_responses(run: Run) -> None:
    async def main(client: openai.AsyncOpenAI) -> None:
        whole = await client.chat.completions.create(model="simulator", messages=MESSAGES)
        stream = await client.chat.completions.create(
            model="simulator", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == whole.choices[0].message.content
        assert chunks[-1].usage == whole.usage
        tool: Any = {"type": "function", "function": {"name": "get_toll", "parameters": {"type": "object"}}}
        called = await client.chat.completions.create(
            model="simulator", messages=MESSAGES, tools=[tool], tool_choice="required"
        )
        assert (called.choices[0].message.tool_calls or [])[0].id.startswith("call_")
        embedded = await client.embeddings.create(model="simulator", input=["a", "b"], dimensions=4)
        assert [len(entry.embedding) for entry in embedded.data] == [4, 4]
        answered = await client.responses.create(model="simulator", input="Hello")
        streamed = await client.responses.create(model="simulator", input="Hello", stream=True)
        events = [event async for event in streamed]
        assert events[-1].type == "response.completed"
        assert events[-1].response.output_text == answered.output_text
        assert (await client.completions.create(model="simulator", prompt="Hello")).choices[0].text
        assert (await client.moderations.create(input="violence")).results[0].flagged
        assert [model.id async for model in client.models.list()] == ["simulator"]

    _with_client(run, main)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("status=401", openai.AuthenticationError),
        ("error=model_not_found", openai.NotFoundError),
        ("error=rate_limit_exceeded", openai.RateLimitError),
        ("status=503", openai.InternalServerError),
        ("nonsense", openai.BadRequestError),
        ("cut_after=0", openai.APIConnectionError),
        ("status=503,times=1", openai.InternalServerError),
    ],
)
def test_scripts_come_by_header_and_by_model(run: Run, script: str, error: type[openai.APIError]) -> None:
    async def main(client: openai.AsyncOpenAI) -> None:
        header = {"x-tollhouse-simulate": script}
        with pytest.raises(error):
            await client.chat.completions.create(model="simulator", messages=MESSAGES, extra_headers=header)
        if "times" in script:
            await client.chat.completions.create(model=f"simulate/{script}", messages=MESSAGES)
        else:
            with pytest.raises(error):
                await client.chat.completions.create(model=f"simulate/{script}", messages=MESSAGES)

    _with_client(run, main)


def test_a_server_with_keys_refuses_others(run: Run) -> None:
    async def main(client: openai.AsyncOpenAI) -> None:
        with pytest.raises(openai.AuthenticationError):
            await client.chat.completions.create(model="simulator", messages=MESSAGES)
        await client.with_options(api_key="sk-two").chat.completions.create(model="simulator", messages=MESSAGES)

    _with_client(run, main, api_keys=["sk-two"])


def test_a_connection_serves_one_request_after_the_other_and_tells_what_it_saw(run: Run) -> None:
    seen: list[HttpRequest] = []

    async def main() -> bytes:
        async with served(seen=seen.append) as (server, port):
            answer = await _exchange(port, _post(BODY), _post(STREAM, path=b"//x"), _post(BODY, b"Connection: close"))
            assert server.connections == 1
            return answer

    answer = run(main())
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"404", b"200"]
    assert [request.target for request in seen] == [b"/v1/chat/completions", b"//x", b"/v1/chat/completions"]
    assert [request.body for request in seen] == [BODY, STREAM, BODY]


def test_a_stream_comes_in_chunks_and_a_broken_one_without_its_end(run: Run) -> None:
    async def main() -> tuple[bytes, bytes, bytes]:
        async with served() as (_, port):
            whole = await _exchange(port, _post(STREAM, b"Connection: close"))
            broken = await _exchange(port, _post(STREAM, b"X-Tollhouse-Simulate: cut_after=2"))
            buffered = await _exchange(port, _post(BODY, b"X-Tollhouse-Simulate: cut_after=2"))
            return whole, broken, buffered

    whole, broken, buffered = run(main())
    assert whole.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert broken.count(b"data: ") == 2
    assert b"0\r\n\r\n" not in broken
    head, _, body = buffered.partition(b"\r\n\r\n")
    announced = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    assert 0 < len(body) < announced


def test_a_client_that_leaves_mid_stream_aborts_the_answer(run: Run) -> None:
    async def main() -> int:
        gone = asyncio.Event()
        simulator = Simulator(Tokenizer(), StandingClock(), _until(gone), InlineWorkers(), InlineWorkers())
        server = SimulatorServer(simulator)
        port = await server.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_post(STREAM, b"X-Tollhouse-Simulate: chunk_ms=50"))
        await reader.readuntil(b"data: ")
        writer.close()
        await gone.wait()
        await server.close()
        return simulator.aborted

    assert run(main()) == 1


def _until(gone: asyncio.Event) -> Callable[[float], Coroutine[Any, Any, None]]:
    """A sleep without end, which says when it was cancelled."""

    async def sleep(seconds: float) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    return sleep


def test_garbage_closes_the_connection(run: Run) -> None:
    async def main() -> bytes:
        async with served() as (_, port):
            return await _exchange(port, b"\x16\x03\x01 garbage\r\n\r\n")

    assert run(main()) == b""


def test_it_stands_as_a_process_of_its_own() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.simulator.second_provider", "--key", "sk-one"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            assert process.stdout is not None
            client = openai.OpenAI(base_url=process.stdout.readline().strip(), api_key="sk-one", max_retries=0)
            with client:
                assert client.chat.completions.create(model="simulator", messages=MESSAGES).choices
        finally:
            process.terminate()
