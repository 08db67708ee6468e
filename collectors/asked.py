"""What a channel asks its platform once in its life."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Answer = TypeVar("Answer")


class asked_once(Generic[Answer]):
    """``functools.cached_property`` without its lock, which in Python 3.11 is one for all objects of a class: while
    one place hangs in its question, no other place of the platform would get past its own.
    """

    def __init__(self, ask: Callable[[Any], Answer]) -> None:
        self._ask, self.__doc__ = ask, ask.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, channel: None, owner: type) -> "asked_once[Answer]": ...
    @overload
    def __get__(self, channel: object, owner: type) -> Answer: ...
    def __get__(self, channel: object | None, owner: type) -> "asked_once[Answer] | Answer":
        if channel is None:
            return self
        answer = self._ask(channel)
        channel.__dict__[self._name] = answer  # found before this from now on
        return answer
