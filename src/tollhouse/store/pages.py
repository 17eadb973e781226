"""One page of a list, newest first, found by the key of the last row seen and not by counting rows over."""

from typing import Any

from sqlalchemy import Column, Select, tuple_

Cursor = tuple[int, str]
"""(time in Unix milliseconds, id): where a page ended."""


def page(
    question: Select[Any], time: Column[int], row_id: Column[str], before: Cursor | None, limit: int
) -> Select[Any]:
    """The `limit` newest rows older than `before`."""
    if before is not None:
        question = question.where(tuple_(time, row_id) < tuple_(*before))
    return question.order_by(time.desc(), row_id.desc()).limit(limit)
