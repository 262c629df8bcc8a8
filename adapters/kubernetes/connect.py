"""Finding the API server: by KUBECONFIG, by the service account of the pod, or by ~/.kube/config."""

import datetime
import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from adapters.kubernetes.api import KubernetesCluster
from adapters.kubernetes.library import (
    SERVICE_CERT_FILENAME,
    SERVICE_HOST_ENV_NAME,
    SERVICE_TOKEN_FILENAME,
    ConfigException,
    Configuration,
    InClusterConfigLoader,
    load_kube_config,
)
from adapters.kubernetes.requests import Connection, NoCluster, Refresh
from adapters.proxies import proxy_of_environment

_CONNECTIONS = 48
"""At most, watches included. Each TLS connection holds 0.3 MB, and more of them make no API server faster."""
_LONG_AGO = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - the library compares it with a naive now


async def connect(environment: Mapping[str, str], *, home: Path | None = None) -> KubernetesCluster:
    """The cluster that the environment names: KUBECONFIG, else the pod's service account, else ~/.kube/config.

    No request is sent. Raises NoCluster.
    """
    named = environment.get("KUBECONFIG", "")
    default = (home or Path.home()) / ".kube" / "config"
    if named:
        configuration, refresh, namespace = await _from_file(named)
    elif environment.get(SERVICE_HOST_ENV_NAME):
        configuration, refresh, namespace = _from_pod(environment)
    elif default.exists():
        configuration, refresh, namespace = await _from_file(str(default))
    else:
        raise NoCluster(
            "No cluster to work on: KUBECONFIG is not set, this is not a pod, and there is no"
            f" {default}. Set KUBECONFIG to a kubeconfig file, or name a directory of manifests by --local."
        )
    configuration.connection_pool_maxsize = _CONNECTIONS
    if configuration.proxy is None:
        configuration.proxy = proxy_of_environment(configuration.host or "")
    try:
        return KubernetesCluster(Connection(configuration, refresh), namespace)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise NoCluster(
            f"The certificates for the cluster {configuration.host} cannot be used: {error}"
        ) from error


def is_in_pod(environment: Mapping[str, str]) -> bool:
    """Whether the cluster that the environment names is the one that this process is a pod of."""
    return not environment.get("KUBECONFIG") and bool(environment.get(SERVICE_HOST_ENV_NAME))


async def _from_file(paths: str) -> tuple[Configuration, Refresh, str]:
    configuration = Configuration()
    namespace = ""

    async def load() -> None:
        """Read everything anew: the file itself, a token file that it names, or its credential plugin."""
        nonlocal namespace
        try:
            # persist_config would write a token that an OIDC provider renewed back into the user's file
            loader = await load_kube_config(
                config_file=paths, client_configuration=configuration, persist_config=False
            )
            namespace = (loader.current_context or {}).get("context", {}).get("namespace") or ""
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f", line {mark.line + 1}" if mark is not None else ""
            raise NoCluster(f"The kubeconfig {paths} is not readable YAML{line}.") from error
        except ConfigException as error:
            raise NoCluster(f"The kubeconfig {paths} cannot be used: {error}") from error
        except OSError as error:
            raise NoCluster(
                f"The kubeconfig {paths}, or a file or plugin that it names, cannot be read: {error.strerror}"
            ) from error
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise NoCluster(f"The kubeconfig {paths} lacks something, or has it in a wrong form.") from error

    if not any(os.path.exists(os.path.expanduser(path)) for path in paths.split(os.pathsep)):  # noqa: ASYNC240
        raise NoCluster(f"The kubeconfig {paths} does not exist.")
    await load()
    return configuration, load, namespace


def _from_pod(environment: Mapping[str, str]) -> tuple[Configuration, Refresh, str]:
    loader = InClusterConfigLoader(
        token_filename=SERVICE_TOKEN_FILENAME,
        cert_filename=SERVICE_CERT_FILENAME,
        environ=dict(environment),
    )
    configuration = Configuration()
    try:
        loader.load_and_set(configuration)
    except (ConfigException, OSError) as error:
        raise NoCluster(f"The pod's service account cannot be used: {error}") from error

    async def read_token() -> None:
        """Read the token file now; by itself the library reads it once a minute."""
        loader.token_expires_at = _LONG_AGO
        try:
            await configuration.get_api_key_with_prefix("BearerToken")
        except (ConfigException, OSError) as error:
            raise NoCluster(f"The pod's service account cannot be used: {error}") from error

    try:
        namespace = Path(SERVICE_TOKEN_FILENAME).with_name("namespace").read_text().strip()
    except OSError:
        namespace = ""
    return configuration, read_token, namespace
