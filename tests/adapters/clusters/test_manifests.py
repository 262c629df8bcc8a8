"""Manifests are read as a cluster would take them, and every mistake is told with its file and line."""

from pathlib import Path
from textwrap import dedent

import pytest

from adapters.local.manifests import Manifests, read_manifests
from adapters.resources.kinds import CLUSTER_SECRET_STORE, CONFIG_MAP, EXTERNAL_SECRET, SECRET
from tests.adapters.clusters.samples import encode

CREDENTIALS = """\
apiVersion: v1
kind: Secret
metadata:
  name: credentials
stringData:
  clientId: someone
  clientSecret: "007"
"""
EXTERNAL = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: database
  namespace: shop
spec:
  secretStoreRef:
    name: store
  data:
    - secretKey: password
      remoteRef:
        key: PASSWORD
"""


def read(directory: Path, **files: str) -> Manifests:
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(dedent(text))
    return read_manifests([directory])


def mistakes(manifests: Manifests, directory: Path) -> list[str]:
    return [str(mistake).replace(f"{directory}/", "") for mistake in manifests.mistakes]


def test_objects_are_read_from_all_documents_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "b.yml").write_text(EXTERNAL)
    (tmp_path / "c.json").write_text('{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}')
    read_all = read(
        tmp_path, a=f"---\n{CREDENTIALS}---\n# nothing\n---\n{CREDENTIALS.replace('entials', 'its')}"
    )
    assert mistakes(read_all, tmp_path) == []
    assert [(each.key.kind, each.key.namespace, each.key.name) for each in read_all.manifests] == [
        (SECRET, "default", "credentials"),
        (SECRET, "default", "credits"),
        (CONFIG_MAP, "default", "c"),
        (EXTERNAL_SECRET, "shop", "database"),
    ]
    assert read_all.manifests[0].object["data"] == {
        "clientId": encode("someone"),
        "clientSecret": encode("007"),
    }


def test_hidden_files_and_other_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name in (".git/a.yaml", ".hidden.yaml", "notes.txt", "a.yaml~"):
        (tmp_path / name).write_text("not: a manifest")
    assert read_manifests([tmp_path]) == Manifests((), (), ())


def test_a_file_that_is_named_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "manifest.txt").write_text(CREDENTIALS)
    assert len(read_manifests([tmp_path / "manifest.txt", tmp_path / "manifest.txt"]).manifests) == 1


def test_a_list_is_its_items(tmp_path: Path) -> None:
    items = """\
    apiVersion: v1
    kind: List
    items:
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: one}
      - apiVersion: v1
        kind: ConfigMap
        metadata: {}
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: two}
        data: {a: 5}
    """
    manifests = read(tmp_path, a=items)
    assert [each.key.name for each in manifests.manifests] == ["one"]
    assert mistakes(manifests, tmp_path) == [
        "a.yaml:9: ConfigMap: metadata.name is required",
        "a.yaml:13: ConfigMap two: data: must be an object of texts",
    ]


def test_cluster_wide_kinds_have_no_namespace(tmp_path: Path) -> None:
    store = """\
    apiVersion: external-secrets.io/v1
    kind: ClusterSecretStore
    metadata: {name: store, namespace: shop}
    spec:
      provider:
        infisical:
          auth: {universalAuthCredentials: {clientId: {name: a, key: b}, clientSecret: {name: a, key: c}}}
          secretsScope: {projectSlug: p, environmentSlug: dev}
    """
    manifests = read(tmp_path, a=store)
    assert mistakes(manifests, tmp_path) == []
    assert manifests.manifests[0].key == (CLUSTER_SECRET_STORE, "", "store")


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    wrong = """\
    apiVersion: external-secrets.io/v1
    kind: ExternalSecret
    metadata:
      name: Wrong_Name
    spec:
      secretStoreRef:
        name: store
        kind: Store
      data:
        - secretKey: "a b"
          remoteRef:
            key: A
        - secretKey: b
          remoteRef: {}
    """
    found = mistakes(read(tmp_path, a=wrong, b="kind: Secret", c="just text", d="a: b\nc: d: e"), tmp_path)
    lines = [text.split(": ")[0] for text in found]
    assert lines == ["a.yaml:4", "a.yaml:8", "a.yaml:10", "a.yaml:14", "b.yaml:1", "c.yaml:1", "d.yaml:2"]
    assert found[3] == "a.yaml:14: ExternalSecret Wrong_Name: spec.data[1].remoteRef.key: required"


def test_two_documents_of_one_object_are_a_mistake(tmp_path: Path) -> None:
    found = mistakes(read(tmp_path, a=CREDENTIALS, b=f"# two\n{CREDENTIALS}"), tmp_path)
    assert found == [
        f"b.yaml:2: Secret credentials: is already in {tmp_path}/a.yaml:1".replace(f"{tmp_path}/", "")
    ]


def test_a_missing_namespace_is_default(tmp_path: Path) -> None:
    other = CREDENTIALS.replace("name: credentials", "name: credentials\n  namespace: default")
    assert len(mistakes(read(tmp_path, a=CREDENTIALS, b=other), tmp_path)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", "a.yaml:3: a key that is already given in line 1"),
        ("a: !secret x", "a.yaml:1: a tag that is not allowed here"),
        ("a: &x [*x]", "a.yaml:1: aliases that contain themselves, or repeat too much"),
        ("a: .nan", "a.yaml:1: a number that JSON cannot express"),
        ("? [a]\n: b", "a.yaml:1: a key must be a text"),
        ("a: *hunter2", "a.yaml:1: found undefined alias"),
        ("a:\n\tb: hunter2", "a.yaml:2: found character that cannot start any token"),
    ],
)
def test_what_is_not_yaml_for_kubernetes_is_told_without_quoting_it(
    tmp_path: Path, text: str, expected: str
) -> None:
    (told,) = mistakes(read(tmp_path, a=text), tmp_path)
    assert told == expected
    assert "hunter2" not in told


def test_a_bomb_of_aliases_is_refused(tmp_path: Path) -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9))
    (told,) = mistakes(read(tmp_path, a=f"l0: &l0 [x]\n{levels}"), tmp_path)
    assert "repeat too much" in told


def test_yaml_is_read_as_kubernetes_reads_it(tmp_path: Path) -> None:
    values = """\
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: values
    data:
      time: 2026-01-01
      clock: 12:30:45
      port: "8080"
      <<: {merged: x, port: "1"}
      1: one
    """
    manifests = read(tmp_path, a=values)
    assert mistakes(manifests, tmp_path) == []
    assert manifests.manifests[0].object["data"] == {
        "time": "2026-01-01",
        "clock": "12:30:45",
        "port": "8080",
        "merged": "x",
        "1": "one",
    }


def test_what_is_not_ours_is_noticed_and_read_past(tmp_path: Path) -> None:
    deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n"
    unknown = EXTERNAL + "  unknownField: 1\n"
    manifests = read(tmp_path, a=deployment, b=unknown)
    assert manifests.mistakes == ()
    assert [str(notice).replace(f"{tmp_path}/", "") for notice in manifests.notices] == [
        "a.yaml:1: apps/v1 Deployment is not read here",
        "b.yaml:13: ExternalSecret database: spec.unknownField is not known",
    ]


def test_an_old_version_of_ours_is_a_mistake_that_names_the_new_one(tmp_path: Path) -> None:
    (told,) = mistakes(read(tmp_path, a=EXTERNAL.replace("io/v1", "io/v1beta1")), tmp_path)
    assert told == (
        "a.yaml:1: ExternalSecret is served as external-secrets.io/v1, not as external-secrets.io/v1beta1"
    )


def test_what_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    found = mistakes(read_manifests([tmp_path / "none", tmp_path]), tmp_path)
    assert found == ["none: cannot be read: No such file or directory", "binary.yaml: is not text in UTF-8"]


def test_a_secret_with_bad_base64_is_told_by_its_key(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a_b}\ndata:\n  password: hunter2!\n"
    told, other = mistakes(read(tmp_path, a=text), tmp_path)
    assert other.startswith("a.yaml:3: Secret a_b: metadata.name: ")
    assert told == "a.yaml:5: Secret a_b: data[password]: must be a text in base64"


def test_nothing_shows_the_values_that_were_read(tmp_path: Path) -> None:
    manifests = read(tmp_path, a=CREDENTIALS.replace("007", "hunter2"))
    assert "hunter2" not in repr(manifests)
    assert encode("hunter2") not in repr(manifests)
