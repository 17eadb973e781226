"""Rows of links that were mailed, and of their tokens."""

from sqlalchemy import delete, insert, select

from tollhouse.core.mailed_link import MailedLink
from tollhouse.store.people_schema import link_tokens, mailed_links
from tollhouse.store.rows import SqlRecordRepository


class SqlMailedLinkRepository(SqlRecordRepository[MailedLink]):
    table, kind = mailed_links, MailedLink

    def add_token(self, link_id: str, digest: bytes) -> None:
        self._connection.execute(insert(link_tokens).values(link_id=link_id, digest=digest))

    def by_token(self, digest: bytes) -> MailedLink | None:
        question = select(mailed_links).join(link_tokens, link_tokens.c.link_id == mailed_links.c.id)
        found = self._found(question.where(link_tokens.c.digest == digest))
        return found[0] if found else None

    def remove(self, row_id: str) -> None:
        self._connection.execute(delete(link_tokens).where(link_tokens.c.link_id == row_id))
        super().remove(row_id)

    def to(self, email: str) -> list[MailedLink]:
        """All that were sent to an address, in lower case."""
        return self._found(select(mailed_links).where(mailed_links.c.email == email))

    def invitations(self, account_id: str | None, limit: int) -> list[MailedLink]:
        """Into an account, or to run the platform; the newest first."""
        question = select(mailed_links).where(
            mailed_links.c.kind == "invitation", mailed_links.c.account_id == account_id
        )
        return self._found(question.order_by(mailed_links.c.created_at_ms.desc(), mailed_links.c.id).limit(limit))

    def forget_before(self, now_ms: int) -> None:
        """Those whose time is over."""
        over = select(mailed_links.c.id).where(mailed_links.c.expires_at_ms <= now_ms)
        self._connection.execute(delete(link_tokens).where(link_tokens.c.link_id.in_(over)))
        self._connection.execute(delete(mailed_links).where(mailed_links.c.expires_at_ms <= now_ms))
