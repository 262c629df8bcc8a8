"""`render`: one run of everything in some manifests, without a cluster, and the Secrets that come of it."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml

from adapters.cluster import Done, Object, Selection
from adapters.infisical.hosts import Connect
from adapters.journal import Journal, Subject
from adapters.local.cluster import LocalCluster
from adapters.local.directory import UnusableManifests, load_manifests
from adapters.local.manifests import read_manifests
from adapters.resources.kinds import (
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    OUR_KINDS,
    PUSH_SECRET,
    SECRET,
    SECRET_STORE,
)
from reconciler.assembly import KINDS, Options
from reconciler.conditions import ready_of
from reconciler.controller import Controller, subjects_of
from reconciler.driver import Clock
from reconciler.metrics import Metrics
from reconciler.secret_view import controller_of

_WHOLE_RUN = 24 * 3600.0  # seconds: leases are held until the end, so that stores and resources share a login
_STORES = (SECRET_STORE, CLUSTER_SECRET_STORE)


class Rendering(msgspec.Struct, frozen=True):
    """What came of it: the Secrets, and a line for each resource. Its repr shows no Secret."""

    secrets: tuple[Object, ...]
    lines: tuple[str, ...]
    all_ready: bool

    def __repr__(self) -> str:
        return f"<Rendering of {len(self.secrets)} Secrets>"


async def render(
    paths: Sequence[Path],
    connect: Connect,
    journal: Journal,
    options: Options,
    notice: Callable[[str], None],
    *,
    push: bool = False,
) -> Rendering:
    """Read manifests, run stores and then resources once each; PushSecrets, which write to Infisical, with `push` only.

    Raises UnusableManifests.
    """
    manifests = read_manifests(paths)
    for one in manifests.notices:
        notice(str(one))
    cluster = LocalCluster(lambda: datetime.now(UTC))
    await load_manifests(cluster, manifests)
    controller = Controller(
        cluster,
        connect,
        journal,
        Clock(time.time),
        random.Random(),  # noqa: S311  # jitter, not cryptography
        msgspec.structs.replace(options, linger=_WHOLE_RUN),
        Metrics(),
    )
    controller.start()
    try:
        await controller.synced()
        stores = subjects_of(controller, _STORES)
        left = () if push else (PUSH_SECRET,)
        others = subjects_of(controller, [kind for kind in OUR_KINDS if kind not in (*_STORES, *left)])
        for subjects in (stores, others):
            now = asyncio.get_running_loop().time()
            await asyncio.gather(*(controller.run_once(subject, now) for subject in subjects))
        rendered = await _rendering(cluster, [*stores, *others])
        unpushed = tuple(
            f"{subject}: not pushed: that writes to Infisical; give --push for it"
            for subject in subjects_of(controller, left)
        )
        return msgspec.structs.replace(rendered, lines=rendered.lines + unpushed)
    finally:
        await controller.stop()


async def _rendering(cluster: LocalCluster, subjects: Sequence[Subject]) -> Rendering:
    lines, all_ready = [], True
    for subject in subjects:
        answer = await cluster.get(KINDS[subject.kind], subject.namespace, subject.name)
        ready = ready_of(answer.object) if isinstance(answer, Done) and answer.object is not None else None
        all_ready = all_ready and ready is not None and ready.get("status") == "True"
        lines.append(_line(subject, ready))
    listed = await cluster.list(Selection(SECRET))
    items = getattr(listed, "items", [])
    made = tuple(
        _plain(secret) for secret in items if controller_of(secret).get("kind") == EXTERNAL_SECRET.name
    )
    return Rendering(made, tuple(lines), all_ready)


def _line(subject: Subject, ready: Any) -> str:
    if ready is None:
        return f"{subject}: left alone: it belongs to another controller or provider"
    return f"{subject}: Ready={ready['status']} {ready.get('reason', '')}: {ready.get('message', '')}"


def _plain(secret: Object) -> Object:
    """The Secret as one would write it: nothing of it that a cluster adds, nor an owner that no cluster knows."""
    metadata = {
        name: value
        for name, value in secret["metadata"].items()
        if name in ("name", "namespace", "labels", "annotations")
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": secret.get("type", "Opaque"),
        "data": secret.get("data") or {},
    }


def documents(secrets: Sequence[Object]) -> str:
    """Secrets as YAML documents."""
    return yaml.safe_dump_all(secrets, sort_keys=False, explicit_start=True) if secrets else ""


__all__ = ["Rendering", "UnusableManifests", "documents", "render"]
