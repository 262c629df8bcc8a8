"""How google-auth talks to Google here: by its own transport, once, in a bounded time, and failures as outcomes."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from adapters.auth.causes import connection_trouble
from machines.outcomes import Denial, Denied, Service, Trouble, Unavailable

if TYPE_CHECKING:
    from google.auth.transport import Response

_SECONDS: Final = 5.0  # to connect, and to wait for the answer
_SILENCED: Final = ("google", "urllib3")


class NoAnswer(Exception):
    """Not what was asked for. `status` is that of HTTP; 200: an answer that makes no sense."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Transport:
    """A `google.auth.transport.Request`. The SDK asks again, and waits in between, where it is told of a failure in its
    own way: so it is told in ours, and the queue asks again. Redirects are not followed, and netrc is not read.

    `proxies`: those of the environment are used. `marks`: headers that every answer has, or it is somebody else's.
    """

    def __init__(self, *, proxies: bool, marks: Mapping[str, str] | None = None) -> None:
        from google.auth.transport.requests import Request

        for name in _SILENCED:  # they log headers and answers
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._request = Request()
        self._marks = marks or {}
        self.session = self._request.session  # to which the SDK adds its certificates
        self.session.trust_env = proxies
        self.session.auth = _as_it_is

    def __call__(
        self, url: str, method: str = "GET", body: Any = None, headers: Any = None, **_: object
    ) -> "Response":
        """An answer with status 200. Raises NoAnswer, and what google-auth raises."""
        answer: Response = self._request(
            url, method, body=body, headers=headers, timeout=_SECONDS, allow_redirects=False
        )
        marked = all(answer.headers.get(name) == value for name, value in self._marks.items())
        if not (marked or answer.status == 429 or answer.status >= 500):
            raise NoAnswer(200)
        if answer.status != 200:
            raise NoAnswer(answer.status)
        return answer


def _as_it_is(request: Any) -> Any:
    """Credentials that add nothing: where there are none, `requests` takes those of netrc in place of our header."""
    return request


def outcome_of(failure: BaseException, service: Service) -> Denied | Unavailable:
    """What a failure to get an answer means."""
    trouble = connection_trouble(failure)
    if trouble is not None:
        return Unavailable(service=service, why=trouble)
    status = failure.status if isinstance(failure, NoAnswer) else 200
    if status == 429:
        return Unavailable(service=service, why=Trouble.LIMITED)
    if status >= 500:
        return Unavailable(service=service, why=Trouble.FAULT, status=status)
    if status in (400, 401, 403):
        return Denied(what=Denial.PROOF, service=service)
    return Unavailable(service=service, why=Trouble.NOT_INFISICAL)
