"""No visitor takes the server from the others: pages are built in turn, messages have a size, clients a share.

Building a page holds the event loop, and so everybody's sliders. Bokeh builds one for each request, and for each
WebSocket that brings a token of its own making; one client in a loop is enough to keep all others out. Here every
building goes through one :class:`Gate`, whichever way it was asked for:

* one page at a time, clients in turn, however many pages each of them waits for;
* after a page the loop is left to everybody else for as long as the page took;
* a client that waits for more than ``MOST_WAITING`` pages is told to come back later.

Bokeh puts a message together from as many WebSocket messages as the sender cares to send, and Tornado limits only each
of those. :class:`LimitedReceiver` bounds their sum.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bokeh.protocol.exceptions import ProtocolError, ValidationError
from bokeh.protocol.receiver import Receiver
from bokeh.server.contexts import ApplicationContext
from bokeh.server.views import ws
from tornado.web import HTTPError

from workbench.ui.server import styles

MOST_WAITING = 24
"""Pages that one client may wait for: a classroom behind one address opens its pages within a minute."""
LONGEST_PAUSE = 1.0
LARGEST_MESSAGE = 100 * 2**20
"""An upload of the 64 MiB that a page accepts grows by a third on its way."""
MOST_FRAGMENTS = 2000
BUSY = "this server is building {} pages for this address already; close some and load the page again in a minute"


class TooMany(Exception):
    """A client asked for more pages than it may wait for."""


class Gate:
    """Lets pages be built one after the other, the clients in turn, with as much rest as work."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._held: dict[str, int] = {}
        self._open = True

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait for a turn of ``client`` (its address), hold it for the block, rest afterwards.

        Raises :class:`TooMany` at once if the client waits for too many turns already.
        """
        held = self._held.get(client, 0)
        if held >= self._most_waiting:
            raise TooMany(BUSY.format(held))
        self._held[client] = held + 1
        try:
            await self._wait(client)
            started = time.perf_counter()
            try:
                yield
            finally:
                self._rest(time.perf_counter() - started)
        finally:
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]

    async def _wait(self, client: str) -> None:
        if self._open and not self._queues:
            self._open = False
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(client, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # the turn came while we were being cancelled: pass it on
                self._next()
            raise

    def _rest(self, seconds: float) -> None:
        """Open the gate again after as long as the last page took.

        Also when nobody waits: a page is built without a pause, so whoever asked meanwhile has not been heard yet.
        """
        asyncio.get_running_loop().call_later(min(seconds, LONGEST_PAUSE), self._next)

    def _next(self) -> None:
        """Let the first page of the client whose turn it is through; that client goes to the end of the line."""
        while self._queues:
            client, queue = self._queues.popitem(last=False)
            mine = queue.popleft()
            if queue:
                self._queues[client] = queue
            if not mine.done():
                mine.set_result(None)
                return
        self._open = True


class LimitedReceiver(Receiver):
    """Bokeh's receiver of messages, which refuses one that is too large before it has taken the memory."""

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)
        self._bytes = self._count = 0

    async def consume(self, fragment: Any) -> Any:
        """Take one fragment; raise ``ValidationError`` if the message so far is larger than is allowed."""
        self._bytes += len(fragment)
        self._count += 1
        if self._bytes > LARGEST_MESSAGE or self._count > MOST_FRAGMENTS:
            self._partial, self._fragments = None, []
            raise ValidationError(f"a message of more than {LARGEST_MESSAGE:,} bytes or {MOST_FRAGMENTS} parts")
        message = await super().consume(fragment)
        if message is not None:
            self._bytes = self._count = 0
        return message


GATE = Gate()
_build = ApplicationContext.create_session_if_needed


async def _build_in_turn(self: Any, session_id: Any, request: Any = None, token: str | None = None) -> Any:
    """Bokeh's own, behind the gate; a session that stands already needs no turn."""
    if request is None or session_id in self._sessions:
        return await _build(self, session_id, request, token)
    try:
        async with GATE.turn(request.remote_ip or ""):
            session = await _build(self, session_id, request, token)
            styles.keep_here(session.document)
            return session
    except TooMany as error:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            raise ProtocolError(str(error)) from None
        raise HTTPError(503, reason="Too many pages at once", log_message=str(error)) from None


def install() -> None:
    """Put the gate before every page and the limit on every message of this process."""
    ApplicationContext.create_session_if_needed = _build_in_turn
    ws.Receiver = LimitedReceiver  # type: ignore[attr-defined]
