"""How to reach a test server: as values for a client, as a kubeconfig, and by kubectl."""

import asyncio
import base64
import os
import ssl
from pathlib import Path

import msgspec
import yaml

from tests.apiserver.build import find_program

PRIVATE = 0o600


class KubectlError(Exception):
    """kubectl ended with a code that is not 0; the text is what it printed on standard error."""


class Access(msgspec.Struct, frozen=True):
    """A running server, and who one is there.

    `directory` is the server's own: what is written there goes with the server. `kubeconfig` is a file there.
    """

    url: str
    token: str
    authority: str
    directory: Path
    kubeconfig: Path

    def __repr__(self) -> str:  # the token is a secret, if a worthless one
        return f"<Access to {self.url} by {self.kubeconfig.name}>"

    def ssl_context(self) -> ssl.SSLContext:
        """Trusts this server and nothing else."""
        return ssl.create_default_context(cadata=self.authority)

    def as_user(self, name: str, token: str, *, namespace: str = "default") -> "Access":
        """The same server for the holder of another token; writes a kubeconfig of its own, called `name`."""
        kubeconfig = self.directory / f"{name}.kubeconfig"
        write_kubeconfig(kubeconfig, self.url, self.authority, token, namespace)
        return Access(self.url, token, self.authority, self.directory, kubeconfig)

    async def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Runs kubectl on this server and answers what it prints. Raises KubectlError."""
        program = await asyncio.to_thread(find_program, "kubectl")
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            env=os.environ
            | {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.directory / "discovery")},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await process.communicate(stdin.encode())
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if process.returncode != 0:
            raise KubectlError(errors.decode().strip())
        return output.decode()


def write_kubeconfig(file: Path, url: str, authority: str, token: str, namespace: str = "default") -> None:
    """A kubeconfig of one context, readable by its owner alone, that holds all it needs."""
    name = "test"
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(authority.encode()).decode()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }
    write_privately(file, yaml.safe_dump(config, sort_keys=False).encode())


def write_privately(file: Path, content: bytes) -> None:
    """At once and with mode 0600: nobody else ever reads it, and nobody reads half of it."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    unfinished.replace(file)
