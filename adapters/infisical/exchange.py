"""Sending one request until it is answered: repeated after failures that may pass, when the host can bear it."""

import asyncio
import random
from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.infisical.health import PASSING
from adapters.infisical.host_state import HostState
from adapters.infisical.refusals import Asked, Meaning, Refusal, understood
from adapters.infisical.transport import Answer, Request, Transport, TransportError, Unreachable
from machines.outcomes import Service, Trouble, Unavailable

PROBE_LIMIT: Final = 10.0  # seconds
PATIENT: Final = 75.0
"""Seconds of a pause that is waited out. Limits are by the minute: what reached one is late, but nothing has failed."""
PROBE: Final = Request(method="GET", path="/api/status")
MOST_REFUSALS: Final = 2
"""How often one request may be refused for being one too many, and is tried again."""
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


_IN_DOUBT: Final = frozenset({Trouble.TIMED_OUT, Trouble.BROKEN, Trouble.FAULT, Trouble.TOO_LARGE})


class Retry(msgspec.Struct, frozen=True):
    """How often a request is tried in all, the longest delay after the first failure, doubled after each, and the limit
    for everything together but for waiting for its turn; delays in seconds. The actual delay is anything up to the
    longest, by chance."""

    attempts: int = 3
    first_delay: float = 0.5
    deadline: float = 45.0


Reply = Answer | Refusal | Unavailable


class Exchange:
    """Requests to one host through one transport."""

    def __init__(self, transport: Transport, host: HostState, chance: random.Random) -> None:
        self._transport = transport
        self._host = host
        self._chance = chance

    async def send(
        self, request: Request, asked: Asked, retry: Retry, *, patient: bool = True, repeatable: bool = True
    ) -> Reply:
        """A success, a refusal that repeating does not change, or why there is none. Raises nothing of a library.

        Without `patient`, a fault of the server (5xx) is not tried again. Without `repeatable`, nothing is that the
        server may have carried out (see `in_doubt`): whoever sent it looks first, and asks `again`.
        """
        loop = asyncio.get_running_loop()
        deadline, delay = loop.time() + retry.deadline, retry.first_delay
        attempt, refusals = 1, 0
        while True:
            came = loop.time()
            passage = await self._host.enter(asked, _route(request), PATIENT)
            if isinstance(passage, Unavailable):
                return passage
            deadline += loop.time() - came
            headers: Mapping[str, str] = {}
            try:
                reply, headers = await self._once(request, asked, deadline)
            finally:
                self._host.leave(passage, headers)
            await self._tell(reply)
            if not isinstance(reply, Unavailable) or (reply.why not in PASSING and not _limited(reply)):
                return reply
            refusals += _limited(reply)
            hopeless = (reply.why is Trouble.FAULT and not patient) or refusals > MOST_REFUSALS
            hopeless |= in_doubt(reply) and not repeatable
            if attempt >= retry.attempts or hopeless:
                return reply
            if not _limited(reply):  # else the next turn comes when the pause is over
                wait = max(self._chance.uniform(0.0, delay), reply.after or 0.0)
                if loop.time() + wait >= deadline or not self._host.budget.spend():
                    return reply
                await self._host.pause(wait)
            attempt, delay = attempt + 1, delay * 2

    async def again(self, attempt: int, retry: Retry) -> bool:
        """Whether what failed in its `attempt`-th try (from 1) may be tried once more; waits before it says so."""
        if attempt >= retry.attempts or not self._host.budget.spend():
            return False
        await self._host.pause(self._chance.uniform(0.0, retry.first_delay * 2 ** (attempt - 1)))
        return True

    async def _tell(self, reply: Reply) -> None:
        """Let the host's state know what came of a request."""
        if not isinstance(reply, Unavailable):
            self._host.answered()
        elif _limited(reply):
            self._host.limited(reply.after)
        elif reply.why in PASSING:
            await self._host.failed(reply, self._probe)

    async def _probe(self) -> Unavailable | None:
        """Why the host cannot be used by anybody, or None."""
        deadline = asyncio.get_running_loop().time() + PROBE_LIMIT
        reply, _ = await self._once(PROBE, Asked.PROJECT, deadline)
        return reply if isinstance(reply, Unavailable) and reply.why in PASSING else None

    async def _once(self, request: Request, asked: Asked, deadline: float) -> tuple[Reply, Mapping[str, str]]:
        """What came of it, and the headers of the answer, if there was one."""
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._transport.send(request)
        except TransportError as error:
            return Unavailable(service=Service.INFISICAL, why=_TROUBLES[error.why]), {}
        except TimeoutError:
            return Unavailable(service=Service.INFISICAL, why=Trouble.TIMED_OUT), {}
        return _reply(answer, asked), answer.headers


def in_doubt(failure: Unavailable) -> bool:
    """Whether the request may have been carried out all the same."""
    unreadable = failure.why is Trouble.NOT_INFISICAL and 200 <= failure.status < 300
    return failure.why in _IN_DOUBT or unreadable


def _reply(answer: Answer, asked: Asked) -> Reply:
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


def _limited(reply: Unavailable) -> bool:
    return reply.why is Trouble.LIMITED


def _route(request: Request) -> str:
    """What servers count by: one route, whatever name stands in its path. The routes here end in the name, if any."""
    segments = request.path.split("/")
    return f"{request.method} {len(segments)} {'/'.join(segments[:4])}"
