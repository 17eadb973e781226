"""Vocabularies are read before the first call that has to be counted: a stream that breaks should not wait for one."""

from tollhouse.gateway.ports import GatewayContext


async def read_all(gateway: GatewayContext, account_id: str) -> None:
    """Of each model in force, in the turn of an account in the threads that count."""
    for model in list(gateway.catalogue.models):
        await gateway.count.count_aside("", model, account_id)
