"""What an API server's answers mean, by the bodies that real ones send."""

from typing import Any

import msgspec
import pytest

from adapters.cluster import Absent, Conflict, Denied, Expired, Refused, Unavailable
from adapters.kubernetes.answers import Failure, Purpose, classify, classify_event


def status(code: int, reason: str, message: str, **details: Any) -> bytes:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return msgspec.json.encode({**body, "reason": reason, "message": message, "details": details})


def meaning(code: int, body: bytes = b"", purpose: Purpose = Purpose.WRITE, **headers: str) -> Failure:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return classify(code, body, given, purpose, "patch", "secrets")


def causes(*fields: str) -> list[dict[str, str]]:
    return [{"reason": "FieldValueInvalid", "message": "no", "field": field} for field in fields]


RBAC = (
    'secrets "a" is forbidden: User "system:serviceaccount:x:y" cannot patch resource "secrets" in API group ""'
    ' in the namespace "x"'
)
RBAC_OF_A_LIST = (
    'secrets is forbidden: User "u" cannot list resource "secrets" in API group "" at the cluster scope'
)
TERMINATING = (
    'secrets "a" is forbidden: unable to create new content in namespace x because it is being terminated'
)
QUOTA = 'secrets "a" is forbidden: exceeded quota: q, requested: count/secrets=1, used: 1, limited: 1'
WEBHOOK = 'admission webhook "w.test" denied the request: no'
POLICY = "secrets \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"
OWNER = (
    'secrets "a" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can\'t set'
    " finalizers on: , <nil>"
)
UNDECLARED = "failed to create typed patch object (x/a; g/v1, Kind=K): .spec.b: field not declared in schema"
PATCH_FAILED = "the server rejected our request due to an error in our request"


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (403, status(403, "Forbidden", RBAC, name="a", kind="secrets"), Denied("patch", "secrets")),
        (403, status(403, "Forbidden", RBAC_OF_A_LIST, kind="secrets"), Denied("list", "secrets")),
        (403, b"", Denied("patch", "secrets")),
        (403, status(403, "Forbidden", OWNER), Denied("update", "finalizers of the owner")),
        (403, status(403, "Forbidden", QUOTA, name="a", kind="secrets"), Refused(rule=True)),
        (403, status(403, "Forbidden", WEBHOOK), Refused(rule=True)),
        (422, status(422, "Invalid", POLICY, kind="secrets", causes=causes("")), Refused(rule=True)),
        (
            403,
            status(403, "Forbidden", TERMINATING, causes=[{"reason": "NamespaceTerminating", "field": "x"}]),
            Absent(),
        ),
        (404, status(404, "NotFound", 'secrets "a" not found', name="a", kind="secrets"), Absent()),
        (404, b"404 page not found\n", Absent()),
        (409, status(409, "AlreadyExists", "there", name="a", kind="secrets"), Conflict()),
        (409, status(409, "Conflict", "changed", name="a", kind="secrets"), Conflict()),
        (410, status(410, "Expired", "too old resource version: 1 (2)"), Expired()),
        (
            422,
            status(422, "Invalid", "invalid", kind="Secret", causes=causes("data[a b]", "type")),
            Refused("data[a b]"),
        ),
        (422, status(422, "Invalid", "invalid", kind="Secret", causes=causes("metadata.uid")), Conflict()),
        (400, status(400, "BadRequest", "illegal base64 data"), Refused()),
        (413, b"too large", Refused()),
        (302, b"", Unavailable(302)),
        (401, status(401, "Unauthorized", "Unauthorized"), Unavailable(401)),
        (429, b"", Unavailable(429)),
        (500, status(500, "InternalError", 'failed calling webhook "w.test"'), Unavailable(500)),
        (500, status(500, "", UNDECLARED), Refused()),
        (502, b"<html>a proxy</html>", Unavailable(502)),
        (503, b'{"kind": "Status", "code"', Unavailable(503)),
        (504, b"[1]", Unavailable(504)),
    ],
)
def test_each_answer_has_one_meaning(code: int, body: bytes, expected: Failure) -> None:
    assert meaning(code, body) == expected


def test_what_is_read_is_never_refused_by_admission() -> None:
    assert meaning(403, status(403, "Forbidden", "no"), Purpose.READ) == Denied("patch", "secrets")


def test_a_server_says_when_to_come_again() -> None:
    assert meaning(429, Retry_After="7") == Unavailable(429, after=7.0)
    assert meaning(503, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT") == Unavailable(503)
    assert meaning(429, Retry_After="nan") == Unavailable(429)


def test_a_json_patch_that_cannot_be_carried_out_is_a_conflict() -> None:
    failed = status(422, "Invalid", PATCH_FAILED)
    assert meaning(422, failed, Purpose.JSON_PATCH) == Conflict()
    assert meaning(422, failed, Purpose.WRITE) == Refused()


def test_a_json_patch_that_gives_nonsense_is_refused() -> None:
    nonsense = status(422, "Invalid", "invalid: patch: ...", causes=causes("patch"))
    assert meaning(422, nonsense, Purpose.JSON_PATCH) == Refused()


def test_events_of_watches_are_understood_alike() -> None:
    expired = {"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"}
    assert classify_event(expired, "watch", "secrets") == Expired()
    assert classify_event({"kind": "Status"}, "watch", "secrets") == Unavailable(500)


def test_no_text_of_a_server_is_kept() -> None:
    planted = "hunter2"
    for code in (400, 401, 403, 404, 409, 410, 413, 422, 429, 500):
        for purpose in Purpose:
            answer = meaning(code, status(code, planted, f"{planted} {WEBHOOK}", name=planted), purpose)
            assert planted not in repr(answer)
