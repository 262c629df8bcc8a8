"""What the program uses of kubernetes-asyncio, imported without its generated models and calls.

The library's `client/__init__` imports some eight hundred generated classes, one for each type and group of the
Kubernetes API: 70 MB and most of a second at each start. Objects are plain JSON here, so none of them is ever used.

Its packages are therefore put in place with an `__init__` that has not run yet. The modules in them that are wanted
are imported as usual, by their own names; nothing of the library is replaced or left out. The `__init__` runs as
soon as anybody asks its package for a name that it would define (`kubernetes_asyncio.client.V1Pod`).
"""

import importlib
import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

_PACKAGES = ("kubernetes_asyncio", "kubernetes_asyncio.client", "kubernetes_asyncio.client.models")


def _package(name: str) -> ModuleType:
    """A package whose `__init__` runs on demand; as it is where somebody imported it before."""
    if name in sys.modules:
        return sys.modules[name]
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    loader, package = spec.loader, module_from_spec(spec)

    def missing(attribute: str) -> Any:
        if find_spec(f"{name}.{attribute}") is not None:
            return importlib.import_module(f"{name}.{attribute}")
        del package.__dict__["__getattr__"]
        loader.exec_module(package)
        return getattr(package, attribute)

    package.__dict__["__getattr__"] = missing
    sys.modules[name] = package
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, package)
    return package


def _prepare() -> None:
    for name in _PACKAGES:
        _package(name)
    client = sys.modules["kubernetes_asyncio.client"]
    for module, attribute in (("configuration", "Configuration"), ("api_client", "ApiClient")):
        if attribute not in client.__dict__:  # asked for by the library's own modules in this place
            setattr(
                client, attribute, getattr(importlib.import_module(f"{client.__name__}.{module}"), attribute)
            )


_prepare()

from kubernetes_asyncio.client.api_client import ApiClient  # noqa: E402
from kubernetes_asyncio.client.configuration import Configuration  # noqa: E402
from kubernetes_asyncio.config.config_exception import ConfigException  # noqa: E402
from kubernetes_asyncio.config.incluster_config import (  # noqa: E402
    SERVICE_CERT_FILENAME,
    SERVICE_HOST_ENV_NAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)
from kubernetes_asyncio.config.kube_config import load_kube_config  # noqa: E402

__all__ = [
    "SERVICE_CERT_FILENAME",
    "SERVICE_HOST_ENV_NAME",
    "SERVICE_TOKEN_FILENAME",
    "ApiClient",
    "ConfigException",
    "Configuration",
    "InClusterConfigLoader",
    "load_kube_config",
]
