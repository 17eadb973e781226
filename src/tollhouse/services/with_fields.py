"""An action takes what people give as one struct; whoever calls it names the fields."""

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from tollhouse.core.audit import Actor
from tollhouse.services.context import ServiceContext

P = ParamSpec("P")
G = TypeVar("G")
R = TypeVar("R")


class WithFieldsOf(Generic[P, G]):
    """`@WithFieldsOf(NewBudget)` over `put(services, actor, given: NewBudget)`: called as `put(services, actor,
    amount_usd="5", ...)`, with types checked. An action on one object has its reference before `given`, which is the
    last."""

    def __init__(self, kind: Callable[P, G]) -> None:
        self._kind: Callable[..., G] = kind

    @overload
    def __call__(
        self, action: Callable[[ServiceContext, Actor, G], Coroutine[Any, Any, R]]
    ) -> Callable[Concatenate[ServiceContext, Actor, P], Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(
        self, action: Callable[[ServiceContext, Actor, str, G], Coroutine[Any, Any, R]]
    ) -> Callable[Concatenate[ServiceContext, Actor, str, P], Coroutine[Any, Any, R]]: ...
    def __call__(self, action: Callable[..., Any]) -> Callable[..., Any]:
        at = len(signature(action).parameters) - 1

        @wraps(action)
        def run(*places: object, **fields: object) -> object:
            return action(*places[:at], self._kind(*places[at:], **fields))

        return run
