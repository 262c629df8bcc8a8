"""What an operator is told of watches: a sentence for `/readyz`, and a line in the log when something begins or ends."""

import structlog

from adapters.cluster import Absent, Denied, Expired, Refused, Selection, Unavailable
from adapters.watcher import Problem, Silent, Watcher

log = structlog.get_logger()


def name_of(selection: Selection) -> str:
    """What a watch is called."""
    return f"{selection.kind.plural} (managed)" if selection.labels else selection.kind.plural


def not_ready(watcher: Watcher) -> str | None:
    """Why a watch does not follow; None: it does."""
    name, health = name_of(watcher.selection), watcher.health
    if health.problem is not None:
        return f"{name}: {why(health.problem)}"
    return None if health.synced else f"{name}: not listed yet"


def told(selection: Selection, problem: Problem | None) -> None:
    """A line for each problem that begins, and one when the watch follows again."""
    name = name_of(selection)
    if problem is None:
        log.info("a watch follows", resource=name)
    elif isinstance(problem, Expired):
        log.info("a watch is begun anew", resource=name, why=why(problem))
    else:
        log.warning("a watch does not follow", resource=name, why=why(problem))


def why(problem: Problem) -> str:
    """What is wrong with a watch, and what to do about it."""
    match problem:
        case Absent():
            return "this kind is not installed in the cluster; apply the CRDs"
        case Denied(verb=verb, resource=resource):
            return f"the controller may not {verb} {resource}: check its ClusterRole"
        case Silent(seconds=seconds):
            return (
                f"nothing was heard for {seconds:.0f} s, so it is opened anew: does a proxy or firewall on the way to the "
                "API server forget connections?"
            )
        case Expired():
            return "the API server no longer has the changes since the last list; it is listed anew"
        case Refused():
            return "the API server refuses the request: is something in between that changes it?"
        case Unavailable():
            return _unavailable(problem.status)


def _unavailable(status: int) -> str:
    match status:
        case 0:
            return "the API server does not answer as it should: is it running, and is the way to it open?"
        case 401:
            return (
                "the API server does not take the controller's token (HTTP 401): check its service account, or the "
                "user in the kubeconfig"
            )
        case 429:
            return "the API server limits requests (HTTP 429); it is asked again when it said"
    if status < 400:
        return f"something in between redirects (HTTP {status}), which is not followed: check the server's address"
    return f"the API server has a fault (HTTP {status}); it is asked again, less and less often"
