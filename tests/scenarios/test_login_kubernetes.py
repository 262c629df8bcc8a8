"""Kubernetes Auth against a server that has the cluster review the token: the real API server, or one on loopback."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.auth.settings import POD_TOKEN, AuthSettings
from adapters.cluster import Object
from adapters.resources.kinds import CLUSTER_SECRET_STORE, SECRET
from reconciler.standin import Age
from tests.apiserver.client import ApiClient
from tests.scenarios.logins import documented, fails, machine, serves
from tests.scenarios.reviews import AUDIENCE, Reviews, reviews_on_cluster, reviews_on_loopback
from tests.scenarios.scene import API_KEY, Scene, key

ROBOT = "infisical-reconciler"
REFUSED = "refuses the credentials: check the Secret that the store's auth block names"


@pytest.fixture
async def reviews(scene: Scene, where: str, request: pytest.FixtureRequest) -> AsyncIterator[Reviews]:
    """Who reviews tokens on the scene's cluster."""
    if where == "real":
        async with (
            ApiClient(request.getfixturevalue("apiserver")) as api,
            reviews_on_cluster(api, scene.namespace) as reviews,
        ):
            yield reviews
    else:
        async with reviews_on_loopback(scene.namespace) as reviews:
            yield reviews


class Mounted:
    """A volume with a token, as the kubelet keeps it: `token` is a link into a directory that is swapped."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        (directory / "token").symlink_to("..data/token")
        self.token = directory / "token"
        self._directory = directory
        self._number = 0

    def put(self, token: str) -> None:
        """Swap the token for another."""
        data = self._directory / "..data"
        before = self._directory / os.readlink(data) if data.is_symlink() else None
        self._number += 1
        fresh = self._directory / f"..{self._number}"
        fresh.mkdir()
        (fresh / "token").write_text(token)
        (self._directory / "..data_tmp").symlink_to(fresh.name)
        (self._directory / "..data_tmp").rename(data)
        if before is not None:
            (before / "token").unlink()
            before.rmdir()


@pytest.fixture
def pod(tmp_path: Path) -> Mounted:
    """The volume that every pod has."""
    return Mounted(tmp_path / "serviceaccount")


def reviewed(reviews: Reviews, **settings: Any) -> dict[str, Any]:
    """What Infisical is told: the cluster, and who reviews."""
    usual = {"kubernetesHost": reviews.url, "caCert": reviews.authority, "tokenReviewerJwt": reviews.reviewer}
    return usual | settings


def manifests(scene: Scene, settings: dict[str, Any], **more: str) -> tuple[Object, Object]:
    """Secret and store of an identity for the service accounts of the settings."""
    identity = machine(scene, "kubernetes-auth", settings)
    return documented(scene, "store-kubernetes-auth", {"identityId": identity.id}, **more)


@pytest.mark.statement("S13", "S14", "S15", "S18")
@pytest.mark.parametrize("age", list(Age))
async def test_pod_token_logs_in(scene: Scene, reviews: Reviews, pod: Mounted) -> None:
    """Reviewed by a reviewer, for one service account of one namespace."""
    pod.put(await reviews.token(ROBOT) + "\n")
    settings = reviewed(reviews, allowedNamespaces=f"other, {scene.namespace}", allowedNames=ROBOT)
    await serves(scene, *manifests(scene, settings), AuthSettings(pod_token=pod.token))


@pytest.mark.statement("S18")
async def test_token_reviews_itself(scene: Scene, reviews: Reviews, pod: Mounted) -> None:
    """Without a reviewer the client's own token asks for the review, and has to be allowed to."""
    pod.put(await reviews.token(ROBOT))
    secret, store = manifests(scene, reviewed(reviews, tokenReviewerJwt=""))
    auth = AuthSettings(pod_token=pod.token)
    await fails(scene, secret, store, REFUSED, auth)
    await scene.stop()
    await reviews.let_review(ROBOT)
    await serves(scene, secret, store, auth)


async def test_audience_is_looked_at_by_the_server(scene: Scene, reviews: Reviews, pod: Mounted) -> None:
    """A token of another audience is refused, one of the right one taken."""
    pod.put(await reviews.token(ROBOT))
    secret, store = manifests(scene, reviewed(reviews, allowedAudience=AUDIENCE))
    auth = AuthSettings(pod_token=pod.token)
    await fails(scene, secret, store, REFUSED, auth)
    await scene.stop()
    pod.put(await reviews.token(ROBOT, AUDIENCE))
    await serves(scene, secret, store, auth)


@pytest.mark.statement("S15")
async def test_token_file_is_read_at_each_login(scene: Scene, reviews: Reviews, pod: Mounted) -> None:
    """The cluster replaced it: when the lease has ended, the next login is with the new one."""
    pod.put(await reviews.token(ROBOT))
    secret, store = manifests(scene, reviewed(reviews))
    await scene.start(auth=AuthSettings(pod_token=pod.token))
    await scene.apply(secret, store, scene.external_secret(data=[key("API_KEY")]))
    await scene.ready()
    await reviews.remove(ROBOT)
    pod.put(await reviews.token(ROBOT))
    scene.server.end_tokens()
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    await scene.refresh()
    await scene.holds({"key": "changed"})
    assert scene.requests()["login"] == 2


@pytest.mark.statement("S13", "S14", "S16", "S17")
async def test_other_token_file_is_named_by_the_secret(
    scene: Scene, reviews: Reviews, pod: Mounted, tmp_path: Path
) -> None:
    """Below a directory that the operator allows; the pod's own token is not shown."""
    pod.put("not-to-be-shown")
    other = Mounted(tmp_path / "vault-token")
    other.put(await reviews.token("another"))
    settings = reviewed(reviews, allowedNames="another")
    secret, store = manifests(scene, settings, serviceAccountTokenPath=f"{other.token}\n")
    auth = AuthSettings(pod_token=pod.token, credential_directories=(tmp_path / "vault-token",))
    await serves(scene, secret, store, auth)


@pytest.mark.statement("S17")
async def test_pod_token_may_be_named_too(scene: Scene, reviews: Reviews, pod: Mounted) -> None:
    """It needs no directory."""
    pod.put(await reviews.token(ROBOT))
    secret, store = manifests(scene, reviewed(reviews), serviceAccountTokenPath=str(pod.token))
    await serves(scene, secret, store, AuthSettings(pod_token=pod.token))


@pytest.mark.parametrize(
    "settings",
    [{"allowedNames": "somebody-else"}, {"allowedNamespaces": "kube-system"}],
    ids=["name", "namespace"],
)
async def test_other_service_account_is_refused(
    scene: Scene, reviews: Reviews, pod: Mounted, settings: dict[str, str]
) -> None:
    """The server says no, the condition what to check."""
    pod.put(await reviews.token(ROBOT))
    secret, store = manifests(scene, reviewed(reviews, **settings))
    await fails(scene, secret, store, REFUSED, AuthSettings(pod_token=pod.token))


async def test_ended_and_wrong_tokens_are_refused(scene: Scene, reviews: Reviews, pod: Mounted) -> None:
    """The service account is gone; what is no token at all."""
    ended = await reviews.token(ROBOT)
    await reviews.remove(ROBOT)
    secret, store = manifests(scene, reviewed(reviews))
    auth = AuthSettings(pod_token=pod.token)
    for token in (ended, "no-token"):
        pod.put(token)
        condition = await fails(scene, secret, store, REFUSED, auth)
        assert token not in condition["message"]
        await scene.stop()


@pytest.mark.statement("S15")
async def test_pod_without_a_token_is_told(scene: Scene, reviews: Reviews, tmp_path: Path) -> None:
    """As outside of a cluster; the same for an empty file."""
    said = "the controller has no service account token: is it mounted into its pod?"
    secret, store = manifests(scene, reviewed(reviews))
    await fails(scene, secret, store, said, AuthSettings(pod_token=tmp_path / "token"))
    await scene.stop()
    (tmp_path / "token").write_bytes(b"\n")
    await fails(scene, secret, store, said, AuthSettings(pod_token=tmp_path / "token"))
    assert not scene.requests()


@pytest.mark.parametrize("field", ["identityId", "serviceAccountTokenPath"])
async def test_missing_credentials_are_named(
    scene: Scene, reviews: Reviews, pod: Mounted, field: str
) -> None:
    """The Secret, the key, and an empty value; nothing is asked of the server."""
    pod.put(await reviews.token(ROBOT))
    secret, store = manifests(scene, reviewed(reviews), serviceAccountTokenPath=str(pod.token))
    whole = dict(secret["stringData"])
    place = f"{scene.namespace}/kubernetes-auth-credentials"
    del secret["stringData"][field]
    said = f'Secret {place} with the credentials has no key "{field}"'
    await fails(scene, secret, store, said, AuthSettings(pod_token=pod.token))
    await scene.apply(secret | {"stringData": whole | {field: "\n"}})
    await scene.store_ready(status="False", said=f'the credential "{field}" in Secret {place} is empty')
    await scene.delete(SECRET, "kubernetes-auth-credentials")
    await scene.store_ready(status="False", said=f"the Secret {place} with the credentials does not exist")
    assert not scene.requests()
    await scene.apply(secret | {"stringData": whole})
    await scene.store_ready()


# --- to whom the controller shows itself ------------------------------------------------------------------------


async def test_own_identity_is_shown_to_allowed_hosts_alone(
    scene: Scene, reviews: Reviews, pod: Mounted
) -> None:
    """A SecretStore of anybody may not send it elsewhere: nothing is sent, and the condition says who can change that."""
    pod.put(await reviews.token(ROBOT))
    secret, store = manifests(scene, reviewed(reviews))
    elsewhere = AuthSettings(pod_token=pod.token, ambient_hosts=("infisical.example.com",))
    condition = await fails(
        scene,
        secret,
        store,
        "may not show its own identity to",
        elsewhere,
    )
    assert "--ambient-credential-hosts" in condition["message"]
    assert condition["reason"] == "InvalidProviderConfig"
    await scene.stop()
    assert not scene.requests()
    here = AuthSettings(pod_token=pod.token, ambient_hosts=("infisical.example.com", "127.0.0.1"))
    await serves(scene, secret, store, here)


async def test_cluster_store_may_show_the_identity_to_any_host(
    scene: Scene, reviews: Reviews, pod: Mounted
) -> None:
    """It is the operator's own."""
    pod.put(await reviews.token(ROBOT))
    secret, store = manifests(scene, reviewed(reviews))
    name = f"wide-{scene.namespace}"
    store |= {"kind": "ClusterSecretStore", "metadata": {"name": name}}
    scene.controller_class = store["spec"]["controller"] = scene.namespace
    (block,) = store["spec"]["provider"]["infisical"]["auth"].values()
    block["identityId"]["namespace"] = scene.namespace
    wanted = scene.external_secret(data=[key("API_KEY")])
    wanted["spec"]["secretStoreRef"] = {"name": name, "kind": "ClusterSecretStore"}
    await scene.start(auth=AuthSettings(pod_token=pod.token, ambient_hosts=()))
    try:
        await scene.apply(secret, store, wanted)
        await scene.ready(name, CLUSTER_SECRET_STORE, said="store validated")
        await scene.ready()
        assert await scene.secret() == {"key": API_KEY}
    finally:
        await scene.cluster.delete(CLUSTER_SECRET_STORE, "", name)


async def test_credentials_of_the_store_may_go_anywhere(scene: Scene) -> None:
    """The hosts are about the controller's own identity alone."""
    await serves(scene, scene.credentials_secret(), scene.store(), AuthSettings(ambient_hosts=()))


def test_pod_token_is_where_every_pod_has_it(where: str) -> None:
    """Unless a test says otherwise."""
    assert AuthSettings().pod_token == POD_TOKEN
    assert str(POD_TOKEN) == "/var/run/secrets/kubernetes.io/serviceaccount/token"
