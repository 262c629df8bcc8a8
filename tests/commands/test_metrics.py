"""Metrics, by the names that dashboards read; and the endpoints that serve them."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters.infisical.transport import Request
from adapters.journal import Subject
from machines.kernel import End
from machines.names import KindName, NamespaceName, ResourceName
from machines.registry import MACHINES
from reconciler.endpoints import UnusableAddress, address_of, endpoints
from reconciler.metrics import HostFigures, Metrics
from reconciler.requests import call_of
from reconciler.transitions_seen import RecentTransitions
from tests.commands.conftest import beside

ONE = Subject(KindName("ExternalSecret"), NamespaceName("shop"), ResourceName("one"))
TWO = Subject(KindName("ExternalSecret"), NamespaceName("shop"), ResourceName("two"))
WIDE = Subject(KindName("ClusterSecretStore"), NamespaceName(""), ResourceName("wide"))


def end(name: str, machine: str = "ExternalSecret") -> End:
    """An end of a machine."""
    return next(state for state in MACHINES[machine].states if isinstance(state, End) and state.name == name)


def series(metrics: Metrics) -> dict[str, float]:
    """All series with their values."""
    lines = [line for line in metrics.text().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_runs_are_counted_by_the_names_that_dashboards_know() -> None:
    """Calls, errors, durations in nanoseconds, results; a run in which nothing was due is no call."""
    metrics = Metrics()
    for name in ("ready", "error", "waiting", "idle"):
        metrics.run_over(ONE, end(name), 0.5)
    found = series(metrics)
    of_one = '{name="one",namespace="shop"}'
    assert found[f"externalsecret_sync_calls_total{of_one}"] == 3
    assert found[f"externalsecret_sync_calls_error{of_one}"] == 1
    assert found[f"externalsecret_reconcile_duration{of_one}"] == 5e8
    assert found['controller_runtime_reconcile_total{controller="externalsecret",result="error"}'] == 2
    assert found['controller_runtime_reconcile_time_seconds_count{controller="externalsecret"}'] == 4
    assert found['infisical_reconciler_runs_total{end="ready",kind="ExternalSecret"}'] == 1


def test_condition_has_one_status_at_a_time() -> None:
    """The status of before is 0, and not gone, so that a dashboard sees it change."""
    metrics = Metrics()
    metrics.condition(ONE, "Ready", "False")
    metrics.condition(ONE, "Ready", "True")
    metrics.condition(WIDE, "Ready", "True")
    found = series(metrics)
    name = 'externalsecret_status_condition{condition="Ready",name="one",namespace="shop"'
    assert (found[f'{name},status="True"}}'], found[f'{name},status="False"}}']) == (1, 0)
    assert f'{name},status="Unknown"}}' not in found
    wide = 'clustersecretstore_status_condition{condition="Ready",name="wide",namespace="",status="True"}'
    assert found[wide] == 1


def test_series_of_a_resource_go_away_with_it() -> None:
    """All of its own, and none of another's."""
    metrics = Metrics()
    for subject in (ONE, TWO):
        metrics.run_over(subject, end("error"), 0.5)
        metrics.condition(subject, "Ready", "False")
    metrics.forgotten(ONE)
    found = series(metrics)
    assert not [name for name in found if 'name="one"' in name]
    assert len([name for name in found if 'name="two"' in name]) == 4
    metrics.forgotten(ONE)
    metrics.run_over(ONE, end("gone"), 0.1)
    assert not [name for name in series(metrics) if 'name="one"' in name]


def test_levels_are_asked_for_when_they_are_read() -> None:
    """Queue, runs under way, tokens, watches."""
    metrics = Metrics()
    depth = {"change": 1, "retry": 0, "refresh": 2}
    metrics.levels.depth = lambda: depth
    metrics.levels.running = lambda: {"ExternalSecret": 4}
    metrics.levels.leases = lambda: 3
    metrics.levels.watches = lambda: {"secrets": True, "pushsecrets": False}
    metrics.levels.hosts = lambda: {
        "https://one.example": HostFigures(True, 0, 0, 0.0),
        "https://two.example": HostFigures(False, 12, 5, 61.5),
    }
    metrics.levels.concurrency = 256
    depth["change"] = 5
    found = series(metrics)
    assert found['infisical_reconciler_queue_depth{lane="change"}'] == 5
    assert found['workqueue_depth{name="infisical_reconciler"}'] == 7
    assert found['controller_runtime_active_workers{controller="externalsecret"}'] == 4
    assert found['controller_runtime_max_concurrent_reconciles{controller="secretstore"}'] == 256
    assert found["infisical_reconciler_leases_held"] == 3
    assert found['infisical_reconciler_watch_synced{resource="pushsecrets"}'] == 0
    assert found['infisical_reconciler_host_up{host="https://one.example"}'] == 1
    assert found['infisical_reconciler_host_up{host="https://two.example"}'] == 0
    assert found['infisical_reconciler_host_waiting{host="https://two.example"}'] == 12
    waits = "infisical_reconciler_host_pace_wait_seconds"
    assert found[f'{waits}_count{{host="https://two.example"}}'] == 5
    assert found[f'{waits}_sum{{host="https://two.example"}}'] == 61.5


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        ("POST", "/api/v1/auth/universal-auth/login", "MachineIdentityLoginViaUniversalAuth"),
        ("POST", "/api/v1/auth/token/revoke", "RevokeAccessToken"),
        ("GET", "/api/v1/projects/slug/my-project", "GetWorkspaceBySlug"),
        ("GET", "/api/v2/workspace/my-project", "GetWorkspaceBySlug"),
        ("GET", "/api/v4/secrets", "GetSecretsV3"),
        ("GET", "/api/v3/secrets/raw", "GetSecretsV3"),
        ("GET", "/api/v4/secrets/FOO", "GetSecretByKeyV3"),
        ("GET", "/api/v3/secrets/raw/FOO", "GetSecretByKeyV3"),
        ("GET", "/api/v4/secrets/raw", "GetSecretByKeyV3"),
        ("GET", "/api/status", "Other"),
    ],
)
def test_requests_have_the_names_that_dashboards_know(method: str, path: str, call: str) -> None:
    """Whatever version of a route a server has."""
    assert call_of(Request(method=method, path=path)) == call


def test_requests_are_counted_by_status() -> None:
    """Success and error."""
    metrics = Metrics()
    metrics.api_call("GetSecretsV3", True)
    metrics.api_call("GetSecretsV3", False)
    name = 'externalsecret_provider_api_calls_count{call="GetSecretsV3",provider="infisical",status='
    found = series(metrics)
    assert (found[f'{name}"success"}}'], found[f'{name}"error"}}']) == (1, 1)


@contextmanager
def served(reasons: list[str]) -> Iterator[str]:
    """The endpoints of a controller that is not ready for some reasons."""
    metrics = Metrics()
    with beside(lambda: endpoints("127.0.0.1:0", lambda: reasons, metrics, RecentTransitions())) as address:
        yield f"http://{address}"


def test_not_ready_says_why() -> None:
    """And is alive all the same."""
    reasons = ["secrets: not listed yet"]
    with served(reasons) as url:
        assert urllib.request.urlopen(f"{url}/healthz", timeout=5).status == 200
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}/readyz", timeout=5)
        with refused.value as answer:
            assert (answer.code, answer.read()) == (503, b"secrets: not listed yet\n")
        reasons.clear()
        assert urllib.request.urlopen(f"{url}/readyz", timeout=5).read() == b"ok\n"
        metrics = urllib.request.urlopen(f"{url}/metrics", timeout=5)
        assert metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert b"infisical_reconciler_leases_held 0.0" in metrics.read()


@pytest.mark.parametrize("listen", ["8080", ":8080", "here", "127.0.0.1:port", "127.0.0.1:70000", "host:"])
def test_address_that_is_none_is_told(listen: str) -> None:
    """With what to write instead."""
    with pytest.raises(UnusableAddress, match=r"write HOST:PORT, such as 127\.0\.0\.1:8080"):
        address_of(listen)


def test_addresses_of_both_families() -> None:
    """An IPv6 address stands in brackets."""
    assert address_of("0.0.0.0:80") == ("0.0.0.0", 80)
    assert address_of("[::1]:8080") == ("::1", 8080)
