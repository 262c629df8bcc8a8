"""A manifest becomes a typed resource, or a list of everything that is wrong with it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cluster import Kind
from adapters.resources.auth_blocks import TokenAuthCredentials, UniversalAuthCredentials, blocks_given
from adapters.resources.cluster_resources import ClusterExternalSecret, ClusterPushSecret
from adapters.resources.external_secrets import CreationPolicy, DeletionPolicy, ExternalSecret, RefreshPolicy
from adapters.resources.faults import Faults
from adapters.resources.kinds import EXTERNAL_SECRET, OUR_KINDS, PUSH_SECRET, SECRET_STORE
from adapters.resources.parsing import parse, parse_as
from adapters.resources.push_secrets import PushSecret, UpdatePolicy
from adapters.resources.references import StoreKind
from adapters.resources.stores import DEFAULT_HOST, ClusterSecretStore, SecretStore, provider_name
from adapters.resources.structure import TYPES, AnyResource
from tests.resources.manifests import manifest, with_changes
from tests.resources.strategies import objects


def faults_of(answer: AnyResource | Faults) -> dict[str, str]:
    assert isinstance(answer, Faults)
    return {fault.path: fault.message for fault in answer.faults}


@pytest.mark.parametrize("kind", OUR_KINDS, ids=lambda kind: kind.name)
def test_a_small_object_of_each_kind(kind: Kind) -> None:
    assert isinstance(parse(kind, manifest(kind)), TYPES[kind])


def test_absent_fields_mean_what_the_documentation_says() -> None:
    resource = parse_as(ExternalSecret, manifest(EXTERNAL_SECRET))
    assert isinstance(resource, ExternalSecret)
    spec = resource.spec
    assert (spec.refresh_interval, spec.refresh_policy) == ("1h0m0s", RefreshPolicy.PERIODIC)
    assert (spec.target.creation_policy, spec.target.deletion_policy) == (
        CreationPolicy.OWNER,
        DeletionPolicy.RETAIN,
    )
    assert spec.target.name is None
    assert spec.secret_store_ref is not None
    assert spec.secret_store_ref.kind is StoreKind.SECRET_STORE
    assert spec.data[0].remote_ref.key == "PASSWORD"
    assert resource.metadata.name == "example"


def test_absent_fields_of_a_store() -> None:
    store = parse_as(SecretStore, manifest(SECRET_STORE))
    assert isinstance(store, SecretStore)
    infisical = store.spec.provider.infisical
    assert infisical is not None
    assert infisical.host_api == DEFAULT_HOST
    scope = infisical.secrets_scope
    assert (scope.secrets_path, scope.recursive, scope.expand_secret_references) == ("/", False, True)


def test_absent_fields_of_a_push_secret() -> None:
    push = parse_as(PushSecret, manifest(PUSH_SECRET))
    assert isinstance(push, PushSecret)
    assert push.spec.update_policy is UpdatePolicy.REPLACE
    assert push.spec.refresh_interval == "1h0m0s"


def test_the_first_auth_block_comes_first() -> None:
    token = {"tokenAuthCredentials": {"accessToken": {"name": "a", "key": "b"}}}
    universal = manifest(SECRET_STORE)["spec"]["provider"]["infisical"]["auth"]
    store = parse_as(
        SecretStore, with_changes(SECRET_STORE, {"spec.provider.infisical.auth": token | universal})
    )
    assert isinstance(store, SecretStore)
    assert store.spec.provider.infisical is not None
    blocks = blocks_given(store.spec.provider.infisical.auth)
    assert [type(block) for block in blocks] == [UniversalAuthCredentials, TokenAuthCredentials]


def test_a_store_of_another_provider_is_read_and_named() -> None:
    store = with_changes(SECRET_STORE, {"spec.provider": {"vault": {"server": "https://vault", "path": 7}}})
    parsed = parse_as(SecretStore, store)
    assert isinstance(parsed, SecretStore)
    assert parsed.spec.provider.infisical is None
    assert provider_name(store) == "vault"
    assert provider_name(manifest(SECRET_STORE)) == "infisical"
    assert provider_name({"spec": {}}) == ""


def test_every_mistake_is_told_at_once_and_where() -> None:
    mistakes = {
        "spec.data": [{"secretKey": "a b", "remoteRef": {"property": 3}}, {"secretKey": "c"}],
        "spec.target": {"creationPolicy": "Sometimes"},
        "spec.refreshInterval": 5,
    }
    told = faults_of(parse(EXTERNAL_SECRET, with_changes(EXTERNAL_SECRET, mistakes)))
    assert told == {
        "spec.data[0].secretKey": "must consist of letters, digits, '-', '_' and '.'",
        "spec.data[0].remoteRef.property": "must be a text, not a number",
        "spec.data[0].remoteRef.key": "required",
        "spec.data[1].remoteRef": "required",
        "spec.target.creationPolicy": "must be one of Owner, Orphan, Merge, None, CreateOrMerge",
        "spec.refreshInterval": "must be a text, not a number",
    }


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        (EXTERNAL_SECRET, "spec.refreshInterval", "5"),
        (SECRET_STORE, "spec.refreshInterval", -5),
        (SECRET_STORE, "spec.refreshInterval", "-5m"),
        (SECRET_STORE, "spec.retrySettings", {"retryInterval": "soon"}),
        (PUSH_SECRET, "spec.refreshInterval", "1 h"),
    ],
)
def test_a_duration_that_cannot_be_read_is_told(kind: Kind, path: str, value: Any) -> None:
    told = faults_of(parse(kind, with_changes(kind, {path: value})))
    assert [at.startswith(path) for at in told] == [True]


def test_malformed_metadata_is_told_without_its_values() -> None:
    told = faults_of(
        parse(EXTERNAL_SECRET, with_changes(EXTERNAL_SECRET, {"metadata.labels": {"a": 7654321}}))
    )
    assert [path.startswith("metadata.labels") for path in told] == [True]
    assert "7654321" not in str(told)


def test_a_message_never_holds_a_value_of_the_object() -> None:
    value = "s3cr3t value with spaces"
    wrong = {
        "spec.data": [{"secretKey": value, "remoteRef": value}],
        "spec.target": {"name": value, "template": {"engineVersion": value}},
    }
    answer = parse(EXTERNAL_SECRET, with_changes(EXTERNAL_SECRET, wrong))
    assert isinstance(answer, Faults)
    assert len(answer.faults) == 4
    assert value not in str(answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["spec", "metadata", "data", "provider"]) | st.text(max_size=3), inner, max_size=3
        )
    ),
)


@given(
    st.sampled_from(OUR_KINDS),
    st.dictionaries(st.sampled_from(["apiVersion", "kind", "metadata", "spec", "status"]), JSON),
)
def test_no_object_makes_it_raise(kind: Kind, object: dict[str, Any]) -> None:
    parse(kind, object)
    provider_name(object)


@given(st.data())
def test_no_nearly_right_object_makes_it_raise(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(OUR_KINDS))
    parsed = parse(kind, data.draw(objects(kind)))
    kinds = (
        SecretStore,
        ClusterSecretStore,
        ExternalSecret,
        ClusterExternalSecret,
        PushSecret,
        ClusterPushSecret,
    )
    assert isinstance(parsed, (Faults, *kinds))
