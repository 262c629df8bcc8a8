"""`demo`: the main job on an embedded Infisical and a local cluster, told step by step. Needs nothing but this program."""

import asyncio
import base64
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.text import Text

from adapters.cluster import Done, Object, Selection
from adapters.infisical.http import Network
from adapters.journal import Transition
from adapters.local.cluster import LocalCluster
from adapters.local.directory import LocalDirectory
from adapters.resources.kinds import EXTERNAL_SECRET, PUSH_SECRET, SECRET, SECRET_STORE
from machines.outcomes import Failure
from reconciler.assembly import KINDS, Options
from reconciler.conditions import ready_of
from reconciler.content.metadata import LABEL_MANAGED
from reconciler.controller import Controller
from reconciler.driver import Clock
from reconciler.metrics import Metrics
from reconciler.standin import ADMIN, Project, StandIn
from reconciler.standin.server import Server

EXAMPLES = ("store-universal-auth", "fetch-secret", "fetch-all-secrets", "filtered-secrets")
_PATIENCE = 20.0  # seconds for a step that takes a moment
_FOLDER = "/my-app"


class _Shown:
    """A journal that shows each transition as it happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def record(self, transition: Transition) -> None:
        failed = isinstance(transition.outcome, Failure)
        line = Text("  ")
        line.append(f"{transition.subject.kind}/{transition.subject.name}".ljust(30), style="cyan")
        line.append(f"{transition.state} ")
        line.append(f"—{type(transition.outcome).__name__}→ ", style="red" if failed else "dim")
        line.append(transition.to, style="bold green" if transition.end else "")
        line.append(f"  {transition.seconds * 1000:.1f} ms", style="dim")
        self._console.print(line, soft_wrap=True)


def example_manifests(host: str, client_id: str, client_secret: str) -> dict[str, list[Object]]:
    """The documented examples by file name, with the address and the credentials of a server at hand."""
    manifests: dict[str, list[Object]] = {}
    for name in EXAMPLES:
        text = files("reconciler").joinpath("examples", f"{name}.yaml").read_text()
        documents = [document for document in yaml.safe_load_all(text) if document]
        for document in documents:
            if document["kind"] == "Secret":
                document["stringData"] = {"clientId": client_id, "clientSecret": client_secret}
            if document["kind"] == "SecretStore":
                document["spec"]["provider"]["infisical"]["hostAPI"] = host
        manifests[name] = documents
    return manifests


def example_project(server: StandIn) -> Project:
    """The project that the documentation's examples read."""
    project = server.add_project("my-project")
    project.set_secret("dev", "/", "API_KEY", "example-api-key-1")
    project.set_secret("dev", "/", "DB_PASSWORD", "example-database-password")
    project.set_secret("dev", "/", "JSON_BLOB", '{"key": "value"}')
    project.set_secret("dev", _FOLDER, "SERVICE_PASSWORD", "example-service-password")
    project.set_secret("dev", _FOLDER, "ADMIN_PASSWORD", "example-admin-password")
    return project


class _Stage:
    """Everything that the demonstration moves: the server, the manifests, the cluster, the controller."""

    def __init__(
        self,
        console: Console,
        server: StandIn,
        directory: Path,
        manifests: dict[str, list[Object]],
        cluster: LocalCluster,
    ) -> None:
        self.console = console
        self.server = server
        self.cluster = cluster
        self._directory = directory
        self._manifests = manifests

    def write(self) -> None:
        """Write all manifests, as their author would."""
        for name, documents in self._manifests.items():
            (self._directory / f"{name}.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False))

    def add_push(self) -> None:
        """Write the documented PushSecret and its source too."""
        text = files("reconciler").joinpath("examples", "push-secret.yaml").read_text()
        self._manifests["push-secret"] = [one for one in yaml.safe_load_all(text) if one]
        self.write()

    def refresh(self, example: str) -> None:
        """Ask for a refresh, by the annotation that does so."""
        for document in self._manifests[example]:
            annotations = document["metadata"].setdefault("annotations", {})
            annotations["external-secrets.io/force-sync"] = str(time.time())
        self.write()

    def spoil_credentials(self) -> None:
        """Put a wrong client secret into the credentials."""
        for document in self._manifests["store-universal-auth"]:
            if document["kind"] == "Secret":
                document["stringData"]["clientSecret"] = "no-longer-right"
        self.write()

    async def condition(self, kind: str, name: str, holds: Callable[[dict[str, Any]], bool]) -> str:
        """Wait until the Ready condition of a resource is as wished; its message. Raises TimeoutError."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                answer = await self.cluster.get(KINDS[kind], "default", name)
                ready = ready_of(answer.object) if isinstance(answer, Done) and answer.object else None
                if ready is not None and holds(dict(ready)):
                    return f"Ready={ready['status']}, {ready['reason']}: {ready['message']}"
                await asyncio.sleep(0.05)

    async def secret(self, name: str) -> dict[str, bytes]:
        """The data of a Secret."""
        answer = await self.cluster.get(SECRET, "default", name)
        assert isinstance(answer, Done)
        assert answer.object is not None
        return {key: base64.b64decode(text) for key, text in (answer.object.get("data") or {}).items()}

    async def arrival(self, name: str, key: str, content: bytes) -> None:
        """Wait until a Secret holds a value. Raises TimeoutError."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                if (await self.secret(name)).get(key) == content:
                    return
                await asyncio.sleep(0.05)

    async def show_secrets(self) -> None:
        """All Secrets that were made, their values masked."""
        listed = await self.cluster.list(Selection(SECRET, labels=f"{LABEL_MANAGED}=true"))
        for secret in getattr(listed, "items", []):
            self.console.print(f"  [bold]Secret {secret['metadata']['name']}[/bold]")
            for key, content in (await self.secret(secret["metadata"]["name"])).items():
                self.console.print(f"    {key.ljust(18)} {'•' * 8}  ({len(content)} bytes)")


@asynccontextmanager
async def _stage(console: Console) -> AsyncIterator[tuple[_Stage, Project]]:
    server = StandIn(time.time)
    project = example_project(server)
    credentials = server.add_machine("demo", {project: ADMIN})
    with tempfile.TemporaryDirectory(prefix="infisical-reconciler-demo-") as name:
        async with Server(server) as served, Network() as network:
            directory = Path(name)
            manifests = example_manifests(served.url, credentials.client_id, credentials.client_secret)
            cluster = LocalCluster(lambda: datetime.now(UTC))
            stage = _Stage(console, server, directory, manifests, cluster)
            stage.write()
            local = LocalDirectory(
                [directory],
                directory / ".infisical-reconciler",
                cluster,
                lambda said: console.print(str(said)),
            )
            await local.load()
            controller = Controller(
                cluster,
                network.transport,
                _Shown(console),
                Clock(time.time),
                random.Random(),  # noqa: S311  # jitter, not cryptography
                Options(linger=0.5),
                Metrics(),
            )
            tasks = [asyncio.create_task(controller.run()), asyncio.create_task(local.follow())]
            try:
                yield stage, project
            finally:
                await controller.stop()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def demonstrate(console: Console) -> bool:
    """Run the demonstration; whether all of it went as it should."""

    def heading(text: str) -> None:
        console.print(f"\n[bold]{text}[/bold]")

    begun = time.monotonic()
    console.print(
        "An Infisical server and a cluster, both embedded; three ExternalSecrets and their SecretStore."
    )
    try:
        async with _stage(console) as (stage, project):
            heading("1. Each resource goes through its machine")
            for name in ("checkout-env", "reporting-all", "database-login"):
                await stage.condition(EXTERNAL_SECRET.name, name, lambda ready: ready["status"] == "True")
            heading("2. The Secrets that came of it")
            await stage.show_secrets()

            heading("3. A value changes at Infisical, and its ExternalSecret is asked to refresh")
            project.set_secret("dev", "/", "API_KEY", "example-api-key-that-is-longer")
            stage.refresh("fetch-secret")
            await stage.arrival("checkout-env", "API_KEY", b"example-api-key-that-is-longer")
            heading("   It has arrived")
            await stage.show_secrets()

            heading("4. The other way: a PushSecret writes what a Secret holds to Infisical")
            stage.add_push()
            said = await stage.condition(
                PUSH_SECRET.name, "checkout-push", lambda ready: ready["status"] == "True"
            )
            console.print(Text(f"  PushSecret checkout-push: {said}", style="green"), soft_wrap=True)
            assert project.values("dev", "/")["API_KEY"] == "change-me"

            heading(
                "5. A secret is deleted at Infisical: the resource says so, and the Secret stays as it is"
            )
            project.remove_secret("dev", _FOLDER, "SERVICE_PASSWORD")
            stage.refresh("fetch-secret")
            said = await stage.condition(
                EXTERNAL_SECRET.name, "checkout-env", lambda ready: ready["status"] == "False"
            )
            console.print(Text(f"  ExternalSecret checkout-env: {said}", style="yellow"), soft_wrap=True)
            assert "SERVICE_PASSWORD" in await stage.secret("checkout-env")

            heading("6. The client secret is wrong: the store says so, and what uses it waits for it")
            stage.spoil_credentials()
            said = await stage.condition(
                SECRET_STORE.name, "infisical", lambda ready: ready["status"] == "False"
            )
            console.print(Text(f"  SecretStore infisical: {said}", style="yellow"), soft_wrap=True)
            counts = stage.server.counts()
        heading("7. Stopped")
    except TimeoutError:
        console.print("[red]a step did not happen in time; the transitions above show how far it went[/red]")
        return False
    asked = ", ".join(
        f"{number} {kind.value}" for kind, number in sorted(counts.items(), key=lambda item: item[0].value)
    )
    alive = len(stage.server.tokens_alive)
    console.print(f"  Requests to Infisical: {asked}. Tokens still alive: {alive}.")
    console.print(f"  {time.monotonic() - begun:.1f} seconds.")
    return alive == 0
