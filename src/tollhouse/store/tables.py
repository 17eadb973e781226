"""All families of rows on one connection: what the writer hands to a change, and a reader to a question."""

from sqlalchemy import Connection

from tollhouse.store.accounts import Accounts
from tollhouse.store.audit import Audit
from tollhouse.store.budgets import Budgets
from tollhouse.store.catalogue import CatalogueRows
from tollhouse.store.changes import Changes
from tollhouse.store.codes import Codes
from tollhouse.store.keys import Keys
from tollhouse.store.ledger import Ledger
from tollhouse.store.limits import LimitRows
from tollhouse.store.mail_addresses import MailAddresses
from tollhouse.store.outbox import Outbox
from tollhouse.store.people import People
from tollhouse.store.price_drafts import PriceDrafts
from tollhouse.store.prices import Prices
from tollhouse.store.projects import Projects
from tollhouse.store.requests import Requests
from tollhouse.store.retention import RetentionRows
from tollhouse.store.sendings import Sendings
from tollhouse.store.spend import SpendRows
from tollhouse.store.usage import UsageRows


class Tables:
    """Good only while the transaction lasts, and only in its thread."""

    def __init__(self, connection: Connection) -> None:
        self.accounts = Accounts(connection)
        self.projects = Projects(connection)
        self.keys = Keys(connection)
        self.people = People(connection)
        self.audit = Audit(connection)
        self.requests = Requests(connection)
        self.retention = RetentionRows(connection)
        self.usage = UsageRows(connection)
        self.spend = SpendRows(connection)
        self.catalogue = CatalogueRows(connection)
        self.changes = Changes(connection)
        self.ledger = Ledger(connection)
        self.budgets = Budgets(connection)
        self.prices = Prices(connection)
        self.price_drafts = PriceDrafts(connection)
        self.limits = LimitRows(connection)
        self.codes = Codes(connection)
        self.outbox = Outbox(connection)
        self.mail_addresses = MailAddresses(connection)
        self.sendings = Sendings(connection)
