"""Plays one recorded case against a stand-in of the server's age, filled from the server's fixture."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from adapters.infisical.transport import Answer, Request
from reconciler.standin import ADMIN, NO_ACCESS, VIEWER, Access, Identity, StandIn, names_only, read_below
from reconciler.standin.core import delivered
from reconciler.standin.outbound import Outbound
from tests.transcripts import foreign_world
from tests.transcripts.decisive import decisive
from tests.transcripts.placeholders import PLACEHOLDER, Differs, fill, match
from tests.transcripts.recorded import SETUP, Case, Line, Recorded, age

_BETWEEN_STEPS = 5.0
"""Seconds: recorded cases wait for short lifetimes to end."""
_LOCAL_REFERENCE = re.compile(r"\$\{([A-Z_]+)\}")
_MEMBERS: Mapping[str, Access] = {
    "valid": ADMIN,
    "viewer": VIEWER,
    "readonly": read_below("dev", "/app"),
    "describe": names_only("dev", "/described"),
    "norole": NO_ACCESS,
    "user": ADMIN,
}
_VERSIONS_DIFFER = frozenset({"2024-07"})


def fill_from(server: StandIn, fixture: Mapping[str, Any]) -> dict[str, Identity]:
    """Put into the server all that the recorded one held, and the identities whom the recordings name."""
    (slug, held), *_ = fixture["projects"].items()
    project = server.add_project(slug, environments=held["environments"])
    for environment, paths in held["folders"].items():
        gone = [text.removesuffix(" (folder)") for text in held["removed"].get(environment, ())]
        for path in paths:
            if path not in gone:
                project.add_folder(environment, path)
    for secret in fixture["secrets"]:
        place = secret["environment"], secret["secretPath"]
        # A reference needs its target: what refers to itself, or to a later one, was written in two steps.
        later = {
            s["secretKey"] for s in fixture["secrets"] if (s["environment"], s["secretPath"]) == place
        } - project.values(*place).keys()
        if later & set(_LOCAL_REFERENCE.findall(secret["secretValue"])):
            project.set_secret(*place, secret["secretKey"], "")
        project.set_secret(
            *place,
            secret["secretKey"],
            secret["secretValue"],
            skip_multiline_encoding=secret.get("skipMultilineEncoding", False),
        )
    for link in fixture["imports"]:
        for source in link["from"]:
            environment, path = source.split(":")
            project.add_import(
                link["environment"], link["path"], source_environment=environment, source_path=path
            )
    people = {
        label: server.add_identity(label, {project: access}, is_person=label == "user")
        for label, access in _MEMBERS.items()
    }
    people["noaccess"] = server.add_identity("noaccess")
    people["boot"] = server.add_identity("boot", is_organization_admin=True)
    project.set_secret("dev", "/personal", "MINE", "personal-value", owner=people["user"])
    return people


class Player:
    """One case: what was made in it, and which placeholder stands for what."""

    def __init__(self, case: Case, fixture: Mapping[str, Any], *, word_for_word: bool) -> None:
        self.case = case
        self.word_for_word = word_for_word
        self.now = 1_750_000_000.0
        self.server = StandIn(lambda: self.now, age(case.server))
        self.people = fill_from(self.server, fixture)
        project = next(iter(self.server.projects.values()))
        credentials = self.server.add_universal_auth(self.people["valid"], ttl=7200)
        self.bindings = {
            "<projectId>": project.id,
            "<organizationId>": self.server.organizations[self.server.organization],
            "<clientId:valid>": credentials.client_id,
            "<clientSecret:valid>": credentials.client_secret,
            "<hex64>": "0" * 64,
            "<issuer>": foreign_world.ISSUER,
            "<receiver>": "https://receiver.test",
            **{f"<identityId:{label}>": identity.id for label, identity in self.people.items()},
        }
        self.tokens = {label: self.server.add_token(identity) for label, identity in self.people.items()}
        self.tokens["garbage"] = "garbage"
        self.tokens["tampered"] = self.tokens["valid"][:-4] + "AAAA"
        self.tokens["revoked"] = self.server.add_token(self.people["valid"])
        self.server.accounts.revoke(self.tokens["revoked"])
        self.given: list[str] = []
        self.asked: list[Outbound] = []
        self.made: dict[str, str] = {"identity-memberships": self.people["boot"].id}
        self.projects_made = 0
        self.etags: dict[str, str] = {}

    def play(self) -> None:
        """Play all lines. Raises Differs at the first answer that is not as recorded."""
        self._learn_etags()
        for line in self.case.lines:
            self.now += _BETWEEN_STEPS
            try:
                if line.sent_by_server:
                    self._check_sent(line)
                else:
                    self._check_answer(line)
            except Differs as difference:
                raise Differs(f"{self.case}, step {line.step}: {difference}") from None
            except KeyError as unknown:
                raise Differs(f"{self.case}, step {line.step}: nothing stands for {unknown}") from None

    def _learn_etags(self) -> None:
        """Read what the case asks for conditionally once before: the recorder had done so."""
        for line in self.case.lines:
            assert line.request
            if "<etag>" in line.request.headers.values():
                answer = self._send(line.step, line.request, conditional=False)
                self.etags.setdefault(line.request.path, answer.headers["etag"])

    def _send(self, step: str, recorded: Recorded, *, conditional: bool = True) -> Answer:
        headers = {}
        if recorded.body is not None or recorded.raw_body is not None:
            headers["content-type"] = "application/json"
        token = self._token(recorded.auth)
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        bindings = self._bindings(step, recorded)
        for name, value in recorded.headers.items():
            if name.lower() != "if-none-match" or conditional:
                headers[name.lower()] = fill(value, bindings)
        body = recorded.raw_body
        if recorded.body is not None:
            body = json.dumps(fill(recorded.body, bindings))
        request = Request(
            method=recorded.method,
            path="/api" + fill(recorded.path, bindings),
            query=tuple(fill(recorded.query or {}, bindings).items()),
            headers=headers,
            body=None if body is None else body.encode(),
        )
        conversation = self.server.converse(request)
        try:
            outbound = next(conversation)
            while True:
                self.asked.append(outbound)
                outbound = conversation.send(foreign_world.answer(outbound))
        except StopIteration as end:
            return delivered(end.value)

    def _token(self, label: str | None) -> str | None:
        if label in (None, "none"):
            return None
        if self.given and (label not in self.tokens or label == "revoked"):
            return self.given[0]
        return self.tokens[label or ""]

    def _bindings(self, step: str, recorded: Recorded) -> Mapping[str, str]:
        """What the placeholders of a request stand for; what was made in a set-up step was not recorded by name."""
        text = json.dumps([recorded.path, recorded.query, recorded.body, recorded.headers])
        for name in PLACEHOLDER.findall(text):
            if name not in self.bindings:
                self._bind_made(name, recorded.path)
        shown = self.given[-1] if self.given else self.tokens["revoked"]
        if recorded.path.endswith("/login"):
            shown = foreign_world.token(step)
        elif "Authorization" in recorded.headers:
            shown = self.tokens["valid"]
        etag = self.etags.get(recorded.path, "")
        return self.bindings | {"<token>": shown, "<jwt>": shown, "<etag>": etag}

    def _bind_made(self, name: str, path: str) -> None:
        if name.startswith("<id:"):
            kind = path.split(f"/{name}")[0].rsplit("/", 1)[-1]
        else:
            kind = name[1:-1].split(":")[0]
        if kind in self.made:
            self.bindings[name] = self.made[kind]

    def _check_answer(self, line: Line) -> None:
        assert line.request
        assert line.response
        answer = self._send(line.step, line.request)
        if answer.status != line.response.status:
            raise Differs(f"status {answer.status} in place of {line.response.status}: {answer.body[:300]!r}")
        body = json.loads(answer.body) if answer.body else None
        self._remember(line.request, body)
        if line.step == SETUP:
            return
        for name in ("content-type", "retry-after"):
            if answer.headers.get(name) != line.response.headers.get(name):
                raise Differs(f"header {name}: {answer.headers.get(name)!r}")
        if ("etag" in answer.headers) != ("etag" in line.response.headers):
            raise Differs("etag")
        expected, given = self._comparable(line.response.body or None), self._comparable(body)
        if self.word_for_word:
            match(expected, given, self.bindings)
        else:
            match(decisive(expected), decisive(given), self.bindings)

    def _remember(self, recorded: Recorded, body: Any) -> None:
        """Keep the tokens that were given out, and what was made, for later requests that mean it."""
        if not isinstance(body, dict):
            return
        if "accessToken" in body:
            self.given.append(body["accessToken"])
        made = {
            "identity": ("identities", "identityId"),
            "webhook": ("webhooks",),
            "project": ("workspace", "oldProjectId", "newProjectId"),
        }
        if recorded.method == "POST":
            for field, kinds in made.items():
                if isinstance(body.get(field), dict):
                    self.made.update(dict.fromkeys(kinds, body[field]["id"]))
        if "identityUniversalAuth" in body:
            self.made["clientId"] = body["identityUniversalAuth"]["clientId"]
        if "clientSecret" in body:
            self.made["clientSecret"] = body["clientSecret"]

    def _comparable(self, body: Any) -> Any:
        """The answer as it is compared: secrets in order, issues by their fields alone."""
        if isinstance(body, list):
            return [self._comparable(item) for item in body]
        if not isinstance(body, dict):
            return body
        found = {key: self._comparable(value) for key, value in body.items()}
        if isinstance(found.get("secrets"), list):
            found["secrets"].sort(key=lambda s: (s.get("secretPath", ""), s["secretKey"], s["secretValue"]))
        if isinstance(found.get("message"), list):
            found["message"] = sorted({".".join(map(str, issue["path"])) for issue in found["message"]})
        if "secretKey" in found and self.case.server in _VERSIONS_DIFFER:
            found["version"] = 0
        return found

    def _check_sent(self, line: Line) -> None:
        assert line.request
        if line.request.direction == "server-to-client":
            if not self.server.deliveries:
                raise Differs("nothing was sent to the receiver")
            sent = self.server.deliveries.pop(0)
            self._check_signature(sent)
        else:
            sent = self.asked[0]
            if sent.headers.get("authorization") != "Bearer reviewer":
                raise Differs("another token was shown to the cluster")
        if (sent.method, urlsplit(sent.url).path) != (line.request.method, line.request.path):
            raise Differs(f"sent {sent.method} {sent.url}")
        match(line.request.body, json.loads(sent.body or b"null"), self.bindings)

    def _check_signature(self, sent: Outbound) -> None:
        stamp, _, digest = sent.headers["x-infisical-signature"].partition(";")
        good = hmac.new(b"hook-secret", sent.body or b"", hashlib.sha256).hexdigest()
        if digest != good or stamp != f"t={json.loads(sent.body or b'{}')['timestamp']}":
            raise Differs("wrong signature")
