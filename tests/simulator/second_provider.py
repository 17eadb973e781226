"""A provider as a process of its own: `python -m tests.simulator.second_provider --port 9001 [--key sk-...]`.

For trying a gateway against a real socket: kind `openai` or `openai_compatible`, base_url `http://127.0.0.1:9001/v1`.
Prints that address when it listens; a fault is scripted by the offer's model name, as in `simulate/status=503`.
"""

import argparse
import asyncio

from tollhouse.clock import SystemClock
from tollhouse.core.workers import InlineWorkers
from tollhouse.tokens.tokenizer import Tokenizer
from tollhouse.upstream.simulator.server import SimulatorServer
from tollhouse.upstream.simulator.simulator import Simulator


async def serve(port: int, api_keys: list[str]) -> None:
    server = SimulatorServer(
        Simulator(Tokenizer(), SystemClock(), asyncio.sleep, InlineWorkers(), InlineWorkers()), api_keys=api_keys
    )
    print(f"http://127.0.0.1:{await server.start(port=port)}/v1", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="an OpenAI-compatible provider that answers by the simulator")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", action="append", default=[], help="accept only this key (may be repeated)")
    given = parser.parse_args()
    try:
        asyncio.run(serve(given.port, given.key))
    except KeyboardInterrupt:
        parser.exit(0)
