"""Two ways to log in at once: the first in the documented order is used, whichever they are, and it is said which."""

import itertools
from typing import Any

import pytest

from adapters.auth.registry import METHODS
from adapters.cluster import Object
from tests.bench.first_login import SURROUNDINGS
from tests.scenarios.scene import Scene

ROUTES = {
    "universal": "universal-auth",
    "azure": "azure-auth",
    "gcp-id-token": "gcp-auth",
    "gcp-iam": "gcp-auth",
    "jwt": "jwt-auth",
    "ldap": "ldap-auth",
    "oci": "oci-auth",
    "kubernetes": "kubernetes-auth",
    "aws": "aws-auth",
}
"""The routes of the logins; Token Auth has none."""


def block_of(number: int) -> tuple[str, dict[str, Any]]:
    """The block of a method with all its selectors, and its name in a manifest."""
    block = METHODS[number].block
    fields = [one for one in block.__struct_encode_fields__ if one != "privateKeyPassphrase"]
    name = block.__name__
    return name[0].lower() + name[1:], {field: {"name": "all", "key": field} for field in fields}


def store_of(scene: Scene, first: int, second: int) -> Object:
    """A store with two blocks, the later one first in its manifest."""
    store = scene.store(f"pair-{first}-{second}")
    store["spec"]["provider"]["infisical"]["auth"] = dict((block_of(second), block_of(first)))
    return store


@pytest.mark.statement("S90", "S91")
async def test_every_pair_of_two_blocks_uses_the_first_in_order(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked in the name of the other, and an event names the one that is used."""
    for name, text in SURROUNDINGS.items():
        monkeypatch.setenv(name, text)
    pairs = list(itertools.combinations(range(len(METHODS)), 2))
    assert len(pairs) == 45
    fields = {field for registered in METHODS for field in registered.block.__struct_encode_fields__}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "all"},
        "stringData": dict.fromkeys(sorted(fields), "example"),
    }
    await scene.start()
    await scene.apply(secret)
    for first in range(len(METHODS) - 1):
        scene.server.record.clear()
        mine = [pair for pair in pairs if pair[0] == first]
        await scene.apply(*(store_of(scene, *pair) for pair in mine))
        for pair in mine:
            await scene.store_ready(f"pair-{pair[0]}-{pair[1]}", status="False")
            told = dict(await scene.events(f"pair-{pair[0]}-{pair[1]}"))
            used = METHODS[first].name.value
            assert told["SeveralAuthMethods"] == f"several blocks in auth: {used} is used"
        asked = {one.path for one in scene.server.requests if one.path.endswith("/login")}
        # Stores of earlier rounds try again meanwhile; a second method is never among those that came before.
        assert asked <= {f"/api/v1/auth/{ROUTES[one.name.value]}/login" for one in METHODS[: first + 1]}
