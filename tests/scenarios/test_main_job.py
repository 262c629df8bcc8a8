"""The main job: an ExternalSecret becomes a Secret."""

import pytest

from adapters.resources.kinds import EXTERNAL_SECRET, SECRET
from tests.scenarios.scene import LISTING, LOGIN, SINGLE, VALIDATION, Scene, example


@pytest.mark.statement("S1")
@pytest.mark.statement("S50")
async def test_documented_keys_become_a_secret(scene: Scene) -> None:
    """The documented manifests, applied together, give the documented Secret; each request is accounted for."""
    async with scene.costs(
        LOGIN + VALIDATION + LISTING + SINGLE,
        apply_Secret=1,
        status_SecretStore=1,
        status_ExternalSecret=1,
    ):
        await scene.apply(scene.credentials_secret(), scene.store())
        await scene.store_ready()
        await scene.apply(example("fetch-secret", "ExternalSecret"))
        condition = await scene.ready("checkout-env")
    assert condition["reason"] == "SecretSynced"
    assert condition["message"] == "secret synced"
    assert await scene.secret("checkout-env") == {
        "API_KEY": "example-api-key-1",
        "BLOB_MEMBER": "value",
        "SERVICE_PASSWORD": "example-service-password",
    }


async def test_target_is_marked_and_owned(scene: Scene) -> None:
    """The Secret carries the labels, the annotation and the owner by which it is known as ours."""
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store())
    wanted = scene.external_secret(data=[{"secretKey": "key", "remoteRef": {"key": "API_KEY"}}])
    wanted["metadata"] |= {"labels": {"app": "shop"}, "annotations": {"note": "kept"}}
    await scene.apply(wanted)
    await scene.ready()
    secret, owner = await scene.object(SECRET, "wanted"), await scene.object(EXTERNAL_SECRET, "wanted")
    assert secret is not None
    assert owner is not None
    metadata = secret["metadata"]
    assert secret["type"] == "Opaque"
    assert metadata["labels"]["app"] == "shop"
    assert metadata["labels"]["reconcile.external-secrets.io/managed"] == "true"
    assert metadata["annotations"]["note"] == "kept"
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "name": "wanted",
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert owner["status"]["binding"] == {"name": "wanted"}


async def test_second_run_with_nothing_changed_writes_nothing(scene: Scene) -> None:
    """A refresh that finds nothing new costs reads, and writes the time of the refresh alone."""
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.apply(
        scene.external_secret(
            refreshInterval="1s", data=[{"secretKey": "k", "remoteRef": {"key": "API_KEY"}}]
        )
    )
    await scene.ready()
    before = await scene.object(SECRET, "wanted")
    runs = len(scene.journal.ends("wanted"))
    await scene.until(lambda: len(scene.journal.ends("wanted")) >= runs + 3)
    after = await scene.object(SECRET, "wanted")
    assert before is not None
    assert after is not None
    assert before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
    assert scene.counting.writes["apply Secret"] == 1
