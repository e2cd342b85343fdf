"""Turns and limits: no client keeps the others out, and no message takes more memory than is allowed."""

import asyncio
import json
import time

import pytest
from bokeh.protocol import Protocol
from bokeh.protocol.exceptions import ValidationError

from workbench.ui.server import fairness
from workbench.ui.server.fairness import Gate, LimitedReceiver, TooMany


def built_by(clients, *, seconds=0.0, gate=None):
    """Let all the clients ask at once, in this order; return the order in which they were served."""
    gate = gate or Gate()
    order = []

    async def visit(client):
        async with gate.turn(client):
            order.append(client)
            await asyncio.sleep(seconds)

    async def everybody():
        await asyncio.gather(*(visit(client) for client in clients))

    asyncio.run(everybody())
    return order


def test_a_client_with_many_pages_waits_for_the_others():
    order = built_by(["greedy"] * 10 + ["modest"])
    assert order.index("modest") <= 2, "the second client is served after at most one more page of the first"
    assert sorted(order) == ["greedy"] * 10 + ["modest"]


def test_one_page_at_a_time():
    gate, inside, most = Gate(), 0, 0

    async def visit(client):
        nonlocal inside, most
        async with gate.turn(client):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1

    async def everybody():
        await asyncio.gather(*(visit(str(k % 3)) for k in range(12)))

    asyncio.run(everybody())
    assert most == 1


def test_after_a_page_the_loop_belongs_to_everybody_for_as_long():
    gate, gaps = Gate(), []

    async def visit():
        async with gate.turn("a"):
            started = asyncio.get_running_loop().time()
            if gaps:
                gaps[-1] = started - gaps[-1]
            await asyncio.sleep(0.02)
            gaps.append(asyncio.get_running_loop().time())

    async def everybody():
        await asyncio.gather(*(visit() for _ in range(5)))

    asyncio.run(everybody())
    assert all(gap >= 0.019 for gap in gaps[:-1]), gaps


def test_others_are_heard_between_pages_that_hold_the_loop():
    gate, waits = Gate(), []

    async def client():
        for _ in range(3):
            async with gate.turn("a"):
                time.sleep(0.02)  # as the building of a page does, on purpose: nobody else runs meanwhile

    async def somebody_else():
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            waits.append(time.perf_counter() - started)

    async def everybody():
        other = asyncio.ensure_future(somebody_else())
        await asyncio.gather(*(client() for _ in range(4)))
        other.cancel()

    asyncio.run(everybody())
    assert len(waits) > 12, "somebody else ran between any two pages"


def test_too_many_at_once_are_told_to_come_back():
    gate = Gate(most_waiting=3)

    async def ask():
        async with gate.turn("a"):
            await asyncio.sleep(0)

    async def everybody():
        return await asyncio.gather(*(ask() for _ in range(5)), return_exceptions=True)

    answers = asyncio.run(everybody())
    assert [isinstance(answer, TooMany) for answer in answers] == [False] * 3 + [True] * 2
    assert "close some" in str(answers[-1])


def test_a_page_that_fails_or_is_given_up_lets_the_next_one_through():
    gate = Gate()

    async def fail():
        async with gate.turn("a"):
            await asyncio.sleep(0.01)
            raise RuntimeError("broken app")

    async def wait():
        async with gate.turn("a"):
            return True

    async def everybody():
        tasks = [asyncio.ensure_future(fail()), asyncio.ensure_future(wait()), asyncio.ensure_future(wait())]
        await asyncio.sleep(0)
        tasks[1].cancel()
        return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)

    first, second, third = asyncio.run(everybody())
    assert isinstance(first, RuntimeError)
    assert isinstance(second, asyncio.CancelledError)
    assert third is True


def message(buffers):
    """The fragments of a message that changes a document, with this many buffers of a kilobyte."""
    header = json.dumps({"msgid": "1", "msgtype": "PATCH-DOC", "num_buffers": buffers})
    yield from (header, "{}", json.dumps({"events": []}))
    for k in range(buffers):
        yield json.dumps({"id": str(k)})
        yield b"x" * 1024


def consume(receiver, fragments):
    async def everything():
        return [await receiver.consume(fragment) for fragment in fragments]

    return asyncio.run(everything())


def test_a_message_within_the_limits_arrives_and_the_count_begins_anew():
    receiver = LimitedReceiver(Protocol())
    for _ in range(3):
        assert consume(receiver, message(2))[-1].complete


def test_a_message_in_very_many_parts_is_refused(monkeypatch):
    monkeypatch.setattr(fairness, "LARGEST_MESSAGE", 10_000)
    with pytest.raises(ValidationError, match="10,000 bytes"):
        consume(LimitedReceiver(Protocol()), message(20))
    monkeypatch.setattr(fairness, "LARGEST_MESSAGE", 10**9)
    monkeypatch.setattr(fairness, "MOST_FRAGMENTS", 30)
    with pytest.raises(ValidationError, match="30 parts"):
        consume(LimitedReceiver(Protocol()), message(20))
