"""Metrics for Prometheus: those that dashboards for External Secrets Operator read, and our own.

Labels are kinds, names and namespaces of resources, addresses of hosts, names of calls, states and lanes: nothing else
is let in, so that no value can get here. The series of a resource go away with it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from adapters.journal import Subject, Transition
from machines.effects import Effect
from machines.kernel import End, Then

MetricT = TypeVar("MetricT", Counter, Gauge)

PROVIDER: Final = "infisical"
_OWN: Final = "infisical_reconciler"
_RESOURCE: Final = ("name", "namespace")
_KINDS: Final = (
    "ExternalSecret",
    "PushSecret",
    "SecretStore",
    "ClusterSecretStore",
    "ClusterExternalSecret",
    "ClusterPushSecret",
)
_RESULTS: Final = {
    Then.REFRESH: "requeue_after",
    Then.BACKOFF: "error",
    Then.AGAIN: "requeue",
    Then.FORGET: "success",
    Then.NOTHING: "success",
}
_WAITING: Final = ("expectant", "waiting")
_STATUSES: Final = ("True", "False", "Unknown")
_EFFECT_BUCKETS: Final = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_FIRST_SYNC_BUCKETS: Final = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class HostFigures(NamedTuple):
    """One Infisical server: whether it is up, who waits for it, and how often and how long requests were held back for
    the sake of its limits (seconds, in all)."""

    up: bool
    waiting: int
    waits: int
    waited: float


class Levels(Collector):
    """Numbers that somebody else keeps, asked for when they are read. Until `controller` gave them there are none."""

    def __init__(self) -> None:
        self.depth: Callable[[], Mapping[str, int]] = dict
        self.running: Callable[[], Mapping[str, int]] = dict
        self.leases: Callable[[], int] = lambda: 0
        self.watches: Callable[[], Mapping[str, bool]] = dict
        self.hosts: Callable[[], Mapping[str, HostFigures]] = dict
        self.concurrency = 0
        self.leads: Callable[[], Mapping[str, bool]] = dict

    def collect(self) -> Iterator[Metric]:
        """The numbers as they are now."""
        depth, running = self.depth(), self.running()
        yield _family(f"{_OWN}_queue_depth", "Runs that wait, due or not, by lane.", ("lane",), depth)
        yield _family(
            "workqueue_depth", "Runs that wait, due or not.", ("name",), {_OWN: sum(depth.values())}
        )
        yield _family(
            "controller_runtime_active_workers",
            "Runs under way.",
            ("controller",),
            {kind.lower(): running.get(kind, 0) for kind in _KINDS},
        )
        yield _family(
            "controller_runtime_max_concurrent_reconciles",
            "How many runs may be under way, of all kinds together.",
            ("controller",),
            dict.fromkeys((kind.lower() for kind in _KINDS), self.concurrency),
        )
        yield GaugeMetricFamily(
            f"{_OWN}_leases_held", "Access tokens that are alive.", value=float(self.leases())
        )
        yield _family(
            f"{_OWN}_watch_synced",
            "1: this watch has delivered a whole list, and follows.",
            ("resource",),
            {name: int(synced) for name, synced in self.watches().items()},
        )
        yield _family(
            "leader_election_master_status",
            "1: this process leads; 0: it stands by. Of the Lease of this name; none without leader election.",
            ("name",),
            {name: int(leads) for name, leads in self.leads().items()},
        )
        yield from self._of_hosts()

    def _of_hosts(self) -> Iterator[Metric]:
        hosts = self.hosts()
        yield _family(
            f"{_OWN}_host_up",
            "1: this Infisical server answers; 0: it is down, and only probed.",
            ("host",),
            {host: int(figures.up) for host, figures in hosts.items()},
        )
        yield _family(
            f"{_OWN}_host_waiting",
            "Resources that wait until this Infisical server is back, or takes more requests.",
            ("host",),
            {host: figures.waiting for host, figures in hosts.items()},
        )
        waits = SummaryMetricFamily(
            f"{_OWN}_host_pace_wait_seconds",
            "Requests that were held back so that this server's limits are kept, or for its pauses.",
            labels=("host",),
        )
        for host, figures in hosts.items():
            waits.add_metric([host], figures.waits, figures.waited)
        yield waits


def _family(name: str, text: str, labels: tuple[str], values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label, value in values.items():
        family.add_metric([label], float(value))
    return family


class Metrics:
    """Is told what happens. It is a journal too: each transition tells how long its effect took."""

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # of the library
        self.registry = CollectorRegistry(auto_describe=False)
        self.levels = Levels()
        self.registry.register(self.levels)
        self._of_effects: dict[type[Effect], Histogram] = {}
        self._of_resources: dict[Subject, dict[tuple[Counter | Gauge, tuple[str, ...]], Counter | Gauge]] = {}
        self._sync_calls = self._counter(
            "externalsecret_sync_calls", "Runs of an ExternalSecret, but for those in which nothing was due."
        )
        # Gauges that only grow: their names, which dashboards know, lack the _total that the library gives a counter.
        self._sync_errors = self._gauge("externalsecret_sync_calls_error", "Of these, the ones that failed.")
        self._api_calls = Gauge(
            "externalsecret_provider_api_calls_count",
            "Requests to Infisical.",
            ("provider", "call", "status"),
            registry=self.registry,
        )
        self._conditions = {
            kind: Gauge(
                f"{kind.lower()}_status_condition",
                f"1: the condition of this {kind} has this status.",
                (*_RESOURCE, "condition", "status"),
                registry=self.registry,
            )
            for kind in _KINDS
        }
        self._durations = {
            kind: self._gauge(
                f"{kind.lower()}_reconcile_duration", "How long the last run took, in nanoseconds."
            )
            for kind in _KINDS
        }
        self._reconciles = Counter(
            "controller_runtime_reconcile", "Runs.", ("controller", "result"), registry=self.registry
        )
        self._reconcile_seconds = Histogram(
            "controller_runtime_reconcile_time_seconds",
            "How long a run took.",
            ("controller",),
            registry=self.registry,
        )
        self._ends = Counter(f"{_OWN}_runs", "Runs by their end.", ("kind", "end"), registry=self.registry)
        self._effects = Histogram(
            f"{_OWN}_effect_seconds",
            "How long an effect took.",
            ("effect",),
            buckets=_EFFECT_BUCKETS,
            registry=self.registry,
        )
        self._first_syncs = Histogram(
            f"{_OWN}_first_sync_seconds",
            "From the creation of an ExternalSecret until its Secret was there.",
            buckets=_FIRST_SYNC_BUCKETS,
            registry=self.registry,
        )
        self._defects = Counter(
            f"{_OWN}_defects",
            "Runs that ended by a defect of the program.",
            ("kind",),
            registry=self.registry,
        )

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, _RESOURCE, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, _RESOURCE, registry=self.registry)

    # --- what happens --------------------------------------------------------------------------------------

    def record(self, transition: Transition) -> None:
        """An effect was performed."""
        effect = type(transition.effect)
        series = self._of_effects.get(effect)
        if series is None:
            series = self._of_effects[effect] = self._effects.labels(effect.__name__)
        series.observe(transition.seconds)

    def run_over(self, subject: Subject, end: End, seconds: float) -> None:
        """A run came to its end."""
        kind, resource = str(subject.kind), (str(subject.name), str(subject.namespace))
        self._ends.labels(kind, end.name).inc()
        self._reconciles.labels(kind.lower(), _RESULTS[end.then]).inc()
        self._reconcile_seconds.labels(kind.lower()).observe(seconds)
        if end.then is Then.NOTHING:
            return
        if end.then is not Then.FORGET:
            self._remembered(subject, self._durations[kind], resource).set(seconds * 1e9)
        if kind == "ExternalSecret" and end.then is not Then.FORGET and end.name != "idle":
            self._remembered(subject, self._sync_calls, resource).inc()
            errors = self._remembered(subject, self._sync_errors, resource)
            if not end.good and end.name not in _WAITING:  # to wait for a store is no failure
                errors.inc()

    def condition(self, subject: Subject, condition: str, status: str) -> None:
        """A condition of a resource was written: `status` is True, False or Unknown."""
        gauge = self._conditions[subject.kind]
        for one in _STATUSES:
            labels = (str(subject.name), str(subject.namespace), condition, one)
            known = (gauge, labels) in self._of_resources.get(subject, ())
            if one == status or known:
                self._remembered(subject, gauge, labels).set(1.0 if one == status else 0.0)

    def first_sync(self, seconds: float) -> None:
        """The Secret of a new ExternalSecret is there, so many seconds after its creation."""
        self._first_syncs.observe(max(0.0, seconds))

    def api_call(self, call: str, ok: bool) -> None:
        """A request to Infisical was answered, or failed. `call`: see `reconciler.requests`."""
        self._api_calls.labels(PROVIDER, call, "success" if ok else "error").inc()

    def defect(self, subject: Subject) -> None:
        """A run ended by a defect of the program."""
        self._defects.labels(str(subject.kind)).inc()

    def forgotten(self, subject: Subject) -> None:
        """A resource is gone, and its series with it."""
        for metric, labels in self._of_resources.pop(subject, {}):
            metric.remove(*labels)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return prometheus_client.generate_latest(self.registry)

    def _remembered(self, subject: Subject, metric: MetricT, labels: tuple[str, ...]) -> MetricT:
        """The series of a resource, remembered so that it goes away with it."""
        known = self._of_resources.setdefault(subject, {})
        series = known.get((metric, labels))
        if series is None:
            series = known[metric, labels] = metric.labels(*labels)
        return series  # type: ignore[return-value]  # of the same type as its metric
