"""The path of a request, whole, on one screen. Each line is a stage; each stage is a file of this package."""

from tollhouse.gateway.admission import admit
from tollhouse.gateway.attempt import attempt
from tollhouse.gateway.authenticate import authenticate, reauthenticate_if_slow
from tollhouse.gateway.connection import Call
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.read import read
from tollhouse.gateway.relay import relay
from tollhouse.gateway.route import resolve, route
from tollhouse.gateway.settlement import Settlement


async def serve(gateway: GatewayContext, call: Call) -> None:
    """Answer one call of the LLM API.

    Raises a Failure where no byte of an answer has left (the edge writes it in the caller's dialect), and
    ClientDisconnected where nobody is there to read one. Whatever happens after authentication is written down exactly
    once.
    """
    context = authenticate(gateway, call)  # 401, 403
    async with Settlement(gateway, context) as settlement:  # leaving this block by any path settles the call
        request = await read(gateway, context)  # 400, 413
        reauthenticate_if_slow(gateway, context)  # 401, 403: whoever sent it so slowly that much may have changed
        model = resolve(gateway, context, request)  # 404, 403
        settlement.admitted = await admit(gateway, context, request, model)  # 429; the place is free again at the end
        choices = route(gateway, context, request, model)  # 503
        await settlement.hold(request, model)  # 429 insufficient_quota; ends by the charge, or by nothing
        answer = await attempt(gateway, context, request, choices)  # 502, 504, after trying elsewhere
        await relay(gateway, context, request, model, answer, settlement)  # errors are events from here
