"""No secret value leaves by a side door: canaries are planted, and everything that the program emits is searched."""

import base64
import io
import json
import traceback
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import structlog

from adapters.cluster import Listed, Selection
from adapters.infisical.transport import Answer, Request
from adapters.journal import FileJournal, Transition
from adapters.resources.kinds import EVENT, EXTERNAL_SECRET, SECRET_STORE
from reconciler.content.values import Value
from reconciler.logs import describe_exception, set_up
from reconciler.payload import Payload
from reconciler.standin import ADMIN, HalfSent, Kind, Page, Status
from reconciler.transitions_seen import DebugLog, RecentTransitions, SeveralJournals
from tests.apiserver.access import Access
from tests.scenarios.program import Program
from tests.scenarios.scene import Scene, key, named

CANARY = "canary-5e1f-value"
JSON_CANARY = "canary-5e1f-within"
VISIBLE = "canary-5e1f-name"
"""What may be seen, and is: the name of a resource."""


def forms(canary: str) -> list[str]:
    """How a value could hide: as it is, in base64 at any offset, in hexadecimal, as numbers."""
    content = canary.encode()
    encoded = {base64.b64encode(b" " * offset + content).decode()[offset * 2 + 2 : -4] for offset in range(3)}
    numbers = " ".join(str(byte) for byte in content)
    return [canary, content.hex(), numbers, numbers.replace(" ", ", "), *encoded]


def found_in(emitted: str, *canaries: str) -> list[str]:
    """The canaries that got out."""
    return [canary for canary in canaries if any(form in emitted for form in forms(canary))]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, at the level that says most."""
    stream = io.StringIO()
    set_up("debug", "json", stream)
    yield stream
    set_up("error", "json", io.StringIO())


async def emitted_by(scene: Scene, journal: Path, recent: RecentTransitions) -> dict[str, str]:
    """Everything that a user, an operator or a dashboard can see, by channel."""
    statuses, events = [], await scene.cluster.list(Selection(EVENT, namespace=scene.namespace))
    assert isinstance(events, Listed)
    for kind in (EXTERNAL_SECRET, SECRET_STORE):
        listed = await scene.cluster.list(Selection(kind, namespace=scene.namespace))
        assert isinstance(listed, Listed)
        statuses += listed.items
    encoder = msgspec.json.Encoder()
    return {
        "journal": journal.read_text(),
        "trace": "".join(encoder.encode(line).decode() for line in recent.lines()),
        "events": json.dumps(events.items),
        "statuses": json.dumps(statuses),
        "metrics": scene.metrics.text().decode(),
    }


async def test_nothing_emitted_holds_a_value(
    scene: Scene, log: io.StringIO, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through success, bad content, refused logins, broken answers and a stop: not a trace of any value, client secret
    or token."""
    scene.project.set_secret("dev", "/", "PLAIN", CANARY)
    scene.project.set_secret("dev", "/", "NESTED", json.dumps({"inner": JSON_CANARY, "number": 5151515151}))
    journal = FileJournal(str(tmp_path / "journal"), 10_000_000, lambda sentence: None)
    recent = RecentTransitions()
    scene.journal = SeveralJournals([scene.journal, journal, recent, DebugLog(), scene.metrics])  # type: ignore[assignment]
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.store_ready()

    def wants(name: str, remote: str, **reference: str) -> dict[str, object]:
        return scene.external_secret(name, data=[key(remote, **reference)])

    await scene.apply(
        wants("good", "PLAIN"),
        wants("property", "NESTED", property="absent"),
        wants("no-json", "PLAIN", property="inner"),
        wants("encoding", "PLAIN", decodingStrategy="Base64"),
        scene.external_secret("extract", dataFrom=[{"extract": {"key": "PLAIN"}}]),
        scene.external_secret("all", dataFrom=[{"find": {"name": {"regexp": "."}}}]),
    )
    for name in ("property", "no-json", "encoding", "extract"):
        await scene.ready(name, status="False")
    for name in ("good", "all"):
        await scene.ready(name)
    for fault in (Status(500), HalfSent(), Page()):
        scene.server.faults.plan(Kind.LISTING, fault, times=3)
        await scene.refresh("all")
        await scene.until(lambda: scene.controller is not None)
    spoilt = scene.credentials_secret()
    spoilt["stringData"]["clientSecret"] = f"{CANARY}-client-secret"
    await scene.apply(spoilt)
    await scene.store_ready(status="False")
    await scene.stop()
    journal.close()

    channels = await emitted_by(scene, tmp_path / "journal", recent)
    standard = capfd.readouterr()
    channels |= {"log": log.getvalue(), "output": standard.out, "errors": standard.err}
    secrets = [CANARY, JSON_CANARY, "5151515151", scene.credentials.client_secret, "example-api-key-1"]
    secrets += [scene.server.accounts.signed(token) for token in scene.server.tokens]
    for channel, emitted in channels.items():
        assert found_in(emitted, *secrets) == [], channel
    assert channels["journal"]
    assert '"transition"' in channels["log"]
    assert "externalsecret_sync_calls_total" in channels["metrics"]
    assert "UpdateFailed" in channels["events"]


class Stumbling:
    """A journal that fails with a value in its hands, at the transitions of one resource."""

    def __init__(self, name: str) -> None:
        self._name = name

    def record(self, transition: Transition) -> None:
        value = CANARY.upper()
        if transition.subject.name == self._name and transition.state == "fetch":  # a lease is held just then
            raise ValueError(value.lower())


async def test_defect_is_told_by_its_place_alone_and_stops_nobody_else(
    scene: Scene, log: io.StringIO
) -> None:
    """The log says which resource showed it and where in the program; the others go on; the token is given back."""
    scene.journal = SeveralJournals([scene.journal, Stumbling("unlucky")])  # type: ignore[assignment]
    await scene.begin_with_store()
    await scene.apply(
        scene.external_secret("unlucky", data=[key("API_KEY")]),
        scene.external_secret("lucky", data=[key("API_KEY")]),
    )
    await scene.ready("lucky")
    await scene.until(lambda: "please report it" in log.getvalue())
    await scene.stop()
    told = next(json.loads(line) for line in log.getvalue().splitlines() if "please report it" in line)
    assert told["name"] == "unlucky"
    assert told["exception"][-1] == "builtins.ValueError"
    assert any("test_canaries.py" in place for place in told["exception"])
    assert found_in(log.getvalue(), CANARY, CANARY.upper()) == []
    assert not scene.tokens_alive()


@pytest.mark.apiserver
@pytest.mark.parametrize("where", ["real"])
async def test_process_emits_no_value(scene: Scene, apiserver: Access, tmp_path: Path) -> None:
    """The program itself, at its most talkative, from its start to its end: nothing of a value, of a client secret, of
    a token or of a certificate's key on standard output or error, in the journal, the metrics or the trace."""
    scene.project.set_secret("dev", "/", "PLAIN", CANARY)
    scene.project.set_secret("dev", "/", "NESTED", json.dumps({"inner": JSON_CANARY}))
    given = scene.server.add_token(scene.server.add_identity("robot", {scene.project: ADMIN}))
    tokens = scene.store("tokens")
    tokens["spec"]["provider"]["infisical"]["auth"] = {
        "tokenAuthCredentials": {"accessToken": {"name": "token", "key": "accessToken"}}
    }
    distrusted = scene.store("distrusted")
    bundle = base64.b64encode(f"-----BEGIN CERTIFICATE-----\n{CANARY}\n".encode()).decode()
    distrusted["spec"]["provider"]["infisical"] |= {
        "hostAPI": scene.url.replace("http:", "https:"),
        "caBundle": bundle,
    }
    async with Program(apiserver, scene.namespace, tmp_path) as program:
        await scene.apply(
            scene.credentials_secret(),
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "token"},
                "stringData": {"accessToken": given},
            },
            scene.store(),
            tokens,
            distrusted,
        )
        await scene.apply(
            scene.external_secret(VISIBLE, dataFrom=[named("PLAIN|NESTED")]),
            scene.external_secret("extract", dataFrom=[{"extract": {"key": "NESTED"}}]),
            scene.external_secret("bad", data=[key("PLAIN", property="inner")]),
        )
        await scene.store_ready()
        await scene.store_ready("tokens")
        await scene.store_ready("distrusted", status="False")
        await scene.ready(VISIBLE)
        await scene.ready("extract")
        await scene.ready("bad", status="False")
        spoilt = scene.credentials_secret()
        spoilt["stringData"]["clientSecret"] = f"{CANARY}-client-secret"
        await scene.apply(spoilt)
        await scene.store_ready(status="False")
        asked = {path: await program.asked(path) for path in ("/metrics", "/trace", "/readyz")}
        assert await program.stop() == 0
        channels = program.emitted() | asked
    secrets = [CANARY, JSON_CANARY, "example-api-key-1", scene.credentials.client_secret, given]
    secrets += [scene.server.accounts.signed(token) for token in scene.server.tokens]
    assert secrets.count(given) == 2, "the tokens that are searched for are those that were given out"
    for channel, emitted in channels.items():
        assert found_in(emitted, *secrets) == [], channel
    for channel in ("errors", "journal", "/metrics", "/trace"):
        assert found_in(channels[channel], VISIBLE) == [VISIBLE], f"{channel}: the search finds what is there"
    assert scene.tokens_alive() == 1, "the given one; those of logins were revoked at the end"


@pytest.mark.parametrize(
    "leak", [CANARY, base64.b64encode(b"xy" + CANARY.encode()).decode(), CANARY.encode().hex()]
)
async def test_a_planted_leak_is_found_in_every_channel(
    scene: Scene, leak: str, log: io.StringIO, tmp_path: Path
) -> None:
    """The search is worth something: it finds what was put there on purpose."""
    recent = RecentTransitions()
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.store_ready()
    (tmp_path / "journal").write_text(f'{{"outcome": "{leak}"}}')
    assert scene.controller is not None
    store = await scene.object(SECRET_STORE, "infisical")
    assert store is not None
    scene.controller.surroundings.events.emit(store, "Leak", leak)
    await scene.controller.surroundings.events.flush()
    await scene.cluster.patch_status(
        SECRET_STORE, scene.namespace, "infisical", {"capabilities": leak}, "leak"
    )
    scene.metrics.api_call(leak, True)
    channels = await emitted_by(scene, tmp_path / "journal", recent)
    for channel in ("journal", "events", "statuses", "metrics"):
        assert found_in(channels[channel], CANARY) == [CANARY], channel

    structlog.get_logger().error("leak", value=leak)
    assert found_in(log.getvalue(), CANARY) == [CANARY]


def test_types_that_travel_with_values_do_not_show_them() -> None:
    """repr, str, format and an exception's report."""
    payload = Payload.__new__(Payload)
    payload.subject = "subject"  # type: ignore[assignment]
    shown = [
        repr(Value(CANARY.encode())),
        f"{Value(CANARY.encode())}",
        repr(Request(method="GET", path="/api", headers={"authorization": CANARY}, body=CANARY.encode())),
        repr(Answer(status=200, body=CANARY.encode())),
        repr(payload),
    ]
    with pytest.raises(ValueError, match=CANARY) as raised:
        _raise(CANARY)
    assert found_in("".join(traceback.format_exception(raised.value)), CANARY)
    shown.append("\n".join(describe_exception(raised.value)))
    assert found_in("\n".join(shown), CANARY) == []


def _raise(secret: str) -> None:
    raise ValueError(secret)
