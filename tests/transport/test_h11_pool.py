"""Who gets a connection, and which: decisions, without one."""

from __future__ import annotations

from hodei_k8s_transport.channels.h11_pool import IdlePool, Turns


def test_turns_are_given_in_the_order_of_the_line():
    turns: Turns[str] = Turns(2)
    assert [turns.take() for _ in range(3)] == [True, True, False]
    for waiter in "abc":
        turns.line_up(waiter)
    assert turns.everyone() == ["a", "b", "c"]
    assert [turns.give_back() for _ in range(3)] == ["a", "b", "c"]
    # The line is empty now, and both who had a turn at first still count.
    assert not turns.take()
    assert turns.give_back() is None
    assert turns.take()
    assert not turns.take()


def test_who_leaves_the_line_gets_no_turn():
    turns: Turns[str] = Turns(1)
    assert turns.take()
    for waiter in "abc":
        turns.line_up(waiter)
    assert turns.leave("b")
    assert turns.give_back() == "a"
    assert not turns.leave("a")  # it has its turn, and gives it back
    assert turns.give_back() == "c"
    assert turns.give_back() is None
    assert turns.take()


def test_the_connection_that_was_used_last_is_used_again():
    pool: IdlePool[str] = IdlePool(keep=3, expiry=30)
    assert [pool.put(link, now) for now, link in enumerate("abc")] == [None, None, None]
    assert [pool.take() for _ in range(4)] == ["c", "b", "a", None]


def test_what_there_is_no_room_for_is_the_oldest():
    pool: IdlePool[str] = IdlePool(keep=2, expiry=30)
    assert [pool.put(link, 0) for link in "abc"] == [None, None, "a"]
    assert list(pool.drain()) == ["b", "c"]
    assert pool.take() is None
    assert IdlePool[str](keep=0, expiry=30).put("a", 0) == "a"


def test_idle_connections_expire():
    pool: IdlePool[str] = IdlePool(keep=9, expiry=30)
    for now, link in ((0, "a"), (10, "b"), (20, "c")):
        pool.put(link, now)
    assert list(pool.expired(29.9)) == []
    assert list(pool.expired(40)) == ["a", "b"]
    assert pool.take() == "c"
