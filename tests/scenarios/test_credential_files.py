"""Files that a store may have read: no Secret is a way to what else the controller can read, or anybody's way to it."""

import base64
import io
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from adapters.auth.settings import AuthSettings
from adapters.journal import FileJournal
from reconciler.logs import set_up
from reconciler.standin import Kind, Redirect
from reconciler.transitions_seen import DebugLog, RecentTransitions, SeveralJournals
from tests.scenarios.logins import documented, fails, machine
from tests.scenarios.scene import Scene
from tests.scenarios.test_canaries import emitted_by, found_in

FORBIDDEN = "forbidden-content-7c1d"
CANARY = "canary-7c1d"


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    """A directory that stores may have read, and beside it a file that they may not."""
    (tmp_path / "forbidden").write_text(FORBIDDEN)
    (tmp_path / "tokens").mkdir()
    return tmp_path / "tokens"


@pytest.fixture
async def thief() -> AsyncIterator["Thief"]:
    """A server that writes down what it is sent."""
    thief = Thief()
    runner = web.ServerRunner(web.Server(thief.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    thief.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield thief
    await runner.cleanup()


class Thief:
    """Somebody who wants to be sent what is not for them."""

    def __init__(self) -> None:
        self.url = ""
        self.sent: list[str] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Refuses, once it has all."""
        self.sent.append((await request.read()).decode())
        return web.json_response(
            {"statusCode": 401, "error": "UnauthorizedError", "message": "no"}, status=401
        )


OUTSIDE = 'the path in Secret {}/kubernetes-auth-credentials, key "serviceAccountTokenPath", is outside of the directories'
ABSENT = 'the file whose path is in Secret {}/kubernetes-auth-credentials, key "serviceAccountTokenPath", is not there'
MALFORMED = 'the credential "serviceAccountTokenPath" in Secret {}/kubernetes-auth-credentials must be the absolute path'


@pytest.mark.statement("S17")
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("{}/../forbidden", OUTSIDE),
        ("{}/link", OUTSIDE),
        ("{}/up/forbidden", OUTSIDE),
        ("{}-of-others/token", OUTSIDE),
        ("/proc/self/environ", OUTSIDE),
        ("/etc/passwd", OUTSIDE),
        ("{}/nothing", ABSENT),
        ("{}/pipe", ABSENT),
        ("{}/empty", ABSENT),
        ("{}", ABSENT),
        ("tokens/token", MALFORMED),
    ],
)
async def test_store_can_have_nothing_read_but_what_is_allowed(
    scene: Scene, allowed: Path, thief: Thief, path: str, said: str
) -> None:
    """Whoever may write a SecretStore names any path, and a server of their own: they get nothing, and are told why."""
    (allowed / "link").symlink_to(allowed.parent / "forbidden")
    (allowed / "up").symlink_to("..")
    (allowed / "empty").touch()
    os.mkfifo(allowed / "pipe")
    shutil.copytree(allowed, f"{allowed}-of-others", ignore=lambda *_: ["pipe"], symlinks=True)
    secret, store = documented(
        scene,
        "store-kubernetes-auth",
        {"identityId": "any"},
        serviceAccountTokenPath=path.format(allowed),
    )
    store["spec"]["provider"]["infisical"]["hostAPI"] = thief.url
    auth = AuthSettings(credential_directories=(allowed,), pod_token=allowed.parent / "pod" / "token")
    condition = await fails(scene, secret, store, said.format(scene.namespace), auth)
    assert condition["reason"] == (
        "InvalidStoreConfiguration" if said == MALFORMED else "InvalidProviderConfig"
    )
    assert thief.sent == []


async def test_without_directories_no_file_may_be_named(scene: Scene, allowed: Path) -> None:
    """The condition says what the operator can do."""
    (allowed / "token").write_text("token")
    path = str(allowed / "token")
    secret, store = documented(
        scene, "store-kubernetes-auth", {"identityId": "any"}, serviceAccountTokenPath=path
    )
    condition = await fails(scene, secret, store, OUTSIDE.format(scene.namespace))
    assert "--credential-directories" in condition["message"]


async def test_link_swapped_in_later_is_not_followed_either(
    scene: Scene, allowed: Path, thief: Thief
) -> None:
    """Each login looks anew."""
    (allowed / "token").write_text("token-of-the-file")
    secret, store = documented(
        scene,
        "store-kubernetes-auth",
        {"identityId": "any"},
        serviceAccountTokenPath=str(allowed / "token"),
    )
    store["spec"]["provider"]["infisical"]["hostAPI"] = thief.url
    auth = AuthSettings(credential_directories=(allowed,))
    await fails(scene, secret, store, "refuses the credentials", auth)
    assert "token-of-the-file" in "".join(thief.sent)
    (allowed / "token").unlink()
    (allowed / "token").symlink_to(allowed.parent / "forbidden")
    await scene.apply(secret | {"stringData": secret["stringData"] | {"identityId": "another"}})
    await scene.store_ready(status="False", said=OUTSIDE.format(scene.namespace))
    assert FORBIDDEN not in "".join(thief.sent)


# --- what is sent stays where it was sent ----------------------------------------------------------------------

METHODS = ("kubernetes", "jwt", "ldap")


def credentials_of(method: str, identity: str, file: Path) -> dict[str, str]:
    """Credentials of a method, each with a canary in it, and so the token file."""
    file.write_text(f"{CANARY}-token")
    return {
        "kubernetes": {"identityId": identity},
        "jwt": {"identityId": identity, "jwt": f"{CANARY}-jwt"},
        "ldap": {
            "identityId": identity,
            "ldapUsername": f"{CANARY}-user",
            "ldapPassword": f"{CANARY}-password",
        },
    }[method]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed_with_credentials(
    scene: Scene, allowed: Path, thief: Thief, method: str, status: int
) -> None:
    """Not even to the same machine; the condition says what to set."""
    scene.server.faults.plan(Kind.LOGIN, Redirect(f"{thief.url}/api/v1/auth/{method}-auth/login", status))
    credentials = credentials_of(method, "any", allowed / "token")
    secret, store = documented(scene, f"store-{method}-auth", credentials)
    await scene.start(auth=AuthSettings(pod_token=allowed / "token"))
    await scene.apply(secret, store)
    condition = await scene.store_ready(
        status="False",
        said="redirects, which is not followed with credentials: set hostAPI to the final address",
    )
    assert CANARY not in condition["message"]
    assert thief.sent == []


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, at the level that says most."""
    stream = io.StringIO()
    set_up("debug", "json", stream)
    yield stream
    set_up("error", "json", io.StringIO())


@pytest.mark.parametrize("method", METHODS)
async def test_nothing_emitted_holds_a_credential(
    scene: Scene,
    log: io.StringIO,
    tmp_path: Path,
    allowed: Path,
    capfd: pytest.CaptureFixture[str],
    method: str,
) -> None:
    """Refused, answered with nonsense, unreadable: the journal, the log, conditions and events show none of them."""
    journal = FileJournal(str(tmp_path / "journal"), 10_000_000, lambda sentence: None)
    recent = RecentTransitions()
    scene.journal = SeveralJournals([scene.journal, journal, recent, DebugLog(), scene.metrics])  # type: ignore[assignment]
    identity = machine(scene, f"{method}-auth", {"kubernetesHost": scene.url, "jwksUrl": scene.url})
    credentials = credentials_of(method, identity.id, allowed / "token")
    secret, store = documented(scene, f"store-{method}-auth", credentials)
    await fails(scene, secret, store, "refuses the credentials", AuthSettings(pod_token=allowed / "token"))
    encoded = base64.b64encode(b"\xff" + CANARY.encode()).decode()
    spoilt = {name: part for name, part in secret.items() if name != "stringData"}
    spoilt["data"] = dict.fromkeys(secret["stringData"], encoded)
    await scene.apply(spoilt)
    await scene.store_ready(status="False", said="is no text (UTF-8)")
    await scene.stop()
    journal.close()
    channels = await emitted_by(scene, tmp_path / "journal", recent)
    standard = capfd.readouterr()
    channels |= {"log": log.getvalue(), "output": standard.out, "errors": standard.err}
    for channel, emitted in channels.items():
        assert found_in(emitted, CANARY) == [], channel
    assert '"transition"' in channels["log"]
