"""All families of rows on one connection: what the writer hands to a change, and a reader to a question."""

from sqlalchemy import Connection

from tollhouse.core.channel import NO_CHANNELS, Channels
from tollhouse.store.accounts import SqlAccountRepository
from tollhouse.store.announcements import SqlAnnouncementRepository
from tollhouse.store.audit import SqlAuditRepository
from tollhouse.store.budgets import SqlBudgetRepository
from tollhouse.store.catalogue import SqlCatalogueRepository
from tollhouse.store.changes import SqlChangeRepository
from tollhouse.store.codes import SqlCodeRepository
from tollhouse.store.drains import SqlDrainRepository
from tollhouse.store.keys import SqlKeyRepository
from tollhouse.store.ledger import SqlLedgerRepository
from tollhouse.store.limits import SqlLimitRepository
from tollhouse.store.mail_addresses import SqlMailAddressRepository
from tollhouse.store.mailed_links import SqlMailedLinkRepository
from tollhouse.store.outbox import SqlOutboxRepository
from tollhouse.store.people import SqlPersonRepository
from tollhouse.store.price_drafts import SqlPriceDraftRepository
from tollhouse.store.prices import SqlPriceRepository
from tollhouse.store.projects import SqlProjectRepository
from tollhouse.store.requests import SqlUsageRecordRepository
from tollhouse.store.retention import SqlRetentionRepository
from tollhouse.store.sendings import SqlSendingRepository
from tollhouse.store.service_levels import SqlServiceLevelRepository
from tollhouse.store.sessions import SqlSessionRepository
from tollhouse.store.size import SqlSizeRepository
from tollhouse.store.spend import SqlSpendRepository
from tollhouse.store.tickets import SqlTicketMessageRepository, SqlTicketRepository
from tollhouse.store.usage import SqlUsageRepository
from tollhouse.store.usage_series import SqlUsageSeriesRepository


class SqlRepositories:
    """Good only while the transaction lasts, and only in its thread."""

    def __init__(self, connection: Connection, channels: Channels = NO_CHANNELS) -> None:
        """channels: those by which notices leave."""
        self.accounts = SqlAccountRepository(connection)
        self.projects = SqlProjectRepository(connection)
        self.keys = SqlKeyRepository(connection)
        self.people = SqlPersonRepository(connection)
        self.sessions = SqlSessionRepository(connection)
        self.audit = SqlAuditRepository(connection)
        self.requests = SqlUsageRecordRepository(connection)
        self.retention = SqlRetentionRepository(connection)
        self.usage = SqlUsageRepository(connection)
        self.usage_series = SqlUsageSeriesRepository(connection)
        self.spend = SqlSpendRepository(connection)
        self.catalogue = SqlCatalogueRepository(connection)
        self.drains = SqlDrainRepository(connection)
        self.changes = SqlChangeRepository(connection)
        self.ledger = SqlLedgerRepository(connection)
        self.budgets = SqlBudgetRepository(connection)
        self.prices = SqlPriceRepository(connection)
        self.price_drafts = SqlPriceDraftRepository(connection)
        self.limits = SqlLimitRepository(connection)
        self.codes = SqlCodeRepository(connection)
        self.outbox = SqlOutboxRepository(connection, channels)
        self.mail_addresses = SqlMailAddressRepository(connection)
        self.mailed_links = SqlMailedLinkRepository(connection)
        self.sendings = SqlSendingRepository(connection)
        self.service_levels = SqlServiceLevelRepository(connection)
        self.announcements = SqlAnnouncementRepository(connection)
        self.tickets = SqlTicketRepository(connection)
        self.ticket_messages = SqlTicketMessageRepository(connection)
        self.size = SqlSizeRepository(connection)
