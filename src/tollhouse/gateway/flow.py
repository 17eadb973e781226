"""The journey of a request, whole, on one screen. Each line is a stage; each stage is a file of this room."""

from tollhouse.gateway.admit import admitted
from tollhouse.gateway.attempt import attempt
from tollhouse.gateway.authenticate import authenticate, still_welcome
from tollhouse.gateway.client import Call
from tollhouse.gateway.ports import House
from tollhouse.gateway.read import read
from tollhouse.gateway.relay import relay
from tollhouse.gateway.route import resolve, route
from tollhouse.gateway.settle import settled


async def serve(house: House, call: Call) -> None:
    """Answer one call of the LLM API.

    Raises a Failure where no byte of an answer has left (the edge writes it in the caller's dialect), and ClientLeft
    where nobody is there to read one. Whatever happens after authentication is written down exactly once.
    """
    journey = authenticate(house, call)  # 401, 403
    async with settled(house, journey) as books:  # leaving this block by any path closes the books of the call
        request = await read(house, journey)  # 400, 413
        still_welcome(house, journey)  # 401, 403: whoever sent it so slowly that much may have changed
        model = resolve(house, journey, request)  # 404, 403
        with admitted(house, journey, request, model):  # 429; the place is free again at the end
            choices = route(house, journey, request, model)  # 503
            await books.hold(request, model)  # 429 insufficient_quota; ends by the charge, or by nothing
            answer = await attempt(house, journey, request, choices)  # 502, 504, after trying elsewhere
            await relay(house, journey, request, model, answer, books)  # after the first byte an error is an event
