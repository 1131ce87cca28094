"""One run of a program under a keeper, as Jupyter sees it."""

from __future__ import annotations

import asyncio
import itertools
import socket
import time
from typing import Any

from ..errors import VceError
from ..launch import Ending, LaunchPlan, Listener
from ..models import Usage
from ..sentences import say
from .json_lines import JsonLines

_ANSWER_TIMEOUT = 5.0


class KeeperLostError(VceError):
    """The keeper of a service was killed; what it kept is being ended by its parent."""

    def __init__(self) -> None:
        super().__init__(
            "keeper-lost",
            say("The small process that looks after this service was killed."),
            say(
                "Start the service again. If this keeps happening, the machine may be out of "
                "memory."
            ),
        )


class KeptProcess(JsonLines):
    """One run of a program, as Jupyter sees it. Implements :class:`~ou_vce_ext.launch.Process`."""

    def __init__(self, sock: socket.socket, number: int, plan: LaunchPlan) -> None:
        super().__init__(sock)
        self.number = number
        self.plan = plan
        self.keeper_pid: int | None = None
        self.limited = False
        """Whether the kernel holds it to the plan's ``memory_limit``."""
        self.unseen_end = False
        """Whether nobody saw the end of the run before this one, on the same data."""
        self._pid = 0
        self._start_time: int | None = None
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._exited: asyncio.Future[Ending] = loop.create_future()
        self._down: asyncio.Future[None] = loop.create_future()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._cpu: tuple[float, float] | None = None
        self.told_down = False
        self.send(plan.to_json())

    @property
    def pid(self) -> int:
        """The main process's id."""
        return self._pid

    def on_message(self, message: dict[str, Any]) -> None:
        """Sort what the keeper says."""
        if "seq" in message:
            answer = self._answers.pop(message["seq"], None)
            if answer and not answer.done():
                answer.set_result(message)
            return
        event = message["event"]
        if event in ("started", "refused", "locked"):
            if event == "started":
                self._pid = message["pid"]
                self._start_time = message["start_time"]
                self.keeper_pid = message["keeper"]
                self.limited = message["limited"]
                self.unseen_end = message["unseen_end"]
            if not self.started.done():
                self.started.set_result(message)
        elif event == "exit" and not self._exited.done():
            self._exited.set_result(
                Ending(
                    message["code"],
                    message["signal"],
                    asked=message["asked"],
                    starved=message["starved"],
                )
            )
        elif event == "down":
            self.told_down = True
            self._settle_down()

    def on_end(self) -> None:
        """The keeper closed its socket: all is well after ``down``, else it was killed."""
        if not self.started.done():
            self.started.set_exception(KeeperLostError())
            # Nobody may be waiting any more: an exception that is never asked for is no defect.
            self.started.exception()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(KeeperLostError())
                answer.exception()
        self._answers.clear()
        if not self._exited.done():
            self._exited.set_result(Ending(keeper_lost=True))

    def gone(self) -> None:
        """The parent says that the keeper, and all that it left behind, is gone."""
        # This news comes by another line, and may overtake how the main process ended.
        self.drain()
        self._settle_down()

    def _settle_down(self) -> None:
        if not self._exited.done():
            self._exited.set_result(Ending(keeper_lost=True))
        if not self._down.done():
            self._down.set_result(None)

    async def exited(self) -> Ending:
        """Wait until the main process has ended, and tell how."""
        return await asyncio.shield(self._exited)

    async def down(self) -> Ending:
        """Wait until every process of the tree is gone, and tell how the main one ended."""
        await asyncio.shield(self._down)
        return await self.exited()

    async def stop(self) -> Ending:
        """End the tree by the plan's steps and wait until it is gone."""
        self.send({"op": "stop"})
        return await self.down()

    def kill(self) -> None:
        """Skip the gentle steps: for a person who was told what may be lost."""
        self.send({"op": "stop", "force": True})

    async def _ask(self, **order: object) -> dict[str, Any]:
        if self.closed:
            raise KeeperLostError
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self.send({"seq": number, **order})
        try:
            # Not wait_for: until Python 3.12 it loses a cancellation that comes with the answer.
            async with asyncio.timeout(_ANSWER_TIMEOUT):
                return await answer
        finally:
            self._answers.pop(number, None)

    async def listener(self, *, port: int | None = None, socket: str | None = None) -> Listener:
        """Who listens there now."""
        told = await self._ask(op="listener", port=port, socket=socket)
        return Listener(told["who"], told.get("pid"), told.get("uid"), told.get("address"))

    async def resume(self) -> bool:
        """Continue a stopped (SIGSTOP) tree; tell whether anything had been stopped."""
        return bool((await self._ask(op="resume"))["resumed"])

    async def usage(self) -> Usage:
        """What the tree costs now. CPU is measured since the call before (None at the first)."""
        told = await self._ask(op="usage")
        now = time.monotonic()
        percent = None
        if self._cpu:
            cpu, then = self._cpu
            if now > then:
                percent = round(max(0.0, told["cpu"] - cpu) / (now - then) * 100, 1)
        self._cpu = (told["cpu"], now)
        return Usage(told["memory"], percent, told["files"], told["measure"])
