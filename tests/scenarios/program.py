"""`run` as a process of its own, beside a scene on a real API server, with everything that it emits."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import aiohttp

from tests.apiserver.access import Access

PATIENCE = 20.0  # seconds until it has to have begun, or ended


class Program:
    """`async with Program(access, namespace, directory)`: the controller of one namespace, at its most talkative."""

    def __init__(self, access: Access, namespace: str, directory: Path) -> None:
        self._access = access
        self._namespace = namespace
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"

    async def __aenter__(self) -> Program:
        with (
            (self._directory / "output").open("wb") as output,
            (self._directory / "errors").open("wb") as errors,
        ):
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "reconciler.commands", "run"),
                *("--namespace", self._namespace, "--listen", self._address, "--log-level", "debug"),
                *("--journal", str(self._directory / "journal")),
                stdout=output,
                stderr=errors,
                env=os.environ | {"KUBECONFIG": str(self._access.kubeconfig)},
            )
        async with asyncio.timeout(PATIENCE):
            while await self._is_not_ready():
                assert self._process.returncode is None, self.emitted()["errors"]
                await asyncio.sleep(0.05)
        return self

    async def _is_not_ready(self) -> bool:
        try:
            return await self.asked("/readyz") != "ok\n"
        except aiohttp.ClientError:
            return True

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()

    async def asked(self, path: str) -> str:
        """What an endpoint answers."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{self._address}{path}") as answer,
        ):
            return await answer.text()

    def emitted(self) -> dict[str, str]:
        """Its standard output and error, and its journal."""
        return {name: (self._directory / name).read_text() for name in ("output", "errors", "journal")}
