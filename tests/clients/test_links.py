"""Links that people type: never into a private network, and an honest word on what the provider would get."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from canvas.clients.errors import CallFailed, NotReached, Refused
from canvas.clients.guard import Guarded, is_public
from canvas.clients.http import Answer
from canvas.clients.links import LinkCheck, Links
from tests.clients.scripted import Turn, answer, hang_up, raw, scripted, silence, trickle

LOCAL = Guarded(allow_private=True)
JPEG = {"Content-Type": "image/jpeg"}


def never(host: str, port: int) -> list[str]:
    pytest.fail(f"{host} was looked up")


def image(url: str, guarded: Guarded = LOCAL) -> LinkCheck:
    return Links(guarded).check(url, "whatsapp", "IMAGE")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff0e::1",
    ],
)
def test_an_address_that_is_not_public_is_refused_for_certain(address: str) -> None:
    assert not is_public(address)
    guarded = Guarded(resolve=lambda host, port: [address])
    assert image("https://files.example/a.jpg", guarded).outcome == "refused"


@pytest.mark.parametrize("address", ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111"])
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


def test_one_private_address_among_public_ones_refuses_them_all() -> None:
    guarded = Guarded(resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"])
    assert image("https://files.example/a.jpg", guarded).outcome == "refused"


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]", "localhost"]
)
def test_the_machine_itself_is_refused_however_it_is_written(host: str) -> None:
    with scripted(answer(200, b"secret", JPEG)) as server:
        port = int(server.url.rsplit(":", 1)[1])
        found = image(f"http://{host}:{port}/a.jpg", Guarded(ports={port}))
    assert found.outcome == "refused"
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "files.example/a.jpg",
        "ftp://files.example/a",
        "file:///etc/passwd",
        "gopher://files.example/",
        "https:///a.jpg",
        "https://user:pass@files.example/",
        "https://user@files.example/",
        "https://@files.example/",
        "https://files.example:22/",
        "https://files.example:8443/",
        "https://files.example:99999/",
        "https://files.example:abc/",
        "https://files.example\\@evil.example/",
        "https://files.example/a b",
        "https://files.example/\r\nX: y",
        "https://[::1",
        "https://" + "a" * 3000,
    ],
)
def test_what_is_not_a_web_link_is_refused_before_any_lookup(url: str) -> None:
    assert image(url, Guarded(resolve=never)).outcome == "refused"


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    asked = []

    def once_public_then_private(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with scripted(answer(200, b"x", JPEG)) as server:
        port = server.url.rsplit(":", 1)[1]
        guarded = Guarded(allow_private=True, resolve=once_public_then_private)
        guarded.send("GET", f"http://files.example:{port}/a?b=1")
    assert asked == ["files.example"]
    assert server.last.headers["host"] == f"files.example:{port}"
    assert server.last.path == "/a?b=1"


def test_a_redirect_into_a_private_network_is_refused() -> None:
    # The first hop is allowed by its port and name; the second is the cloud's metadata address.
    with scripted(answer(302, b"", {"Location": "http://169.254.169.254/latest"})) as server:
        found = image(server.url, SelectiveGuard(server.url))
    assert found == LinkCheck("refused", "This link leads into a private network.")
    assert len(server.received) == 1


class SelectiveGuard(Guarded):
    """Lets one loopback server pass as public, and judges all else as in earnest."""

    def __init__(self, url: str) -> None:
        super().__init__(allow_private=True)
        self._own = url
        self._strict = Guarded()

    def send(self, method: str, url: str, *, within: float = 5.0, **options: Any) -> Answer:
        if url.startswith(self._own):
            return super().send(method, url, within=within, **options)
        return self._strict.send(method, url, within=within, **options)


def test_redirects_are_followed_to_the_file_and_no_further_than_three() -> None:
    hop = answer(301, b"", {"Location": "/next"})
    with scripted(hop, hop, hop, answer(200, b"", JPEG | {"Content-Length": "10"})) as server:
        assert image(server.url).outcome == "ok"
    with scripted(hop) as server:
        assert image(server.url).outcome == "refused"
    assert len(server.received) == 4


@pytest.mark.parametrize(
    ("channel", "form", "kind", "size", "outcome"),
    [
        ("whatsapp", "IMAGE", "image/jpeg", 5 * 1024 * 1024, "ok"),
        ("whatsapp", "image", "IMAGE/PNG; charset=x", 9, "ok"),
        ("whatsapp", "IMAGE", "image/jpg", 9, "ok"),
        ("whatsapp", "IMAGE", "image/jpeg", 5 * 1024 * 1024 + 1, "refused"),
        ("whatsapp", "IMAGE", "image/webp", 9, "refused"),
        ("whatsapp", "IMAGE", "text/html", 9, "refused"),
        ("whatsapp", "IMAGE", "application/octet-stream", 9, "cannot_know"),
        ("whatsapp", "VIDEO", "video/mp4", 16 * 1024 * 1024, "ok"),
        ("whatsapp", "VIDEO", "video/quicktime", 9, "refused"),
        ("whatsapp", "DOCUMENT", "application/pdf", 100 * 1024 * 1024, "ok"),
        ("whatsapp", "DOCUMENT", "application/pdf", 101 * 1024 * 1024, "refused"),
        ("vbm", "IMAGE", "image/png", 50 * 1024 * 1024, "ok"),
        ("vbm", "IMAGE", "image/gif", 9, "refused"),
    ],
)
def test_the_file_must_suit_the_header(channel: str, form: str, kind: str, size: int, outcome: str) -> None:
    with scripted(answer(200, b"", {"Content-Type": kind, "Content-Length": str(size)})) as server:
        found = Links(LOCAL).check(server.url, channel, form)
    assert (found.outcome, found.size) == (outcome, size)
    assert server.last.method == "HEAD"


PARTIAL = answer(206, b"x" * 1024, JPEG | {"Content-Range": "bytes 0-1023/4096"})


@pytest.mark.parametrize("head", [answer(405), answer(403), hang_up, answer(200), answer(200, b"", JPEG)])
def test_where_head_tells_too_little_the_first_bytes_are_fetched(head: Turn) -> None:
    with scripted(head, PARTIAL) as server:
        assert image(server.url) == LinkCheck("ok", "", "image/jpeg", 4096)
    assert server.last.headers["range"] == "bytes=0-1023"


def test_a_host_that_ignores_the_range_is_not_read_to_its_end() -> None:
    endless = trickle(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n", b"x" * 100_000)
    with scripted(answer(405), endless) as server:
        assert image(server.url) == LinkCheck("ok", "", "image/jpeg", None)


@pytest.mark.parametrize(
    ("turn", "outcome"),
    [
        (answer(404), "refused"),
        (answer(410), "refused"),
        (answer(200, b"", JPEG), "refused"),
        (answer(401), "cannot_know"),
        (answer(403), "cannot_know"),
        (answer(429), "cannot_know"),
        (answer(500), "cannot_know"),
        (answer(302), "cannot_know"),
        (raw(b"\x00\x01 garbage"), "cannot_know"),
        (hang_up, "cannot_know"),
    ],
)
def test_what_is_certain_and_what_only_the_provider_can_know(turn: Turn, outcome: str) -> None:
    with scripted(turn) as server:
        found = image(server.url)
    assert found.outcome == outcome
    assert found.why.endswith(".")


def test_a_link_into_this_machine_is_refused_for_certain() -> None:
    with scripted(answer(200, b"x")) as server:
        assert Links().check(server.url).outcome == "refused"


@pytest.mark.parametrize("turn", [silence, trickle(b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n")])
def test_a_slow_host_is_given_up_in_time(turn: Turn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canvas.clients.links.BUDGET_SECONDS", 0.3)
    with scripted(turn) as server:
        assert image(server.url).outcome == "cannot_know"


def test_a_host_nobody_knows_is_not_refused() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    assert image("https://files.example/a.jpg", Guarded(resolve=unknown)).outcome == "cannot_know"


def test_a_lookup_that_hangs_is_given_up() -> None:
    release = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        release.wait(10)
        return []

    with pytest.raises(NotReached):
        Guarded(resolve=hang).send("HEAD", "https://files.example/", within=0.05)
    release.set()


def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    with scripted(answer(200, b"x", JPEG)) as server:
        port = server.url.rsplit(":", 1)[1]
        guarded = Guarded(allow_private=True, resolve=lambda host, _: ["127.0.0.2", "127.0.0.1"])
        assert guarded.send("GET", f"http://files.example:{port}/").status == 200


@pytest.fixture
def tls_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[str | None]]]:
    """A TLS server for files.example that is trusted here; yields its port and the names asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "files.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("files.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "cert.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    names: list[str | None] = []
    context.sni_callback = lambda sock, asked, ctx: names.append(asked)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                    with context.wrap_socket(plain, server_side=True) as sock:
                        sock.recv(65536)
                        sock.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                except ssl.SSLError:
                    continue  # a client that did not trust us
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], names
        listener.shutdown(socket.SHUT_RDWR)


def test_the_certificate_is_checked_against_the_name_though_the_address_is_called(
    tls_server: tuple[int, list[str | None]],
) -> None:
    port, names = tls_server
    guarded = Guarded(allow_private=True, resolve=lambda host, _: ["127.0.0.1"])
    assert guarded.send("GET", f"https://files.example:{port}/").status == 204
    assert names == ["files.example"]
    with pytest.raises(CallFailed):
        guarded.send("GET", f"https://other.example:{port}/")


def test_a_host_name_in_another_script_is_looked_up_in_ascii() -> None:
    asked = []

    def note(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["10.0.0.1"]

    with pytest.raises(Refused):
        Guarded(resolve=note).send("HEAD", "https://bücher.example/")
    assert asked == ["xn--bcher-kva.example"]
