"""Rows of price files that people brought."""

from tollhouse.core.price import PriceDraft
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.schema import price_drafts


class SqlPriceDraftRepository(SqlRecordRepository[PriceDraft]):
    table, kind = price_drafts, PriceDraft
