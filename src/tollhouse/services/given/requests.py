"""Which calls are meant."""

from typing import Annotated, Literal

from tollhouse.core.fields import AccountReference, Help, KeyReference, ProjectReference
from tollhouse.services.given.paging import Paging


class RequestQuery(Paging, frozen=True):
    """`status`: 429, 4xx for a whole class, or failed. `since`, `before`: 2h (so long ago), a date, or a time with its
    offset. `order`: the dearest of 20,000 calls at once; `next` leads to those before."""

    account: AccountReference = None
    project: ProjectReference = None
    key: KeyReference = None
    model: Annotated[str | None, Help("a model, or prefix*")] = None
    status: Annotated[str | None, Help("such as 429, 4xx for a whole class, or failed")] = None
    error: Annotated[str | None, Help("a code, such as rate_limit_exceeded")] = None
    client: Annotated[str | None, Help("a client as receipts name it, such as 'curl 8.5'")] = None
    mode: Annotated[Literal["live", "test"] | None, Help("only live or only test calls")] = None
    dialect: Annotated[str | None, Help("in whose format it was asked: openai, anthropic or gemini")] = None
    operation: Annotated[str | None, Help("what was asked for, such as chat, embeddings or images")] = None
    since: Annotated[str | None, Help("2h (so long ago), a date, or a time")] = None
    before: Annotated[str | None, Help("1h (so long ago), a date, or a time; exclusive")] = None
    order: Annotated[Literal["newest", "dearest"], Help("newest first, or the 20 that cost the most")] = "newest"
