"""What is there already, and may not be seen, is not written over: neither by IfNotExists, nor by a property."""

from typing import Any

import pytest

from adapters.resources.kinds import PUSH_SECRET
from reconciler.standin.access import Access, Action, Rule
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio

WRITES_BLINDLY = Access(
    (
        Rule(actions=frozenset(Action), name="SEEN*"),
        Rule(actions=frozenset({Action.CREATE, Action.EDIT})),
    )
)
"""May write every secret, and see those with certain names alone."""


@pytest.mark.parametrize(
    ("remote", "spec"),
    [({}, {"updatePolicy": "IfNotExists"}), ({"property": "user"}, {})],
    ids=["IfNotExists", "property"],
)
async def test_what_may_not_be_seen_is_left_as_it_is(
    scene: Scene, remote: dict[str, str], spec: dict[str, Any]
) -> None:
    scene.project.set_secret("dev", "/", "HIDDEN", '{"user": "theirs", "more": "kept"}')
    scene.credentials = scene.server.add_machine("blind", {scene.project: WRITES_BLINDLY})
    await scene.begin_with_store()
    entries = [entry("one", "HIDDEN", **remote), entry("two", "SEEN_TWO"), entry("two", "SEEN_THREE")]
    await scene.apply(source(one="1", two="2"), push_secret(*entries, **spec))
    await scene.ready("pushed", PUSH_SECRET, status="False", said="HIDDEN")
    values = scene.project.values("dev", "/")
    assert values["HIDDEN"] == '{"user": "theirs", "more": "kept"}'
    assert values["SEEN_TWO"] == values["SEEN_THREE"] == "2"
