"""One writer at a time for a remote secret."""

import asyncio
import random

import pytest

from reconciler.name_locks import NameLocks, RemoteSecret
from tests.simulated_loop import simulated


def secret(name: str, folder: str = "/") -> RemoteSecret:
    """One of the usual project."""
    return RemoteSecret("https://app.infisical.com", "project", "dev", folder, name)


A, B, C = secret("A"), secret("B"), secret("C")


@simulated
async def test_one_after_the_other_in_the_order_of_coming() -> None:
    locks, order = NameLocks(), list[int]()

    async def writer(number: int) -> None:
        held = await locks.acquire([A])
        order.append(number)
        await asyncio.sleep(1)
        locks.release(held)

    await asyncio.gather(*(writer(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert asyncio.get_running_loop().time() == 5
    assert len(locks) == 0


@simulated
async def test_what_differs_in_any_part_is_another_secret() -> None:
    locks = NameLocks()
    others = [A._replace(**{part: "other"}) for part in A._fields]
    for each in (A, *others):
        await locks.acquire([each])
    assert len(locks) == 6


@simulated
async def test_it_is_told_what_is_held_each_once_and_sorted() -> None:
    locks = NameLocks()
    assert await locks.acquire([C, A, B, A]) == (A, B, C)
    assert await locks.acquire([]) == ()
    locks.release((A, B, C))
    assert len(locks) == 0


@simulated
async def test_orders_that_cross_do_not_wait_for_each_other() -> None:
    """Each order of three secrets, many times: one at a time, and all come to their end."""
    locks, chance = NameLocks(), random.Random(1)
    holding: dict[RemoteSecret, int] = {}

    async def writer(number: int) -> None:
        wanted = chance.sample([A, B, C], chance.randint(1, 3))
        held = await locks.acquire(wanted)
        assert set(held) == set(wanted)
        for each in held:
            assert each not in holding
            holding[each] = number
        await asyncio.sleep(chance.random())
        for each in held:
            del holding[each]
        locks.release(held)

    await asyncio.gather(*(writer(number) for number in range(200)))
    assert len(locks) == 0


@simulated
async def test_who_is_cancelled_while_waiting_gives_back_what_it_holds() -> None:
    """In the middle of several: what comes first is held already. Who waits behind goes on, and nothing is left."""
    locks = NameLocks()
    first = await locks.acquire([B])
    middle = asyncio.create_task(locks.acquire([A, B, C]))
    behind = asyncio.create_task(locks.acquire([A]))
    await asyncio.sleep(1)
    assert not behind.done()
    middle.cancel()
    with pytest.raises(asyncio.CancelledError):
        await middle
    assert await behind == (A,)
    locks.release(first)
    assert len(locks) == 1
    locks.release((A,))
    assert len(locks) == 0


@simulated
async def test_who_is_cancelled_in_the_moment_of_its_turn_leaves_it_to_the_next() -> None:
    """The lock was just let go for its sake."""
    locks = NameLocks()
    first = await locks.acquire([A])
    second = asyncio.create_task(locks.acquire([A]))
    third = asyncio.create_task(locks.acquire([A]))
    await asyncio.sleep(1)
    locks.release(first)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    locks.release(await asyncio.wait_for(third, 1))
    assert len(locks) == 0


@simulated
async def test_a_random_crowd_of_which_many_are_cancelled_leaves_nothing() -> None:
    locks, chance = NameLocks(), random.Random(2)
    holding: set[RemoteSecret] = set()

    async def writer() -> None:
        await asyncio.sleep(chance.random())
        held = await locks.acquire(chance.sample([A, B, C], chance.randint(1, 3)))
        try:
            assert holding.isdisjoint(held)
            holding.update(held)
            await asyncio.sleep(chance.random() / 10)
        finally:
            holding.difference_update(held)
            locks.release(held)

    tasks = [asyncio.create_task(writer()) for _ in range(300)]
    for task in chance.sample(tasks, 150):
        asyncio.get_running_loop().call_later(chance.random() * 5, task.cancel)
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(end) for end in ends} == {type(None), asyncio.CancelledError}
    assert len(locks) == 0
