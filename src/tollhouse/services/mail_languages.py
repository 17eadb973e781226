"""In which language each reader of a mail gets it: the one that they have set; else that of the browser which asked for
the mail; else the platform's first."""

from collections.abc import Sequence

from tollhouse.core.notice import DeliveryResult, Notice
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories


async def readers_by_language(services: ServiceContext, notice: Notice, addresses: str) -> dict[str, str]:
    """addresses: with `, ` between them, as in the answer."""
    if len(services.languages) == 1:
        return {services.languages[0]: addresses}
    wanted = notice.data.get("language")
    usual = str(wanted) if wanted in services.languages else services.languages[0]

    def question(tables: SqlRepositories) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for address in addresses.split(", "):
            person = tables.people.by_email(address.lower())
            set_by = None if person is None else person.language
            found.setdefault(set_by if set_by in services.languages else usual, []).append(address)
        return found

    return {language: ", ".join(few) for language, few in (await services.rows.read(question)).items()}


def together(results: Sequence[DeliveryResult]) -> DeliveryResult:
    """What came of one mail in several languages."""
    if len(results) == 1:
        return results[0]
    left = tuple(address for one in results for address in one.left)
    ok = not left and any(one.ok for one in results)
    told = next((one for one in results if not one.ok), results[0])
    return DeliveryResult(ok=ok, words=told.words, status=told.status, final=not ok and not left, left=left)
