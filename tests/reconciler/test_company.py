"""When a refresh comes: never late, never much too early, and in time at its store's own point of the interval."""

import math

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from machines.external_secret import company_window
from machines.names import KindName, ResourceName
from machines.outcomes import StoreFacts, StoreState
from reconciler.company import Turn, turn_of
from tests.machines.observations import SETTLED

INTERVALS = st.floats(1.0, 86_400.0)
TIMES = st.floats(1.7e9, 1.9e9)


def turn(
    due: float, interval: float, store: str = "infisical", kind: str = "SecretStore", namespace: str = "a"
) -> Turn:
    """Of a resource of this store."""
    facts = StoreFacts(kind=KindName(kind), name=ResourceName(store), state=StoreState.READY)
    found = turn_of(msgspec.structs.replace(SETTLED, stores=(facts,), interval=interval), namespace, due)
    assert found is not None
    return found


@given(TIMES, INTERVALS)
def test_a_refresh_is_never_late_and_never_earlier_than_its_window(due: float, interval: float) -> None:
    found = turn(due, interval)
    window = company_window(interval)
    assert due - window - 1e-3 <= found.earliest <= found.at <= due
    assert due - found.at <= window / 2 + 1e-3


@given(st.lists(TIMES, min_size=2, max_size=5), INTERVALS, st.text("abc", min_size=1))
def test_what_one_store_serves_comes_together_after_some_rounds(
    times: list[float], interval: float, store: str
) -> None:
    """Wherever in the interval they began."""
    for _ in range(25):
        times = [turn(time + interval, interval, store).at for time in times]
    if interval <= 300:  # beyond that half a window is less than a twentieth of the interval
        apart = [abs(math.remainder(time - times[0], interval)) for time in times]
        assert max(apart) <= company_window(interval) / 2 + 1e-3


def test_stores_have_points_of_their_own() -> None:
    """A thousand stores that begin at the same moment are spread over half a window in the first round, then further."""
    first = {turn(1.8e9, 300.0, f"store-{number}").at for number in range(1000)}
    assert max(first) - min(first) > 14
    times = [1.8e9] * 1000
    for _ in range(25):
        times = [turn(time + 300.0, 300.0, f"store-{number}").at for number, time in enumerate(times)]
    tenths = {int(time % 300 // 30) for time in times}
    assert tenths == set(range(10))


def test_company_is_kept_by_store() -> None:
    """A SecretStore is its namespace's, a ClusterSecretStore serves all."""
    own = [turn(1.8e9, 60.0, namespace=namespace).company for namespace in ("a", "b")]
    shared = [
        turn(1.8e9, 60.0, kind="ClusterSecretStore", namespace=namespace).company for namespace in ("a", "b")
    ]
    assert own[0] != own[1]
    assert shared[0] == shared[1]
    assert turn(1.8e9, 60.0, "one").company != turn(1.8e9, 60.0, "other").company


def test_who_reads_no_store_has_no_company() -> None:
    assert turn_of(msgspec.structs.replace(SETTLED, stores=()), "a", 1.8e9) is None
