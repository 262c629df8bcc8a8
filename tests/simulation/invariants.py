"""What must hold at every moment of a simulated day. Each check has a sentence; the first that does not hold is told.

The checks hear of every request, every write of a controller and every line of its journal, and look at the cluster,
at the servers and at what the authors wanted: never at what the controller believes.
"""

import base64
import math
from collections import Counter
from collections.abc import Callable

from adapters.cluster import Done, Kind, Object, Written
from adapters.infisical.transport import Answer
from adapters.journal import Subject, Transition
from adapters.local.cluster import LocalCluster
from adapters.local.store import Key
from adapters.resources.kinds import EVENT, EXTERNAL_SECRET, SECRET
from adapters.resources.times import seconds_of
from machines.effects import Authenticate, Release
from machines.names import KindName, NamespaceName, ResourceName
from reconciler.conditions import ready_of
from reconciler.standin import Kind as Request
from tests.simulation.deadlines import Deadlines
from tests.simulation.patience import COMPANY, RECOVERY, SETTLING, SIGHT
from tests.simulation.population import Place, Population, Wanted
from tests.simulation.remote import Host
from tests.simulation.troubles import Troubles

WHOLE = "a Secret that is ours holds just the values that its remote keys had at some moment of the run"
KEPT = "no Secret is deleted or emptied by a controller, unless its resource is gone or has another target"
ALONE = "a resource never runs twice at the same time"
RELEASED = "each run that asks for a login releases it exactly once"
TOKENS = (
    "no more tokens are alive than leases, but for those whose holder was killed or whose revocation failed"
)
ONCE = "no token is revoked twice"
REVOKED = "who stops the program leaves no token alive but those whose revocation failed, which it says"
DUE = "a resource that is as it should be and not due is not read"
ASKED = "nothing is asked of a server but for a run that holds a claim"
TRUE = "Ready=True is said of a Secret that holds the values"
FALSE = "Ready=False is said of nobody for whom nothing is wrong"
STEADY = "in an outage the condition of a resource changes once, and is not written again and again"
PACED = "after a 429 nothing is sent to that host before the time it named"
COOL = "no resource runs in a hot loop"
DEFECT = "no run ends by a defect of the program"
WELL = "once all troubles are over, every resource is ready"

MORE = "more"
"""A key that people add to Secrets by hand."""


class Violation(AssertionError):  # it reads as what it is
    """An invariant that did not hold."""


class Invariants:
    """All checks. `violations` are kept, because some are noticed where an exception would be taken for a defect."""

    def __init__(
        self, cluster: LocalCluster, population: Population, troubles: Troubles, hosts: dict[str, Host]
    ) -> None:
        self.cluster = cluster
        self.population = population
        self.troubles = troubles
        self._hosts = hosts
        self.now = 0.0
        self.loop_time = 0.0
        self.violations: list[str] = []
        self.runs: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.transitions = 0
        self.ran: Counter[Subject] = Counter()
        self.deadlines = Deadlines(self)
        self.leases_alive: Callable[[], int] = lambda: 0
        self.stray_tokens = 0
        self.touched: dict[Place, float] = {}  # when a Secret was last changed by hand
        self._dead: dict[str, float] = {}  # since when a token is
        self._spoilt: set[Place] = set()  # those that no controller has written since
        self._run_of: dict[Subject, str] = {}
        self._began: dict[Subject, float] = {}
        self._claims: dict[tuple[str, int], int] = {}
        self._logins: Counter[str] = Counter()
        self._recent: Counter[tuple[Subject, int]] = Counter()
        self._outage_changes: Counter[tuple[Place, int]] = Counter()
        self._outage_writes: Counter[tuple[Place, int]] = Counter()
        self._told: dict[Place, str] = {}
        self.outage = 0  # the number of the outage of a whole host that lasts; 0: there is none
        self.outages = 0
        self.outage_host = ""
        self.outage_began = 0.0

    # --- what is told --------------------------------------------------------------------------------------

    def broken(self, sentence: str, detail: str) -> None:
        """An invariant does not hold."""
        self.violations.append(f"at {self.now:.3f}: {sentence}: {detail}")

    def killed(self) -> None:
        """The controller's process died, or was stopped: what ran does not run any more."""
        self._run_of.clear()
        self._began.clear()
        self._claims.clear()
        self._logins.clear()
        self.stray_tokens = sum(len(host.server.tokens_alive) for host in self._hosts.values())

    def by_hand(self, place: Place) -> None:
        """A person is about to change or delete a Secret."""
        self.touched[place] = self.now
        self._spoilt.add(place)

    # --- the journal ---------------------------------------------------------------------------------------

    def record(self, transition: Transition) -> None:
        """One line of the journal."""
        self.transitions += 1
        subject, run = transition.subject, transition.run
        if transition.step == 1:
            self._begin(transition)
        elif self._run_of.get(subject) != run:
            self.broken(ALONE, f"{subject}: {run} goes on while {self._run_of.get(subject)} runs")
        if isinstance(transition.effect, Authenticate):
            self._claim(transition, transition.effect.store)
        elif isinstance(transition.effect, Release):
            self._claims[run, transition.effect.store] = (
                self._claims.get((run, transition.effect.store), 0) - 1
            )
            if self._claims[run, transition.effect.store] != 0:
                self.broken(RELEASED, f"{subject}: released what was not claimed")
        if transition.end:
            self._end(transition)

    def _begin(self, transition: Transition) -> None:
        subject = transition.subject
        if subject in self._run_of:
            self.broken(ALONE, f"{subject}: {transition.run} begins while {self._run_of[subject]} runs")
        self._run_of[subject] = transition.run
        self._began[subject] = transition.at - transition.seconds
        if transition.to == "authenticate" and subject.kind == EXTERNAL_SECRET.name:
            self._is_due((subject.namespace, subject.name))

    def _claim(self, transition: Transition, store: int) -> None:
        claims = self._claims.get((transition.run, store), 0) + 1
        self._claims[transition.run, store] = claims
        if claims != 1:
            self.broken(RELEASED, f"{transition.subject}: claimed again without releasing")

    def _end(self, transition: Transition) -> None:
        subject = transition.subject
        self._run_of.pop(subject, None)
        self._began.pop(subject, None)
        for key in [key for key in self._claims if key[0] == transition.run]:
            if self._claims.pop(key):
                self.broken(RELEASED, f"{subject}: ended at {transition.to} without releasing")
        self.runs[transition.to] += 1
        self.ran[subject] += 1
        minute = (subject, int(self.now // 60))
        self._recent[minute] += 1
        if self._recent[minute] > 15:
            self.broken(
                COOL, f"{subject}: {self._recent[minute]} runs in a minute, the last to {transition.to}"
            )

    # --- requests ------------------------------------------------------------------------------------------

    def asked(self, host: Host, kind: Request) -> None:
        """A request is sent."""
        self.requests[kind.value] += 1
        if self.loop_time < host.closed_until - 0.001:
            self.broken(PACED, f"{kind.value} to {host.name}")
        if kind in (Request.LISTING, Request.SINGLE) and not self._run_of:
            self.broken(ASKED, f"{kind.value} at {host.name} while nothing runs")

    def answered(self, host: Host, kind: Request, answer: Answer | None) -> None:
        """An answer arrived, or will not."""
        good = answer is not None and answer.status == 200
        if kind is Request.REVOCATION and not good:
            self.stray_tokens += 1  # it may be tried again; then it is one too many, which does no harm
        if kind is Request.LOGIN and answer is None:
            self.stray_tokens += 1
        if kind in (Request.LOGIN, Request.REVOCATION):
            self._count_tokens()

    def _count_tokens(self) -> None:
        alive = 0
        for host in self._hosts.values():
            tokens = host.server.accounts.tokens
            for token in list(tokens.values()):
                if token.revocations > 1:
                    self.broken(ONCE, f"{token.identity.name}: {token.revocations} times")
                if token.alive and not token.expired:
                    alive += 1
                elif self._dead.setdefault(token.id, self.now) < self.now - 60.0:
                    del tokens[token.id], self._dead[token.id]
        held = self.leases_alive() + len(self.population.identities)  # some answers are still on their way
        if alive > held + self.stray_tokens:
            self.broken(TOKENS, f"{alive} alive, {self.leases_alive()} leases, {self.stray_tokens} strays")

    # --- writes --------------------------------------------------------------------------------------------

    def wrote(self, verb: str, kind: Kind, namespace: str, name: str, answer: Written) -> None:
        """A controller wrote to the cluster."""
        self.writes[f"{verb} {kind.name}"] += 1
        if kind == EVENT or not isinstance(answer, Done):
            return
        if kind == SECRET:
            self._secret_written(verb, (namespace, name), answer.object)
        elif kind == EXTERNAL_SECRET and verb == "patch_status" and answer.object is not None:
            self._status_written(answer.object)

    def _secret_written(self, verb: str, place: Place, secret: Object | None) -> None:
        if verb == "delete" or secret is None:
            owner = next(
                (one for one in self.population.wanted.values() if (one.namespace, one.target) == place), None
            )
            if owner is not None:
                self.broken(KEPT, f"Secret {place} of {owner.name}")
            return
        data = _data(secret)
        if not data:
            self.broken(KEPT, f"Secret {place} was emptied")
        owner_name = next((one["name"] for one in secret["metadata"].get("ownerReferences") or ()), "")
        if MORE not in data:
            self._spoilt.discard(place)
        if verb == "apply":
            if place in self._spoilt:
                del data[MORE]  # what others added may be taken off in a second write
            problem = self.population.problem(
                (place[0], owner_name), data, self._sight((place[0], owner_name))
            )
            if problem is not None:
                self.broken(WHOLE, f"Secret {place}: {problem}")

    def _sight(self, place: Place) -> float:
        began = self._began.get(_subject(place))
        return (self.now if began is None else began) - SIGHT

    def _status_written(self, resource: Object) -> None:
        metadata = resource["metadata"]
        place = (metadata["namespace"], metadata["name"])
        ready = ready_of(resource) or {}
        wanted = self.population.wanted.get(place)
        self._note_change(place, wanted, str(ready.get("status")))
        if wanted is None:
            return
        if ready.get("status") == "True":
            self._is_true(place, resource)
            self.deadlines.refreshed(wanted, resource)
        elif self.troubles.last(self.population.concerns(wanted)) < self.now - RECOVERY:
            self.broken(FALSE, f"{place}: {ready.get('message')}")

    def _is_true(self, place: Place, resource: Object, read: float | None = None) -> None:
        """Whether the Secret holds what was there when it was read (None: by the run under way)."""
        if (ready_of(resource) or {}).get("message") != "secret synced":
            return  # retained: the folder holds nothing
        target = (place[0], ((resource["spec"].get("target") or {}).get("name")) or place[1])
        began = self._began.get(_subject(place), self.now) if read is None else read
        if self.touched.get(target, -math.inf) >= self.population.known_since(began - SETTLING):
            return  # what was done to it by hand need not be known yet
        secret = self.cluster.store.get(Key(SECRET, *target))
        if secret is None:
            if self.troubles.last((("resource", *place),)) >= self.population.known_since(began - SETTLING):
                return  # the run was one of a resource that was deleted and made anew, as the watch will tell
            self.broken(TRUE, f"{place}: there is no Secret {target}")
        elif problem := self.population.problem(place, _data(secret), began - SIGHT):
            self.broken(TRUE, f"{place}: {problem}")

    def _note_change(self, place: Place, wanted: Wanted | None, status: str) -> None:
        before, self._told[place] = self._told.get(place), status
        if not self.outage or wanted is None:
            return
        scopes = [scope for scope in self.population.concerns(wanted) if scope[0] != "host"]
        if self.troubles.last(scopes) > self.outage_began - 60.0:
            return  # something else is or was wrong besides
        hosts = {
            store.folder.host
            for key in wanted.stores
            if (store := self.population.stores.get(key)) is not None
        }
        if hosts != {self.outage_host}:
            return
        self._outage_writes[place, self.outage] += 1
        self._outage_changes[place, self.outage] += before not in (None, status)
        if self._outage_changes[place, self.outage] > 1 or self._outage_writes[place, self.outage] > 3:
            self.broken(STEADY, f"{place}: {self._outage_writes[place, self.outage]} writes, now {status}")

    # --- what is due ---------------------------------------------------------------------------------------

    def _is_due(self, place: Place) -> None:
        """Whether the resource that begins to read has a reason to, as far as the cluster shows."""
        resource = self.cluster.store.get(Key(EXTERNAL_SECRET, *place))
        wanted = self.population.wanted.get(place)
        if resource is None or wanted is None:
            return
        status = resource.get("status") or {}
        refreshed = seconds_of(status.get("refreshTime") or "")
        synced = str(status.get("syncedResourceVersion", "")).partition("-")[0]
        target = (place[0], wanted.target)
        secret = self.cluster.store.get(Key(SECRET, *target))
        if refreshed is None or secret is None or synced != str(resource["metadata"]["generation"]):
            return
        if target in self._spoilt or (ready_of(resource) or {}).get("status") != "True":
            return
        if self.troubles.last((("cluster",), ("resource", *place))) > self.now - SETTLING:
            return
        early = min(COMPANY, wanted.interval / 10)
        if self.now < refreshed + wanted.interval - early - 1.0:
            self.broken(
                DUE, f"{place}: read {self.now - refreshed:.1f} s after it was, of {wanted.interval} s"
            )

    def tick(self) -> None:
        """Look at what had to happen until now."""
        self.deadlines.check()

    def all_well(self) -> None:
        """No trouble is left, and there was time to recover: everything has to be as it should be."""
        for place in self.population.wanted:
            resource = self.cluster.store.get(Key(EXTERNAL_SECRET, *place)) or {}
            ready = ready_of(resource) or {}
            if ready.get("status") != "True":
                self.broken(WELL, f"{place}: {ready.get('message')}")
                continue
            refreshed = seconds_of((resource.get("status") or {}).get("refreshTime") or "")
            self._is_true(place, resource, refreshed)

    def raise_first(self) -> None:
        """Raises Violation if there is one."""
        if self.violations:
            more = f" (and {len(self.violations) - 1} more)" if len(self.violations) > 1 else ""
            raise Violation(self.violations[0] + more)


def _subject(place: Place) -> Subject:
    return Subject(KindName(EXTERNAL_SECRET.name), NamespaceName(place[0]), ResourceName(place[1]))


def _data(secret: Object) -> dict[str, str]:
    return {key: base64.b64decode(text).decode() for key, text in (secret.get("data") or {}).items()}
