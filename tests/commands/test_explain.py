"""`explain`: exit codes, how a resource can be named, and mistakes in a directory of manifests."""

import asyncio
from pathlib import Path

import pytest
import yaml

from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.commands.conftest import Served, run_command
from tests.commands.test_plan import apply_all, content_of, served_once
from tests.scenarios.reviews import OnCluster

UNKNOWN_END = "Nothing is found to be wrong; not all can be told from here."


def edited(directory: Path, kind: str, right: str, wrong: str, file: str = "fetch-secret") -> None:
    """Plant a mistake in the manifest of a kind, in a file."""
    path = directory / f"{file}.yaml"
    documents = list(yaml.safe_load_all(path.read_text()))
    number = next(number for number, one in enumerate(documents) if one["kind"] == kind)
    text = yaml.safe_dump(documents[number])
    assert right in text
    documents[number] = yaml.safe_load(text.replace(right, wrong))
    path.write_text(yaml.safe_dump_all(documents))


def test_nothing_wrong_ends_with_0(served: Served, manifests: Path) -> None:
    """Nothing is written, and nothing asked of Infisical; what cannot be told from files is told as such."""
    before = content_of(manifests)
    result = run_command("explain", "ExternalSecret", "checkout-env", "--local", manifests)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "ExternalSecret default/checkout-env"
    assert lines[1].startswith("  ok       manifest: ")
    assert UNKNOWN_END in lines
    assert "It waits for SecretStore infisical to be ready, and runs at once then." in lines
    assert content_of(manifests) == before
    assert not served.standin.counts()


def test_of_a_served_directory_the_statuses_are_read(served: Served, manifests: Path) -> None:
    assert served_once(manifests) == 3
    served.standin.record.clear()
    before = content_of(manifests)
    result = run_command("explain", "es", "checkout-env", "--local", manifests)
    assert result.exit_code == 0, result.output
    assert "\nNothing is wrong.\nIt comes next at " in result.stdout
    assert "could be read" in result.stdout
    assert (
        "target Secret checkout-env: is there, belongs to this resource, and is as it was written"
        in result.stdout
    )
    assert content_of(manifests) == before
    assert not served.standin.counts()


def test_something_wrong_ends_with_1_and_is_told_first(served: Served, manifests: Path) -> None:
    edited(manifests, "ExternalSecret", "name: infisical", "name: infiscal")
    result = run_command("explain", "es", "checkout-env", "--local", manifests)
    assert result.exit_code == 1
    assert (
        "Wrong first: SecretStore infiscal: does not exist in the namespace default: create it, or mend the "
        'reference; is "infisical" meant?\n'
    ) in result.stdout


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("es", "checkout-env"),
        ("ES", "checkout-env"),
        ("externalsecrets", "checkout-env"),
        ("externalsecret", "checkout-env"),
        ("ss", "infisical"),
        ("secretStores", "infisical"),
    ],
)
def test_kinds_are_named_as_for_kubectl(served: Served, manifests: Path, kind: str, name: str) -> None:
    assert run_command("explain", kind, name, "--local", manifests).exit_code == 0
    assert run_command("explain", f"{kind}/{name}", "--local", manifests).exit_code == 0


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("es", "nobody", "there is no ExternalSecret default/nobody"),
        ("ps", "nobody", "there is no PushSecret default/nobody"),
        ("css", "nobody", "there is no ClusterSecretStore nobody"),
        ("pod", "nobody", "there is no kind 'pod'"),
        ("ces", "nobody", "ClusterExternalSecret is not a kind that this controller works on yet"),
        ("es", "", "which one? Write its name after its kind"),
        ("es", "no/body", "is no name that a resource can have"),
    ],
)
def test_what_is_not_there_ends_with_2(
    served: Served, manifests: Path, kind: str, name: str, said: str
) -> None:
    result = run_command("explain", kind, name, "--local", manifests)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_rule_that_a_manifest_breaks_is_found_at_its_line(served: Served, manifests: Path) -> None:
    """A cluster would not have taken it, so there is no such resource but in the file."""
    edited(manifests, "ExternalSecret", "secretKey: API_KEY", "secretKey: 'no key'")
    result = run_command("explain", "es", "checkout-env", "--local", manifests)
    assert result.exit_code == 1
    assert f"Wrong first: manifest: {manifests}/fetch-secret.yaml:" in result.stdout


def test_mistake_in_another_file_is_told_and_hinders_nothing(served: Served, manifests: Path) -> None:
    (manifests / "broken.yaml").write_text("a: [b")
    result = run_command("explain", "es", "checkout-env", "--local", manifests)
    assert result.exit_code == 0
    assert f"{manifests}/broken.yaml:" in result.stderr


def test_value_of_a_credential_is_never_shown(served: Served, manifests: Path) -> None:
    """Neither right nor wrong ones, of whichever length."""
    result = run_command("explain", "ss", "infisical", "--local", manifests)
    assert served.client_secret not in result.output
    assert served.client_id not in result.output


def test_push_is_explained(served: Served, manifests: Path) -> None:
    example = Path(__file__).resolve().parents[2] / "reconciler" / "examples" / "push-secret.yaml"
    (manifests / "push.yaml").write_text(example.read_text())
    result = run_command("explain", "ps", "checkout-push", "--local", manifests)
    assert result.exit_code == 0, result.output
    assert "source Secret checkout-source: is there, with all keys that are pushed" in result.stdout
    edited(manifests, "PushSecret", "secretKey: service-password", "secretKey: service_password", "push")
    result = run_command("explain", "ps", "checkout-push", "--local", manifests)
    assert result.exit_code == 1
    assert 'is "service-password" meant?' in result.stdout
    assert "change-me" not in result.output


def test_text_of_others_cannot_steer_a_terminal(served: Served, manifests: Path) -> None:
    """A condition in a cluster may hold what anybody who may write statuses put there."""
    assert served_once(manifests) == 3
    kept = manifests / ".infisical-reconciler" / "externalsecrets" / "default" / "checkout-env.yaml"
    resource = yaml.safe_load(kept.read_text())
    resource["status"]["conditions"][0] |= {"status": "False", "message": "red \x1b[31m alert"}
    kept.write_text(yaml.safe_dump(resource))
    result = run_command("explain", "es", "checkout-env", "--local", manifests)
    assert result.exit_code == 1
    assert "red ?[31m alert" in result.stdout
    assert "\x1b" not in result.stdout


def test_directory_that_is_none_is_told(tmp_path: Path) -> None:
    result = run_command("explain", "es", "wanted", "--local", tmp_path / "missing")
    assert result.exit_code == 2
    assert "is no directory" in result.stderr


def test_cluster_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run_command("explain", "es", "wanted", environment={"KUBECONFIG": str(tmp_path / "missing")})
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


@pytest.mark.apiserver
async def test_resource_of_a_cluster_is_explained(
    apiserver: Access, namespace: str, served: Served, manifests: Path
) -> None:
    """By its KUBECONFIG."""
    kubeconfig = {"KUBECONFIG": str(apiserver.kubeconfig)}
    await apply_all(kubeconfig, namespace, manifests)
    arguments = ("explain", "es", "checkout-env", "-n", namespace)
    result = await asyncio.to_thread(run_command, *arguments, environment=kubeconfig)
    assert result.exit_code == 0, result.output
    assert UNKNOWN_END in result.stdout
    absent = await asyncio.to_thread(run_command, *arguments[:2], "nobody", environment=kubeconfig)
    assert absent.exit_code == 2


@pytest.mark.apiserver
async def test_who_may_look_at_little_is_told_what_can_be_told(
    apiserver: Access, api: ApiClient, namespace: str, served: Served, manifests: Path
) -> None:
    """A developer whose role names the resources of one namespace, and neither Secrets nor anything cluster-wide."""
    await apply_all({"KUBECONFIG": str(apiserver.kubeconfig)}, namespace, manifests)
    token = await OnCluster(api, namespace).token("developer")
    group = "rbac.authorization.k8s.io"
    resources = ["externalsecrets", "secretstores"]
    rules = [{"apiGroups": ["external-secrets.io"], "resources": resources, "verbs": ["list"]}]
    metadata = {"name": "developer", "namespace": namespace}
    await api.create({"apiVersion": f"{group}/v1", "kind": "Role", "metadata": metadata, "rules": rules})
    role = {"apiGroup": group, "kind": "Role", "name": "developer"}
    who = {"kind": "ServiceAccount", "name": "developer", "namespace": namespace}
    await api.create(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [who],
        }
    )
    environment = {"KUBECONFIG": str(apiserver.as_user(namespace, token).kubeconfig)}
    arguments = ("explain", "es", "checkout-env", "-n", namespace)
    result = await asyncio.to_thread(run_command, *arguments, environment=environment)
    assert result.exit_code == 0, result.output
    assert "  unknown  cluster: you may not list secrets: what rests on them cannot be told" in result.stdout
    assert "  ok       SecretStore infisical, login: by universalAuthCredentials" in result.stdout
    assert "  unknown  target Secret checkout-env: may not be looked at by you" in result.stdout
    elsewhere = await asyncio.to_thread(run_command, *arguments[:-1], "default", environment=environment)
    assert elsewhere.exit_code == 2
    assert "externalsecrets: you may not list externalsecrets" in elsewhere.stderr
    planned = await asyncio.to_thread(
        run_command, "plan", "--cluster", "-n", namespace, environment=environment
    )
    assert planned.exit_code == 1
    assert "you may not list secrets" in planned.stderr
