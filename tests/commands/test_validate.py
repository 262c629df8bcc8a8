"""`validate`: every mistake at once, with file and line, and nothing but mistakes."""

import base64
from pathlib import Path

import pytest
import yaml

from tests.commands.conftest import run_command

STORE = """\
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata:
  name: infisical
spec:
  provider:
    infisical:
      hostAPI: https://infisical.example
      auth:
        universalAuthCredentials:
          clientId: {name: login, key: clientId}
          clientSecret: {name: login, key: clientSecret}
      secretsScope:
        projectSlug: my-project
        environmentSlug: dev
        secretsPath: /app
---
apiVersion: v1
kind: Secret
metadata:
  name: login
stringData:
  clientId: an-id
  clientSecret: a-canary-that-must-not-be-shown
"""

RESOURCE = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: wanted
spec:
  secretStoreRef: {name: infisical, kind: SecretStore}
  data:
    - secretKey: key
      remoteRef: {key: KEY}
"""


def written(directory: Path, **texts: str) -> Path:
    """Files of these names."""
    for name, text in texts.items():
        (directory / f"{name}.yaml").write_text(text)
    return directory


def test_manifests_without_mistakes_are_fine(tmp_path: Path) -> None:
    """Nothing on standard output; the number of what was checked goes to standard error."""
    result = run_command("validate", written(tmp_path, store=STORE, resource=RESOURCE))
    assert result.exit_code == 0, result.stdout
    assert result.stdout == ""
    assert "3 objects" in result.stderr


MISTAKES = [
    # in the store: what is written in place of what, in which line, what is said
    (
        "hostAPI: https://infisical.example",
        "hostAPI: infisical",
        8,
        "is not an http or https address",
    ),
    ("projectSlug: my-project", "projectSlug: My Project", 14, "has not the form of a slug"),
    ("secretsPath: /app", "secretsPath: /app/../etc", 16, "climbs with .."),
    ("key: clientSecret}", "key: secret}", 12, "the Secret login has no such key"),
    ("clientId: an-id", "clientId: ''", 11, "is empty"),
    ("environmentSlug: dev", "environmentSlug: ''", 15, ""),
    ("      auth:", "      caBundle: bm90aGluZw==\n      auth:", 9, "holds no certificate in PEM"),
    (
        "{name: login, key: clientId}",
        "{name: login, key: clientId, namespace: other}",
        11,
        "",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "line", "said"), MISTAKES, ids=[one[1][:40] for one in MISTAKES])
def test_mistake_in_a_store_is_told_at_its_line(
    tmp_path: Path, right: str, wrong: str, line: int, said: str
) -> None:
    assert STORE.count(right) == 1
    result = run_command("validate", written(tmp_path, store=STORE.replace(right, wrong), resource=RESOURCE))
    assert result.exit_code == 1
    told = [one for one in result.stdout.splitlines() if not one.endswith("(notice)")]
    assert len(told) == 1, told
    assert told[0].startswith(f"{tmp_path}/store.yaml:{line}: SecretStore infisical: ")
    assert said in told[0]
    assert "canary" not in result.stdout + result.stderr


OTHERS = [
    ("{key: KEY}", "{key: KEY/}", 9, "ends in a slash"),
    ("{key: KEY}", "{key: ../KEY}", 9, "climbs with .."),
    ("{key: KEY}", '{key: KEY, property: "#("}', 9, "cannot be read as a path"),
    ("  data:", "  target: {template: {data: {a: b}}}\n  data:", 7, "not supported by this controller yet"),
    ("  data:", "  dataFrom:\n    - find: {name: {regexp: '('}}\n  data:", 8, "no regular expression"),
    ("  data:", "  dataFrom:\n    - find: {path: app}\n  data:", 8, "must be absolute"),
    ("  data:", "  refreshInterval: soon\n  data:", 7, ""),
    ("secretKey: key", "secretKey: 'no key'", 8, ""),
]


@pytest.mark.parametrize(("right", "wrong", "line", "said"), OTHERS, ids=[one[1][:40] for one in OTHERS])
def test_mistake_in_a_resource_is_told_at_its_line(
    tmp_path: Path, right: str, wrong: str, line: int, said: str
) -> None:
    result = run_command("validate", written(tmp_path, store=STORE, resource=RESOURCE.replace(right, wrong)))
    assert result.exit_code == 1
    told = [one for one in result.stdout.splitlines() if not one.endswith("(notice)")]
    assert len(told) == 1, told
    assert told[0].startswith(f"{tmp_path}/resource.yaml:{line}: ExternalSecret wanted: ")
    assert said in told[0]


PUSH = """\
apiVersion: v1
kind: Secret
metadata:
  name: source
stringData:
  password: a-canary-that-must-not-be-shown
---
apiVersion: external-secrets.io/v1alpha1
kind: PushSecret
metadata:
  name: pushed
spec:
  secretStoreRefs:
    - name: infisical
  selector: {secret: {name: source}}
  data:
    - match: {secretKey: password, remoteRef: {remoteKey: PASSWORD}}
    - match: {secretKey: password, remoteRef: {remoteKey: OTHER}}
"""

PUSHES = [
    (
        "{secretKey: password, remoteRef: {remoteKey: OTHER}}",
        "{secretKey: passwort, remoteRef: {remoteKey: OTHER}}",
        18,
        "passwort",
    ),
    ("remoteKey: OTHER", "remoteKey: PASSWORD", 12, "two entries go to"),
    ("remoteKey: OTHER", "remoteKey: /app/PASSWORD", 12, "two entries go to"),
    ("remoteKey: OTHER", "remoteKey: ../OTHER", 18, "climbs with .."),
    ("  data:", "  template: {data: {a: b}}\n  data:", 16, "not supported by this controller yet"),
    ("  data:", "  dataTo: [{storeRef: {name: another}}]\n  data:", 16, "is none of spec.secretStoreRefs"),
    (
        "  data:",
        "  dataTo: [{storeRef: {name: infisical}, match: {regexp: '('}}]\n  data:",
        16,
        "no regular expression",
    ),
    ("  data:", "  refreshInterval: soon\n  data:", 16, ""),
]


@pytest.mark.parametrize(("right", "wrong", "line", "said"), PUSHES, ids=[one[1][:40] for one in PUSHES])
def test_mistake_in_a_push_is_told_at_its_line(
    tmp_path: Path, right: str, wrong: str, line: int, said: str
) -> None:
    assert PUSH.count(right) == 1
    result = run_command("validate", written(tmp_path, store=STORE, push=PUSH.replace(right, wrong)))
    assert result.exit_code == 1
    told = [one for one in result.stdout.splitlines() if not one.endswith("(notice)")]
    assert len(told) == 1, told
    assert told[0].startswith(f"{tmp_path}/push.yaml:{line}: PushSecret pushed: "), told
    assert said in told[0]
    assert "canary" not in result.stdout + result.stderr


def test_push_without_mistakes_is_fine_and_what_it_needs_may_lie_elsewhere(tmp_path: Path) -> None:
    result = run_command("validate", written(tmp_path, store=STORE, push=PUSH))
    assert (result.exit_code, result.stdout) == (0, "")
    (tmp_path / "store.yaml").unlink()
    alone = run_command("validate", written(tmp_path, push=PUSH.partition("---")[2]))
    assert alone.exit_code == 0
    assert "SecretStore infisical is not in these files (notice)" in alone.stdout
    assert "what it pushes is not in these files (notice)" in alone.stdout


def test_every_mistake_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    """Also beside a file that is no YAML at all."""
    store = STORE.replace("my-project", "My Project").replace("/app", "/../app")
    resource = RESOURCE.replace("{key: KEY}", "{key: ../KEY}")
    result = run_command("validate", written(tmp_path, store=store, resource=resource, broken="a: [b"))
    assert result.exit_code == 1
    told = result.stdout.splitlines()
    assert len(told) == 4, told
    assert [one.removeprefix(f"{tmp_path}/").partition(".yaml")[0] for one in told] == [
        "broken",
        "resource",
        "store",
        "store",
    ]


def test_what_may_lie_elsewhere_is_a_notice(tmp_path: Path) -> None:
    """A store of another file, credentials that somebody else makes."""
    store_alone = STORE.partition("---")[0]
    assert "notice" in run_command("validate", written(tmp_path, resource=RESOURCE)).stdout
    result = run_command("validate", written(tmp_path, store=store_alone, resource=RESOURCE))
    assert result.exit_code == 0
    assert result.stdout.count("there is no Secret of this name in these files (notice)") == 2


@pytest.mark.statement("S90", "S91")
def test_several_ways_to_log_in_are_a_notice_that_names_the_one_used(tmp_path: Path) -> None:
    store = yaml.safe_load(STORE.partition("---")[0])
    store["spec"]["provider"]["infisical"]["auth"]["tokenAuthCredentials"] = {
        "accessToken": {"name": "login", "key": "token"}
    }
    result = run_command("validate", written(tmp_path, store=yaml.safe_dump(store)))
    assert result.exit_code == 0
    assert "universalAuthCredentials: of several blocks this one is used" in result.stdout


def test_credentials_that_are_no_text_are_a_mistake(tmp_path: Path) -> None:
    secret = yaml.safe_load(STORE.partition("---")[2])
    secret["data"] = {"clientId": base64.b64encode(b"\xff\xfe").decode()}
    del secret["stringData"]["clientId"]
    text = STORE.partition("---")[0] + "---\n" + yaml.safe_dump(secret)
    result = run_command("validate", written(tmp_path, store=text))
    assert result.exit_code == 1
    assert "store.yaml:11: " in result.stdout
    assert "no text" in result.stdout


def test_token_of_the_pod_may_be_named(tmp_path: Path) -> None:
    """The one file that needs no permission: and only where it is the service account's token that is asked for."""
    store, secret = yaml.safe_load_all(STORE)
    selectors = {
        "identityId": {"name": "login", "key": "clientId"},
        "serviceAccountTokenPath": {"name": "login", "key": "path"},
    }
    store["spec"]["provider"]["infisical"]["auth"] = {"kubernetesAuthCredentials": selectors}
    for path, code in (("/var/run/secrets/kubernetes.io/serviceaccount/token", 0), ("/etc/shadow", 1)):
        secret["stringData"]["path"] = f"{path}\n"
        result = run_command("validate", written(tmp_path, store=yaml.safe_dump_all([store, secret])))
        assert result.exit_code == code, result.stdout


def test_nothing_to_check_is_unusable(tmp_path: Path) -> None:
    """An empty directory, and a path that is not there."""
    assert run_command("validate", tmp_path).exit_code == 2
    missing = run_command("validate", tmp_path / "missing")
    assert missing.exit_code == 2
    assert "does not exist" in missing.stderr


def test_documented_examples_have_no_mistakes_of_form(tmp_path: Path) -> None:
    """Each by itself, the directory of the key file allowed; of what is not built yet that is said, and nothing else."""
    examples = Path(__file__).resolve().parents[2] / "reconciler" / "examples"
    for example in sorted(examples.glob("*.yaml")):
        allowed = ("--credential-directories", "/path/to")
        told = run_command("validate", *allowed, example).stdout.splitlines()
        unexpected = [
            one for one in told if "not built yet" not in one and "yet" not in one and "(notice)" not in one
        ]
        assert [one for one in unexpected if "is empty" not in one] == [], example.name
