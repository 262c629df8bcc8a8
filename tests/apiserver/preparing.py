"""What a test needs on a server before it begins: definitions that are in effect, users with rights."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path

import yaml

from tests.apiserver.client import ApiClient, ApiError, Object, Rule, eventually, path_of

DEPLOYED_CRDS = Path(__file__).parents[2] / "deploy" / "crds"
CRDS = "apiextensions.k8s.io/v1/customresourcedefinitions"
RBAC = "rbac.authorization.k8s.io"
SECONDS_TO_TAKE_EFFECT = 30.0

# What a server answers about a kind that is just being put up.
NOT_YET = {HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def read_crds(directory: Path = DEPLOYED_CRDS) -> list[Object]:
    """The definitions in a directory of YAML files (none where there is no such directory)."""
    files = sorted([*directory.glob("*.yaml"), *directory.glob("*.yml")])
    documents = [document for file in files for document in yaml.safe_load_all(file.read_text())]
    return [each for each in documents if each and each.get("kind") == "CustomResourceDefinition"]


async def install_crds(api: ApiClient, definitions: Iterable[Object]) -> None:
    """Applies them, and waits until each kind can be listed and watched.

    A definition just applied is 404 for a moment, although the server has it, and then refuses watches for a
    second with 429. Raises ApiError where the server does not take one.
    """

    async def install(definition: Object) -> None:
        await api.apply(definition)
        name = definition["metadata"]["name"]
        await api.until(CRDS, name, "", _is_established, SECONDS_TO_TAKE_EFFECT)
        spec = definition["spec"]
        for version in spec["versions"]:
            if version["served"]:
                resource = f"{spec['group']}/{version['name']}/{spec['names']['plural']}"
                await eventually(partial(_is_watchable, api, resource), SECONDS_TO_TAKE_EFFECT)

    await asyncio.gather(*(install(definition) for definition in definitions))


def _is_established(definition: Object | None) -> bool:
    conditions = (definition or {}).get("status", {}).get("conditions") or []  # it may be null at first
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


async def _is_watchable(api: ApiClient, resource: str) -> bool:
    try:
        await api.list(resource)
        return await api.watch_opens(resource)
    except ApiError as error:
        if error.status in NOT_YET:
            return False
        raise


async def make_service_account(
    api: ApiClient,
    namespace: str,
    name: str,
    *,
    rules: Sequence[Rule] = (),
    cluster_rules: Sequence[Rule] = (),
) -> str:
    """A service account with just these rights, in its namespace and everywhere; answers a token of it.

    A rule is as RBAC has it: `{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}`. It is in effect
    when this returns.
    """
    await api.create(_object("v1", "ServiceAccount", name, namespace))
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    unique = f"{namespace}-{name}"
    for kind, where, named, granted in (
        ("Role", namespace, name, rules),
        ("ClusterRole", "", unique, cluster_rules),
    ):
        if granted:
            version = f"{RBAC}/v1"
            await api.create(_object(version, kind, named, where) | {"rules": list(granted)})
            reference = {"apiGroup": RBAC, "kind": kind, "name": named}
            binding = {"roleRef": reference, "subjects": [subject]}
            await api.create(_object(version, f"{kind}Binding", named, where) | binding)
    token = await request_token(api, namespace, name)
    async with api.as_user(unique, token) as user:
        for granted, where in ((rules, namespace), (cluster_rules, "")):
            for rule in granted:
                await eventually(partial(_may, user, rule, where))
    return token


async def request_token(
    api: ApiClient, namespace: str, name: str, *, audiences: Sequence[str] = (), seconds: int = 3600
) -> str:
    """A token of a service account, by TokenRequest (600 seconds at least)."""
    path = path_of("v1/serviceaccounts", namespace, name, "token")
    spec: Object = {"expirationSeconds": seconds}
    if audiences:
        spec["audiences"] = list(audiences)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    token: str = (await api.request("POST", path, body))["status"]["token"]
    return token


async def _may(user: ApiClient, rule: Rule, namespace: str) -> bool:
    """Whether the first right of a rule is in effect (the server learns of new roles after a moment)."""
    attributes: Object = {"verb": rule["verbs"][0]}
    if namespace:
        attributes["namespace"] = namespace
    if "nonResourceURLs" in rule:
        spec = {"nonResourceAttributes": {"path": rule["nonResourceURLs"][0], "verb": rule["verbs"][0]}}
    else:
        plural, _, subresource = rule["resources"][0].partition("/")
        attributes |= {"group": rule["apiGroups"][0], "resource": plural, "subresource": subresource}
        attributes["name"] = next(iter(rule.get("resourceNames", [])), "")
        spec = {"resourceAttributes": attributes}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    path = path_of("authorization.k8s.io/v1/selfsubjectaccessreviews")
    return bool((await user.request("POST", path, review))["status"]["allowed"])


def _object(version: str, kind: str, name: str, namespace: str) -> Object:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
