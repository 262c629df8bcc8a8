"""The transport over real sockets: what goes wrong has a name, and nothing of a library gets through."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.infisical import http
from adapters.infisical.address import Address, parsed
from adapters.infisical.http import HttpTransport, Network
from adapters.infisical.transport import Request, TransportError, Unreachable
from adapters.proxies import proxy_of_environment
from machines.outcomes import Fault, Invalid

GET = Request(method="GET", path="/api/status")
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A web server on loopback; gives its port."""
    runner = web.ServerRunner(web.Server(handler), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def transport(network: Network, host_api: str, certificates: bytes = b"") -> HttpTransport:
    """A transport to a `hostAPI`."""
    address = parsed(host_api)
    assert isinstance(address, Address)
    result = network.transport(address, certificates)
    assert isinstance(result, HttpTransport)
    return result


async def reason(sender: HttpTransport) -> Unreachable:
    """Why no answer came."""
    with pytest.raises(TransportError) as caught:
        await sender.send(GET)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return caught.value.why


async def test_a_request_arrives_as_it_was_meant() -> None:
    seen: list[tuple[str, str, str, bytes]] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(
            (request.method, request.raw_path, request.headers["authorization"], await request.read())
        )
        return web.Response(status=418, text="answered", headers={"Retry-After": "7"})

    request = Request(
        method="POST",
        path="/api/v3/secrets/raw/A%2FB%3F%23%20%25",
        query=(("secretPath", "/a b&c"), ("x", "+%")),
        headers={"authorization": "Bearer t"},
        body=b"{}",
    )
    async with served(handler) as port, Network() as network:
        answer = await transport(network, f"http://127.0.0.1:{port}/below/api/").send(request)
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (418, b"answered", "7")
    path = "/below/api/v3/secrets/raw/A%2FB%3F%23%20%25?secretPath=/a+b%26c&x=%2B%25"
    assert seen == [("POST", path, "Bearer t", b"{}")]


async def test_a_redirect_is_not_followed_and_carries_the_token_nowhere() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert request.path == "/api/status"
        raise web.HTTPFound("/elsewhere")

    async with served(handler) as port, Network() as network:
        assert await reason(transport(network, f"http://127.0.0.1:{port}")) is Unreachable.REDIRECTED


async def test_a_proxy_of_the_environment_is_used_and_a_netrc_file_never(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever is behind the proxy is asked through it, by its own name; what NO_PROXY names is not."""
    seen: list[tuple[str, str | None]] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append((request.raw_path, request.headers.get("authorization")))
        return web.Response()

    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with served(handler) as port, Network(proxy_of_environment) as network:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        await transport(network, "http://infisical.invalid/below").send(GET)
        monkeypatch.setenv("no_proxy", "127.0.0.1,infisical.invalid")
        await transport(network, f"http://127.0.0.1:{port}").send(GET)
        assert await reason(transport(network, "http://infisical.invalid")) is Unreachable.UNRESOLVED
    assert seen == [("http://infisical.invalid/below/api/status", None), ("/api/status", None)]


async def test_nothing_listening_and_no_such_host() -> None:
    async with served(lambda request: asyncio.sleep(0, web.Response())) as port:
        pass
    async with Network() as network:
        assert await reason(transport(network, f"http://127.0.0.1:{port}")) is Unreachable.REFUSED
        assert await reason(transport(network, "http://no-such-host.invalid")) is Unreachable.UNRESOLVED


async def test_a_slow_answer_is_given_up() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async with served(handler) as port, Network(total=0.2) as network:
        assert await reason(transport(network, f"http://127.0.0.1:{port}")) is Unreachable.TIMED_OUT


async def test_a_body_that_trickles_is_given_up_too() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    async with served(handler) as port, Network(total=0.2) as network:
        assert await reason(transport(network, f"http://127.0.0.1:{port}")) is Unreachable.TIMED_OUT


@pytest.mark.parametrize("headers", [{"Content-Length": "1000"}, {}], ids=["length", "chunks"])
async def test_a_connection_that_breaks_in_the_middle(headers: dict[str, str]) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    async with served(handler) as port, Network() as network:
        assert await reason(transport(network, f"http://127.0.0.1:{port}")) is Unreachable.BROKEN


async def test_what_is_no_http_at_all() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server, Network() as network:
        port = server.sockets[0].getsockname()[1]
        assert await reason(transport(network, f"http://127.0.0.1:{port}")) is Unreachable.BROKEN


async def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 100_000)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"x" * 200_000)

    async with served(handler) as port, Network() as network:
        assert await reason(transport(network, f"http://127.0.0.1:{port}")) is Unreachable.TOO_LARGE


async def test_a_packed_answer_counts_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 100_000)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.Response(body=b"x" * 5_000_000)
        response.enable_compression()
        return response

    async with served(handler) as port, Network() as network:
        assert await reason(transport(network, f"http://127.0.0.1:{port}")) is Unreachable.TOO_LARGE


# --- TLS -----------------------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority of our own."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=10))
            .not_valid_after(now + datetime.timedelta(days=10))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def context(self, address: str = "127.0.0.1", ends: int = 5) -> ssl.SSLContext:
        """A server's context with a certificate for an IP address that ends in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=9))
            .not_valid_after(now + datetime.timedelta(days=ends))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=True
            )
            .sign(self._key, hashes.SHA256())
        )
        path = self._directory / "server.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


async def hello(request: web.BaseRequest) -> web.StreamResponse:
    """Any answer."""
    return web.Response(text="hello")


@pytest.mark.statement("S75")
async def test_a_private_authority_is_trusted_when_it_is_given(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "one")
    other = Authority(tmp_path, "other")
    async with served(hello, authority.context()) as port, Network() as network:
        url = f"https://127.0.0.1:{port}"
        assert await reason(transport(network, url)) is Unreachable.UNTRUSTED
        assert await reason(transport(network, url, other.pem)) is Unreachable.UNTRUSTED
        assert (await transport(network, url, authority.pem).send(GET)).body == b"hello"
        assert (await transport(network, url, other.pem + authority.pem).send(GET)).body == b"hello"
        # A connection that one store trusts serves no store that does not.
        assert await reason(transport(network, url)) is Unreachable.UNTRUSTED


async def test_a_certificate_for_another_host_or_an_old_one_is_told_as_such(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "one")
    async with served(hello, authority.context("127.0.0.9")) as port, Network() as network:
        sender = transport(network, f"https://127.0.0.1:{port}", authority.pem)
        assert await reason(sender) is Unreachable.WRONG_HOST
    async with served(hello, authority.context(ends=-1)) as port, Network() as network:
        sender = transport(network, f"https://127.0.0.1:{port}", authority.pem)
        assert await reason(sender) is Unreachable.EXPIRED


async def test_tls_to_a_server_that_speaks_none() -> None:
    async with served(hello) as port, Network() as network:
        assert await reason(transport(network, f"https://127.0.0.1:{port}")) is Unreachable.BROKEN


@pytest.mark.parametrize("certificates", [b"no certificate", b"\xff", b"-----BEGIN CERTIFICATE-----\nAA\n"])
async def test_certificates_that_are_none_are_the_authors_mistake(certificates: bytes) -> None:
    address = parsed("https://example.com")
    assert isinstance(address, Address)
    async with Network() as network:
        assert network.transport(address, certificates) == Invalid(what=Fault.BAD_CERTIFICATES)


async def test_nothing_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=str("authorization" in request.headers))

    async with served(handler) as port, Network() as network:
        answer = await transport(network, f"http://127.0.0.1:{port}").send(GET)
    assert answer.body == b"False"


# --- bounds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False], ids=["length-known", "chunks"])
async def test_an_answer_of_fifty_megabytes_is_refused_in_little_memory(known: bool) -> None:
    """Where its length is told, nothing of it is read; else as much as the limit allows."""
    piece = b"x" * 65536
    sent = 0

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        if known:
            response.content_length = 800 * len(piece)
        await response.prepare(request)
        try:
            for _ in range(800):
                await response.write(piece)
                sent += len(piece)
        except ConnectionError:
            pass  # the client went away, as it should
        return response

    async with served(handler) as port, Network() as network:
        sender = transport(network, f"http://127.0.0.1:{port}")
        tracemalloc.start()
        try:
            assert await reason(sender) is Unreachable.TOO_LARGE
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < (10 if known else 80) * 1024 * 1024
    assert sent < 50 * 1024 * 1024


async def test_a_connection_that_is_accepted_and_says_nothing_is_given_up() -> None:
    """Neither to a request, nor to a TLS handshake."""
    open_ends: list[asyncio.StreamWriter] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        open_ends.append(writer)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Network(connect=0.2, total=0.4) as network:
        assert await reason(transport(network, f"http://127.0.0.1:{port}")) is Unreachable.TIMED_OUT
        assert await reason(transport(network, f"https://127.0.0.1:{port}")) is Unreachable.TIMED_OUT
        for writer in open_ends:
            writer.close()


async def test_a_connection_that_is_never_accepted_is_given_up() -> None:
    """The queue of the listening socket is full: the system lets a connection hang."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        filling = [socket.socket() for _ in range(4)]
        try:
            for one in filling:
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            async with Network(connect=0.2, total=5) as network:
                began = asyncio.get_running_loop().time()
                assert await reason(transport(network, f"http://127.0.0.1:{port}")) is Unreachable.TIMED_OUT
                assert asyncio.get_running_loop().time() - began < 3
        finally:
            for one in filling:
                one.close()


async def test_a_host_that_hangs_leaves_connections_for_the_others() -> None:
    """However many of its requests are under way."""
    release = asyncio.Event()

    async def hanging(request: web.BaseRequest) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    async with served(hanging) as bad, served(hello) as good, Network() as network:
        sender = transport(network, f"http://127.0.0.1:{bad}")
        stuck = [asyncio.ensure_future(sender.send(GET)) for _ in range(150)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            assert (await transport(network, f"http://127.0.0.1:{good}").send(GET)).body == b"hello"
        release.set()
        await asyncio.gather(*stuck)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_credentials_are_sent_nowhere_else(status: int) -> None:
    """Whatever the redirect: the other server is not even connected to."""
    strangers = 0

    async def stranger(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal strangers
        strangers += 1
        return web.Response()

    async with served(stranger) as elsewhere:

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=status, headers={"location": f"http://127.0.0.1:{elsewhere}/"})

        async with served(handler) as port, Network() as network:
            login = Request(method="POST", path="/api/v1/auth/universal-auth/login", body=b"{}")
            with pytest.raises(TransportError) as caught:
                await transport(network, f"http://127.0.0.1:{port}").send(login)
            assert caught.value.why is Unreachable.REDIRECTED
    assert strangers == 0
