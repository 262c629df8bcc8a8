"""Leases: one login and one revocation, whatever happens to those who wait, hold and give back."""

import asyncio
import random

import pytest

from adapters.auth.login import MethodName
from adapters.infisical.client import Token
from adapters.infisical.lease_terms import LeaseKey, Unrevoked
from adapters.infisical.leases import Lease
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Cancelled, Denial, Denied, LeaseRefused, Service, Trouble, Unavailable
from reconciler.standin import ADMIN, Age, Kind, Slow, Status
from tests.adapters.infisical.access import EXPANDED, HOST, RETRY, Situation
from tests.simulated_loop import simulated


def logins(situation: Situation) -> tuple[int, int]:
    """Logins and revocations that the server saw."""
    counts = situation.counts()
    return counts[Kind.LOGIN], counts[Kind.REVOCATION]


@simulated
async def test_users_of_the_same_credentials_share_one_token_and_the_last_one_ends_it() -> None:
    situation = Situation()
    leases = await asyncio.gather(*(situation.acquire() for _ in range(100)))
    assert logins(situation) == (1, 0)
    assert len({lease.token for lease in leases}) == 1
    assert [lease.shared for lease in leases].count(False) == 1
    for lease in leases:
        situation.leases.release(lease)
        situation.leases.release(lease)  # more often does no harm
    assert logins(situation) == (1, 0)
    await asyncio.sleep(1.9)
    assert logins(situation) == (1, 0)
    await asyncio.sleep(0.2)
    assert logins(situation) == (1, 1)
    assert not situation.server.tokens_alive


@simulated
async def test_a_claim_during_the_linger_keeps_the_token() -> None:
    situation = Situation()
    first = await situation.acquire()
    situation.leases.release(first)
    await asyncio.sleep(1.5)
    second = await situation.acquire()
    await asyncio.sleep(60)
    assert second.token == first.token
    assert logins(situation) == (1, 0)
    situation.leases.release(second)
    await asyncio.sleep(3)
    assert logins(situation) == (1, 1)


@simulated
async def test_without_a_linger_the_last_release_revokes_at_once() -> None:
    situation = Situation(linger=0)
    for _ in range(3):
        situation.leases.release(await situation.acquire())
        await asyncio.sleep(0.001)
    assert logins(situation) == (3, 3)


@simulated
async def test_other_credentials_are_another_token() -> None:
    situation = Situation()
    first, second = await situation.acquire("1"), await situation.acquire("2")
    assert first.token != second.token
    assert logins(situation) == (2, 0)


@pytest.mark.parametrize("seed", range(20))
def test_half_of_a_hundred_are_cancelled_while_they_wait(seed: int) -> None:
    @simulated
    async def storm() -> None:
        chance = random.Random(seed)
        situation = Situation()
        situation.server.faults.plan(Kind.LOGIN, Slow(1.0))
        waiting = [asyncio.ensure_future(situation.acquire()) for _ in range(100)]
        for task in chance.sample(waiting, 50):
            await asyncio.sleep(chance.random() / 30)
            task.cancel()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        held = [result for result in results if isinstance(result, Lease)]
        cancelled = [result for result in results if isinstance(result, asyncio.CancelledError)]
        assert len(held) + len(cancelled) == 100
        chance.shuffle(held)
        for lease in held:
            situation.leases.release(lease)
        await asyncio.sleep(5)
        assert logins(situation) == (1, 1)
        assert not situation.server.tokens_alive

    storm()


@simulated
async def test_a_login_that_nobody_waits_for_any_more_is_revoked() -> None:
    situation = Situation()
    situation.server.faults.plan(Kind.LOGIN, Slow(1.0))
    waiting = [asyncio.ensure_future(situation.acquire()) for _ in range(10)]
    await asyncio.sleep(0.5)
    for task in waiting:
        task.cancel()
    await asyncio.sleep(10)
    assert all(task.cancelled() for task in waiting)
    assert logins(situation) == (1, 1)


@simulated
async def test_a_refused_login_answers_all_and_is_not_repeated_until_a_back_off_has_passed() -> None:
    situation = Situation()
    wrong = type(situation.credentials)(situation.credentials.client_id, "wrong")

    async def acquire(version: str = "1") -> object:
        return await situation.leases.acquire(
            situation.key(version), lambda: situation.log_in(wrong), situation.revoke
        )

    refused = Denied(what=Denial.CREDENTIALS)
    assert await asyncio.gather(*(acquire() for _ in range(50))) == [refused] * 50
    assert await acquire() == refused
    assert logins(situation) == (1, 0)
    assert await acquire("2") == refused  # the credentials changed: that is worth a try
    assert logins(situation) == (2, 0)
    await asyncio.sleep(31)
    assert await acquire() == refused
    assert logins(situation) == (3, 0)
    await asyncio.sleep(31)  # the back-off has doubled
    assert await acquire() == refused
    assert logins(situation) == (3, 0)


@simulated
async def test_a_locked_login_is_left_alone_and_says_for_how_long() -> None:
    situation = Situation()
    wrong = type(situation.credentials)(situation.credentials.client_id, "wrong")
    for _ in range(3):
        await situation.log_in(wrong)

    async def acquire() -> object:
        return await situation.leases.acquire(situation.key(), situation.log_in, situation.revoke)

    first = await acquire()
    assert isinstance(first, Unavailable)
    assert first.why is Trouble.LOCKED
    await asyncio.sleep(10)
    second = await acquire()
    assert isinstance(second, Unavailable)
    assert (second.why, second.after) == (Trouble.LOCKED, 20.0)
    assert logins(situation) == (4, 0)
    await asyncio.sleep(300)
    assert isinstance(await acquire(), Lease)


@simulated
async def test_a_host_that_did_not_answer_is_asked_again() -> None:
    situation = Situation()
    situation.server.faults.plan(Kind.LOGIN, Status(503), times=RETRY.attempts)
    failed = await situation.leases.acquire(situation.key(), situation.log_in, situation.revoke)
    assert failed == Unavailable(service=Service.INFISICAL, why=Trouble.FAULT, status=503)
    assert isinstance(await situation.acquire(), Lease)


@simulated
async def test_a_tainted_token_is_replaced_once_and_not_by_everyone() -> None:
    situation = Situation()
    first = await asyncio.gather(*(situation.acquire() for _ in range(20)))
    second = []
    for lease in first:
        situation.leases.release(lease, tainted=True)
        second.append(await situation.acquire())
    assert len({lease.number for lease in second}) == 1
    assert second[0].token != first[0].token
    for lease in second:
        situation.leases.release(lease)
    await asyncio.sleep(3)
    assert logins(situation) == (2, 2)


@simulated
async def test_a_token_near_the_end_of_its_age_is_not_given_out() -> None:
    situation = Situation()
    brief = situation.server.add_universal_auth(situation.server.add_identity("brief"), ttl=40, max_ttl=40)
    first = await situation.acquire(credentials=brief)
    await asyncio.sleep(29)
    second = await situation.acquire(credentials=brief)
    assert second.token == first.token
    await asyncio.sleep(2)
    third = await situation.acquire(credentials=brief)
    assert third.token != first.token
    for lease in (first, second, third):
        situation.leases.release(lease)
    await asyncio.sleep(3)
    assert logins(situation) == (2, 2)


@pytest.mark.parametrize("age", Age)
def test_tokens_with_few_uses_are_shared_by_fewer_once_that_is_known(age: Age) -> None:
    @simulated
    async def rounds() -> None:
        situation = Situation(age)
        identity = situation.server.add_identity("limited", {situation.remote: ADMIN})
        limited = situation.server.add_universal_auth(identity, uses=3)
        situation.remote.set_secret("dev", "/", "A", "1")

        async def run() -> bool:
            for _ in range(2):
                reader = await situation.reader(credentials=limited)
                place = await situation.place(reader)
                found = await situation.client.read(reader.lease.token, place, EXPANDED, "A", RETRY)
                refused = isinstance(found, LeaseRefused)
                situation.leases.release(reader.lease, tainted=refused)
                if not refused:
                    return True
            return False

        (warm_up,) = await asyncio.gather(run())
        assert warm_up
        await asyncio.sleep(5)
        await asyncio.gather(*(run() for _ in range(12)))  # learns
        await asyncio.sleep(5)
        assert all(await asyncio.gather(*(run() for _ in range(12))))
        await asyncio.sleep(5)
        assert not situation.server.tokens_alive

    rounds()


@simulated
async def test_a_token_that_the_user_made_is_never_revoked() -> None:
    situation = Situation(linger=0)
    token = SecretText(situation.server.add_token(situation.server.add_identity("made")))
    key = LeaseKey(HOST, None, MethodName.TOKEN, ())

    async def given() -> Token:
        return Token(token, 0)

    lease = await situation.leases.acquire(key, given, None)
    assert isinstance(lease, Lease)
    situation.leases.release(lease)
    assert await situation.leases.close() == ()
    assert logins(situation) == (0, 0)


@simulated
async def test_closing_revokes_everything_at_once_and_in_parallel() -> None:
    situation = Situation(linger=60)
    resting = await situation.acquire("1")
    situation.leases.release(resting)
    await situation.acquire("2")
    situation.server.faults.plan(Kind.REVOCATION, Slow(3.0), times=None)
    began = asyncio.get_running_loop().time()
    assert await situation.leases.close() == ()
    assert asyncio.get_running_loop().time() - began == pytest.approx(3.0)
    assert logins(situation) == (2, 2)
    assert await situation.leases.acquire(situation.key(), situation.log_in, situation.revoke) == Cancelled()


@simulated
async def test_closing_in_the_middle_of_a_login_revokes_its_token() -> None:
    situation = Situation()
    situation.server.faults.plan(Kind.LOGIN, Slow(4.0))
    waiting = asyncio.ensure_future(situation.acquire())
    await asyncio.sleep(1)
    assert await situation.leases.close() == ()
    assert logins(situation) == (1, 1)
    lease = await waiting
    situation.leases.release(lease)
    assert not situation.server.tokens_alive


@simulated
async def test_closing_says_what_it_could_not_revoke_in_time_by_host_and_method() -> None:
    situation = Situation()
    lease = await situation.acquire()
    situation.server.faults.plan(Kind.REVOCATION, Slow(30.0), times=None)
    unrevoked = await situation.leases.close(limit=10)
    assert unrevoked == (Unrevoked(HOST, MethodName.UNIVERSAL),)
    assert asyncio.get_running_loop().time() == pytest.approx(10.0)
    assert lease.token.reveal() not in repr(unrevoked)


@simulated
async def test_a_login_that_outlasts_closing_is_told_as_cancelled() -> None:
    situation = Situation()
    situation.server.faults.plan(Kind.LOGIN, Slow(30.0))
    waiting = asyncio.ensure_future(
        situation.leases.acquire(situation.key(), situation.log_in, situation.revoke)
    )
    await asyncio.sleep(1)
    await situation.leases.close(limit=5)
    assert await waiting == Cancelled()


@simulated
async def test_a_revocation_that_fails_is_told_and_raises_nowhere() -> None:
    situation = Situation(linger=0)
    lease = await situation.acquire()
    situation.server.faults.plan(Kind.REVOCATION, Status(503), times=None)
    situation.leases.release(lease)
    await asyncio.sleep(600)
    assert situation.unrevoked == []  # it is still tried
    await asyncio.sleep(3000)
    failure = Unavailable(service=Service.INFISICAL, why=Trouble.FAULT, status=503)
    assert situation.unrevoked == [Unrevoked(HOST, MethodName.UNIVERSAL, failure)]
    assert situation.leases.alive == 0


@simulated
async def test_a_revocation_that_fails_is_made_up_for_when_the_server_is_back() -> None:
    situation = Situation(linger=0)
    lease = await situation.acquire()
    situation.server.faults.plan(Kind.REVOCATION, Status(503), times=None)
    situation.leases.release(lease)
    await asyncio.sleep(300)
    assert situation.leases.alive == len(situation.server.tokens_alive) == 1
    situation.server.faults.clear()
    await asyncio.sleep(400)
    assert situation.leases.alive == len(situation.server.tokens_alive) == 0
    assert situation.unrevoked == []


@simulated
async def test_closing_tries_once_more_to_revoke_and_does_not_wait_for_the_next_time() -> None:
    situation = Situation(linger=0)
    lease = await situation.acquire()
    situation.server.faults.plan(Kind.REVOCATION, Status(503), times=None)
    situation.leases.release(lease)
    await asyncio.sleep(300)
    situation.server.faults.clear()
    began = asyncio.get_running_loop().time()
    assert await situation.leases.close(limit=10) == ()
    assert asyncio.get_running_loop().time() - began < 1
    assert len(situation.server.tokens_alive) == 0


@simulated
async def test_nothing_about_a_lease_shows_its_token() -> None:
    situation = Situation()
    lease = await situation.acquire()
    shown = f"{lease!r} {lease} {lease.token} {lease.token!r} {situation.leases!r} {situation.client!r}"
    assert lease.token.reveal() not in shown
