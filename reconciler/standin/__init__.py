"""An embedded Infisical server, for the demo and the tests: in memory, on loopback, of three ages.

    now = time.time
    server = StandIn(now)                                  # or StandIn(now, Age.YEAR_2024)
    project = server.add_project("my-project", environments=["dev", "prod"])
    project.set_secret("dev", "/my-app", "SERVICE_PASSWORD", "correct horse")
    project.add_import("dev", "/my-app", source_environment="prod", source_path="/shared")
    credentials = server.add_machine("reader", {project: read_below("dev", "/my-app")})

    transport = InProcess(server)                          # answers requests in the same process
    async with Server(server) as served:                   # or over HTTP, at served.url
        ...

Everything can be changed while it runs, by the methods of `World` (projects, identities, credentials, tokens) and
`Project` (environments, folders, secrets, imports, members, policies, webhooks). Further:

    identity = server.add_identity("name", {project: ADMIN})     # VIEWER, NO_ACCESS, read_below, write_below,
    project.grant(identity, names_only("dev", "/"))              #   read_named, names_only
    server.add_universal_auth(identity, ttl=60, max_ttl=120, uses=5)    # -> Credentials
    server.add_client_secret(identity, uses=1, ttl=30)                  # -> a further client secret
    server.add_token(identity)                                          # -> a token for token auth
    server.expire_tokens(); server.end_tokens()                         # by age; as if revoked
    server.limit(CLOUD_LIMITS)                                          # 429 as on Infisical Cloud
    server.faults.plan(Kind.LISTING, Status(429, retry_after=3), times=2)
    server.faults.plan("GET /api/v4/secrets/*", HalfSent())
    server.faults.plan(Kind.SINGLE, Meanwhile(lambda: server.remake_project("my-project")))

What was asked is in `server.requests` and, by kind, in `server.counts()`; `server.record.clear()` starts anew. Tokens
are in `server.tokens` and `server.tokens_alive`; each knows how often it was revoked.
"""

from reconciler.standin.access import (
    ADMIN,
    NO_ACCESS,
    VIEWER,
    Access,
    Action,
    Rule,
    names_only,
    read_below,
    read_named,
    write_below,
)
from reconciler.standin.accounts import Identity, Token
from reconciler.standin.ages import Age
from reconciler.standin.core import Served, StandIn
from reconciler.standin.faults import (
    BrokenJson,
    Dropped,
    HalfSent,
    Meanwhile,
    OtherJson,
    Page,
    Plan,
    Redirect,
    Slow,
    Status,
)
from reconciler.standin.in_process import InProcess
from reconciler.standin.limits import CLOUD_LIMITS, NO_LIMITS, Limits
from reconciler.standin.project import Project
from reconciler.standin.record import Asked, Kind
from reconciler.standin.server import Server
from reconciler.standin.world import Credentials, Options

__all__ = [
    "ADMIN",
    "CLOUD_LIMITS",
    "NO_ACCESS",
    "NO_LIMITS",
    "VIEWER",
    "Access",
    "Action",
    "Age",
    "Asked",
    "BrokenJson",
    "Credentials",
    "Dropped",
    "HalfSent",
    "Identity",
    "InProcess",
    "Kind",
    "Limits",
    "Meanwhile",
    "Options",
    "OtherJson",
    "Page",
    "Plan",
    "Project",
    "Redirect",
    "Rule",
    "Served",
    "Server",
    "Slow",
    "StandIn",
    "Status",
    "Token",
    "names_only",
    "read_below",
    "read_named",
    "write_below",
]
