"""The routes of the server, and which age knows which."""

from collections.abc import Callable, Generator, Mapping
from functools import partial
from urllib.parse import unquote

import msgspec

from adapters.infisical.transport import Answer
from reconciler.standin import projects, reading, sessions
from reconciler.standin.ages import Age
from reconciler.standin.calls import Call
from reconciler.standin.places import V3, V4
from reconciler.standin.record import Kind
from reconciler.standin.world import World


class Outbound(msgspec.Struct, frozen=True):
    """A request that the server itself sends, to a cluster, an issuer of tokens or a receiver of webhooks."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"<Outbound {self.method} {self.url}>"


Reply = Mapping[str, object]
Handler = Callable[[World, Call], Reply | Generator[Outbound, Answer, Reply]]

_LONGEST_PARAMETER = 100
_ALL = frozenset(Age)
_NEW = frozenset({Age.CURRENT})


class Route(msgspec.Struct, frozen=True):
    """One route. `path` is below `/api`; `{name}` stands for one segment. `public`: without a token."""

    method: str
    path: str
    kind: Kind
    handler: Handler
    ages: frozenset[Age] = _ALL
    public: bool = False

    @property
    def group(self) -> str:
        """The class of requests that it counts as against the limits."""
        if "/secrets" in self.path:
            return "secrets"
        return "reads" if self.method == "GET" else "writes"

    def match(self, method: str, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The parameters of a path that this route serves, else None."""
        template = tuple(self.path.split("/")[1:])
        if method != self.method or len(template) != len(segments):
            return None
        found: dict[str, str] = {}
        for wanted, given in zip(template, segments, strict=True):
            if wanted.startswith("{"):
                text = unquote(given)
                if not text or len(text) > _LONGEST_PARAMETER:
                    return None
                found[wanted[1:-1]] = text
            elif wanted != given:
                return None
        return found


_TABLE = (
    Route("POST", "/v1/auth/universal-auth/login", Kind.LOGIN, sessions.log_in, public=True),
    Route("POST", "/v1/auth/token/renew", Kind.RENEWAL, sessions.renew, public=True),
    Route("POST", "/v1/auth/token/revoke", Kind.REVOCATION, sessions.revoke, public=True),
    Route("GET", "/v1/projects/slug/{slug}", Kind.RESOLUTION, projects.by_slug, _NEW),
    Route("GET", "/v2/workspace/{slug}", Kind.RESOLUTION, projects.by_slug),
    Route("POST", "/v2/workspace", Kind.ADMINISTRATION, projects.create),
    Route("DELETE", "/v2/workspace/{slug}", Kind.ADMINISTRATION, projects.delete),
    Route("GET", "/v1/workspace", Kind.ADMINISTRATION, projects.listed),
    Route("GET", "/v1/workspace/{id}", Kind.ADMINISTRATION, projects.by_id),
    Route("GET", "/v4/secrets", Kind.LISTING, partial(reading.list_secrets, style=V4), _NEW),
    Route("GET", "/v4/secrets/{name}", Kind.SINGLE, partial(reading.get_secret, style=V4), _NEW),
    Route("GET", "/v3/secrets/raw", Kind.LISTING, partial(reading.list_secrets, style=V3)),
    Route("GET", "/v3/secrets/raw/{name}", Kind.SINGLE, partial(reading.get_secret, style=V3)),
)


def find_route(age: Age, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a path that begins with `/api`, and its parameters. One slash at the end is ignored."""
    if not path.startswith("/api/"):
        return None
    below = path[len("/api/") :]
    segments = tuple((below[:-1] if below.endswith("/") else below).split("/"))
    for route in _TABLE:
        if age in route.ages:
            parameters = route.match(method, segments)
            if parameters is not None:
                return route, parameters
    return None
