"""One Kubernetes API server with its etcd, and the controllers where a test needs them."""

import contextlib
import http.client
import secrets
import shutil
import socket
import ssl
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.apiserver.access import Access, write_kubeconfig, write_privately
from tests.apiserver.build import find_program, given_assets
from tests.apiserver.certificates import LOOPBACK, make_service_account_key, make_serving_certificate
from tests.apiserver.processes import Guarded, Holding
from tests.apiserver.progress import Say, say_on_stderr

SECONDS_TO_START = 60.0
SECONDS_BETWEEN_LOOKS = 0.05
SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local"


class StartError(Exception):
    """The server did not become ready; the text ends with what it printed last."""


class ApiServer:
    """A server on a free port of 127.0.0.1, whose data live in `directory` and go with it.

        with ApiServer() as server:
            await server.access.kubectl("get", "namespaces")

    It ends with this process, however that ends. `start`, `resume` and `restart` return when it is ready
    (about 3 seconds); from async code, call them by `asyncio.to_thread`. Raises BuildError or StartError.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        holding: Holding | None = None,
        lock: Path | None = None,
        say: Say = say_on_stderr,
    ) -> None:
        """`holding` and `lock` let other processes keep it running (see `tests.apiserver.sharing`)."""
        self._given_directory = directory
        self._given_holding = holding
        self._lock = lock
        self._say = say
        self._etcd: Guarded | None = None
        self._server: Guarded | None = None
        self._controllers: Guarded | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Makes keys, tokens and a kubeconfig, and starts the server."""
        for name in ("kube-apiserver", "etcd") if given_assets() else ("kube-apiserver",):
            find_program(name, self._say)  # before anything is there to clean up
        self.directory = self._given_directory or Path(
            tempfile.mkdtemp(prefix="infisical-reconciler-apiserver-")
        )
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self._holding = self._given_holding or Holding()
        self._port = ReservedPort()
        serving = make_serving_certificate()
        token = secrets.token_urlsafe(24)
        write_privately(self.directory / "serving.crt", serving.certificate)
        write_privately(self.directory / "serving.key", serving.key)
        write_privately(self.directory / "service-accounts.key", make_service_account_key())
        write_privately(self.directory / "tokens.csv", f'{token},admin,admin,"system:masters"\n'.encode())
        kubeconfig = self.directory / "admin.kubeconfig"
        url = f"https://{LOOPBACK}:{self._port.number}"
        authority = serving.authority.decode()
        write_kubeconfig(kubeconfig, url, authority, token)
        self.access = Access(url, token, authority, self.directory, kubeconfig)
        try:
            self.resume()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends all of it at once and removes the data; open watches are cut."""
        for program in (self._controllers, self._server, self._etcd):
            if program is not None:
                program.kill()
        self._holding.let_go()
        self._port.give_back()
        shutil.rmtree(self.directory)

    def halt(self) -> None:
        """Kills the server, as a crash does; its port refuses connections until `resume`. The data stay."""
        for program in (self._server, self._etcd):
            if program is not None:
                program.kill()

    def resume(self) -> None:
        """Starts the server again on its data and its port; waits until it is ready."""
        assets = given_assets()
        etcd_data = self.directory / "etcd"
        if assets is None:
            etcd = f"--etcd-data-dir={etcd_data}"
        else:
            etcd = f"--etcd-servers={self._start_etcd(etcd_data)}"
        self._server = Guarded(
            [find_program("kube-apiserver", self._say), etcd, *self._flags()],
            self._holding,
            self.directory / "kube-apiserver.log",
            lock=self._lock,
            remove=self.directory if assets is None else None,
        )
        self._wait_until_ready(self._server)

    def restart(self) -> None:
        """What a client sees of a crash: connections are cut, none is accepted for a while, the data are kept."""
        self.halt()
        self.resume()

    def wait(self) -> None:
        """Until the server ends. Raises StartError where it ended by itself."""
        assert self._server is not None
        self._server.wait()
        raise StartError(f"the API server ended:\n{self._server.last_words()}")

    @property
    def server_pid(self) -> int:
        """The process that keeps the server and has it as its only child."""
        assert self._server is not None
        return self._server.pid

    def start_controllers(self) -> None:
        """Garbage is collected and namespaces end from now on; kinds defined later count after a second or two."""
        self._controllers = start_controllers(self.access, self._holding, self._lock, self._say)

    def _flags(self) -> list[str]:
        inside = self.directory
        return [
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",  # it would look for a default route
            f"--secure-port={self._port.number}",
            "--permit-port-sharing=true",  # with the socket that keeps the port reserved
            f"--tls-cert-file={inside / 'serving.crt'}",
            f"--tls-private-key-file={inside / 'serving.key'}",
            f"--service-account-issuer={SERVICE_ACCOUNT_ISSUER}",
            f"--service-account-key-file={inside / 'service-accounts.key'}",
            f"--service-account-signing-key-file={inside / 'service-accounts.key'}",
            f"--token-auth-file={inside / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",  # nothing makes default service accounts here
            "--allow-privileged=true",
        ]

    def _start_etcd(self, data: Path) -> str:
        """The separate program, for servers that hold no etcd; answers its address."""
        clients, peers = ReservedPort(), ReservedPort()
        clients.give_back()
        peers.give_back()
        address = f"http://{LOOPBACK}:{clients.number}"
        self._etcd = Guarded(
            [
                find_program("etcd", self._say),
                f"--data-dir={data}",
                f"--listen-client-urls={address}",
                f"--advertise-client-urls={address}",
                f"--listen-peer-urls=http://{LOOPBACK}:{peers.number}",
                "--unsafe-no-fsync",
            ],
            self._holding,
            self.directory / "etcd.log",
            lock=self._lock,
            remove=self.directory,
        )
        return address

    def _wait_until_ready(self, server: Guarded) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        context = self.access.ssl_context()
        while not all(self._answers(path, context) for path in ("/readyz", "/api/v1/namespaces/default")):
            if server.ended or time.monotonic() > deadline:
                why = "ended" if server.ended else f"was not ready after {SECONDS_TO_START:.0f} seconds"
                raise StartError(f"the API server {why}:\n{server.last_words()}")
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _answers(self, path: str, context: ssl.SSLContext) -> bool:
        connection = http.client.HTTPSConnection(LOOPBACK, self._port.number, timeout=5, context=context)
        with contextlib.closing(connection):
            try:
                connection.request("GET", path, headers={"Authorization": f"Bearer {self.access.token}"})
                return connection.getresponse().status == http.HTTPStatus.OK
            except (OSError, http.client.HTTPException):
                return False


class ReservedPort:
    """A free port of 127.0.0.1 that nobody else is given while we keep it.

    The socket never listens, so connections to the port are refused; a server that shares ports may listen.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((LOOPBACK, 0))
        self.number: int = self._socket.getsockname()[1]

    def give_back(self) -> None:
        self._socket.close()


def start_controllers(
    access: Access, holding: Holding, lock: Path | None = None, say: Say = say_on_stderr
) -> Guarded:
    """The garbage collector and the end of namespaces, for a running server."""
    return Guarded(
        [
            find_program("controllers", say),
            f"--kubeconfig={access.kubeconfig}",
        ],
        holding,
        access.directory / "controllers.log",
        lock=lock,
    )
