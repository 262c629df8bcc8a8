"""No value that is pushed, or was there before, leaves by a side door, from the first push to the last clean-up."""

import io
import json
from pathlib import Path

import pytest

from adapters.cluster import Listed, Selection
from adapters.journal import FileJournal
from adapters.resources.kinds import PUSH_SECRET, SECRET
from reconciler.standin import HalfSent, Kind, Page, Status
from reconciler.transitions_seen import DebugLog, RecentTransitions, SeveralJournals
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene
from tests.scenarios.test_canaries import emitted_by, found_in, log

__all__ = ["log"]

CANARY = "canary-7b2a-source"
THERE = "canary-7b2a-there"
LATER = "canary-7b2a-later"
SEEN = "canary-7b2a-name"
"""What may be seen, and is: a key at Infisical."""


async def test_nothing_emitted_holds_a_value(
    scene: Scene, log: io.StringIO, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through pushes, merges, bad content, refused and broken writes, updates and deletions."""
    scene.project.set_secret("dev", "/", "MERGED", json.dumps({"theirs": THERE}))
    scene.project.set_secret("dev", "/", "NO_JSON", THERE)
    scene.project.set_secret("dev", "/", "REPLACED", THERE)
    journal = FileJournal(str(tmp_path / "journal"), 10_000_000, lambda sentence: None)
    recent = RecentTransitions()
    scene.journal = SeveralJournals([scene.journal, journal, recent, DebugLog(), scene.metrics])  # type: ignore[assignment]
    await scene.begin_with_store()

    for fault in (Status(500), HalfSent(), Page()):
        scene.server.faults.plan(Kind.BATCH_CREATION, fault)
    entries = (entry("one", SEEN), entry("one", "REPLACED"), entry("one", "MERGED", property="ours"))
    good = push_secret(*entries, deletionPolicy="Delete")
    await scene.apply(
        source(one=CANARY),
        good,
        push_secret(entry("one", "NO_JSON", property="inner"), name="no-json"),
        push_secret(entry("absent", "ABSENT"), name="absent"),
        push_secret(entry("one", CANARY.upper() + "=?"), name="bad-key"),
        push_secret(entry("one", "REPLACED"), entry("one", "REPLACED"), name="twice"),
    )
    for name in ("no-json", "absent"):
        await scene.ready(name, PUSH_SECRET, status="False")
    await scene.until(lambda: scene.project.values("dev", "/").get(SEEN) == CANARY)
    await scene.ready("pushed", PUSH_SECRET)
    await scene.apply(source(one=LATER))
    await scene.until(lambda: LATER in scene.project.values("dev", "/").get("MERGED", ""))
    await scene.apply(push_secret(*entries[1:], deletionPolicy="Delete"))
    await scene.until(lambda: SEEN not in scene.project.values("dev", "/"))
    channels = {"statuses while it lives": await statuses(scene)}
    await scene.delete(PUSH_SECRET, "pushed")
    await scene.until(lambda: json.loads(scene.project.values("dev", "/")["MERGED"]) == {"theirs": THERE})
    await scene.delete(SECRET, "source")
    await scene.stop()
    journal.close()

    channels |= await emitted_by(scene, tmp_path / "journal", recent)
    channels["statuses"] += await statuses(scene)
    standard = capfd.readouterr()
    channels |= {"log": log.getvalue(), "output": standard.out, "errors": standard.err}
    for channel, emitted in channels.items():
        assert found_in(emitted, CANARY, THERE, LATER) == [], channel
    assert '"Pushed"' in channels["journal"] or "pushed" in channels["journal"]
    assert found_in(channels["statuses while it lives"], "REPLACED") == ["REPLACED"]


async def statuses(scene: Scene) -> str:
    """What the resources say of themselves; what their authors wrote left out."""
    listed = await scene.cluster.list(Selection(PUSH_SECRET, namespace=scene.namespace))
    assert isinstance(listed, Listed)
    return json.dumps([one.get("status") for one in listed.items])
