"""What an answer needs to know of the transport: uvicorn's flow control, without loading uvicorn."""

from typing import Protocol


class WriteFlow(Protocol):
    """Whether the transport has taken enough for now."""

    @property
    def write_paused(self) -> bool: ...
    async def drain(self) -> None: ...
