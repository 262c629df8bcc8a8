"""Manifests as their authors write them, and words that many scenarios use."""

from importlib.resources import files
from typing import Any

import yaml

from adapters.cluster import Kind, Object
from adapters.resources.kinds import KNOWN_KINDS

CREDENTIALS = "universal-auth-credentials"
API_KEY = "example-api-key-1"


def key(remote: str, secret_key: str = "key", **reference: Any) -> Object:
    """An entry of spec.data: a remote key, and under which key it goes into the Secret."""
    return {"secretKey": secret_key, "remoteRef": {"key": remote, **reference}}


def named(regexp: str, **find: Any) -> Object:
    """An entry of spec.dataFrom: what has a name like this."""
    return {"find": {"name": {"regexp": regexp}, **find}}


def example(name: str, kind: str) -> Object:
    """A document of the documented examples."""
    text = files("reconciler").joinpath("examples", f"{name}.yaml").read_text()
    return next(one for one in yaml.safe_load_all(text) if one["kind"] == kind)


def kind_named(name: str) -> Kind:
    """A kind by its name."""
    return next(kind for kind in KNOWN_KINDS if kind.name == name)
