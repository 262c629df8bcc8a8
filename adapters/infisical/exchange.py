"""Sending one request until it is answered: repeated after failures that may pass, paced by what the host asks."""

import asyncio
import random
from typing import Final

import msgspec

from adapters.infisical.pace import Pace
from adapters.infisical.refusals import Asked, Meaning, Refusal, understood
from adapters.infisical.transport import Answer, Request, Transport, TransportError, Unreachable
from machines.outcomes import Service, Trouble, Unavailable

_JITTER: Final = 0.2
_LONGEST_PAUSE: Final = 600.0  # seconds; no server means to be left alone for longer
_TROUBLES: Final = {
    Unreachable.REFUSED: Trouble.REFUSED,
    Unreachable.UNRESOLVED: Trouble.UNRESOLVED,
    Unreachable.TIMED_OUT: Trouble.TIMED_OUT,
    Unreachable.BROKEN: Trouble.BROKEN,
    Unreachable.UNTRUSTED: Trouble.UNTRUSTED,
    Unreachable.WRONG_HOST: Trouble.WRONG_HOST,
    Unreachable.EXPIRED: Trouble.EXPIRED_CERTIFICATE,
    Unreachable.TOO_LARGE: Trouble.TOO_LARGE,
    Unreachable.REDIRECTED: Trouble.REDIRECTED,
}
_PASSING: Final = frozenset(
    {
        Trouble.REFUSED,
        Trouble.UNRESOLVED,
        Trouble.TIMED_OUT,
        Trouble.BROKEN,
        Trouble.LIMITED,
        Trouble.FAULT,
    }
)


class Retry(msgspec.Struct, frozen=True):
    """How often a request is tried in all, the delay after the first failure, doubled after each, and the limit
    for everything together; delays in seconds."""

    attempts: int = 3
    first_delay: float = 0.5
    deadline: float = 45.0


Reply = Answer | Refusal | Unavailable


class Exchange:
    """Requests to one host through one transport."""

    def __init__(self, transport: Transport, pace: Pace, chance: random.Random) -> None:
        self._transport = transport
        self._pace = pace
        self._chance = chance

    async def send(self, request: Request, asked: Asked, retry: Retry, *, patient: bool = True) -> Reply:
        """A success, a refusal that repeating does not change, or why there is none. Raises nothing of a library.

        Without `patient`, a fault of the server (5xx) is not tried again.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + retry.deadline
        delay = retry.first_delay
        attempt = 1
        while True:
            pause = self._pace.remaining()
            if loop.time() + pause >= deadline:
                return Unavailable(service=Service.INFISICAL, why=Trouble.LIMITED, status=429, after=pause)
            await self._pace.passed()
            reply = await self._once(request, asked, deadline)
            if not isinstance(reply, Unavailable) or reply.why not in _PASSING:
                return reply
            wait = max(delay * self._chance.uniform(1 - _JITTER, 1 + _JITTER), reply.after or 0.0)
            if reply.why is Trouble.LIMITED:
                self._pace.close_for(min(wait, _LONGEST_PAUSE))
            hopeless = reply.why is Trouble.FAULT and not patient
            if attempt >= retry.attempts or hopeless or loop.time() + wait >= deadline:
                return reply
            await asyncio.sleep(wait)
            attempt, delay = attempt + 1, delay * 2

    async def _once(self, request: Request, asked: Asked, deadline: float) -> Reply:
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._transport.send(request)
        except TransportError as error:
            return Unavailable(service=Service.INFISICAL, why=_TROUBLES[error.why])
        except TimeoutError:
            return Unavailable(service=Service.INFISICAL, why=Trouble.TIMED_OUT)
        if 200 <= answer.status < 300:
            return answer
        if 300 <= answer.status < 400:
            return Unavailable(service=Service.INFISICAL, why=Trouble.REDIRECTED, status=answer.status)
        refusal = understood(answer, asked)
        if refusal.meaning is Meaning.LIMITED:
            return _unavailable(Trouble.LIMITED, refusal)
        if refusal.meaning is Meaning.FAULT:
            return _unavailable(Trouble.FAULT, refusal)
        if refusal.meaning is Meaning.STRANGE:
            return _unavailable(Trouble.NOT_INFISICAL, refusal)
        return refusal


def _unavailable(why: Trouble, refusal: Refusal) -> Unavailable:
    return Unavailable(service=Service.INFISICAL, why=why, status=refusal.status, after=refusal.after)
