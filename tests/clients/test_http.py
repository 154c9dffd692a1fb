"""The sender on good days and bad ones: what left, what came, and what is said about it."""

import socket
import threading

import pytest

from canvas.clients.errors import BrokenAnswer, CallFailed, NotReached, Refused, Unsure
from canvas.clients.http import Http
from tests.clients.scripted import (
    Line,
    Turn,
    answer,
    hang_up,
    hang_up_after_reading,
    raw,
    scripted,
    silence,
    trickle,
)

SECRET = "key-that-nobody-may-see"


def post(url: str, http: Http | None = None, read: float = 5.0) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        (http or Http()).send(
            "Octopods", "POST", url, json={"a": 1}, headers={"X-Key": SECRET}, effect="once", read=read
        )
    return caught.value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_whole_answer_comes_back_as_it_is() -> None:
    with scripted(answer(418, {"tea": True}, {"X-Thing": "yes"})) as server:
        got = Http().send("Octopods", "POST", server.url + "/a?b=c", json={"x": "é"}, headers={"X-Key": "k"})
    assert (got.status, got.json(), got.headers["x-thing"]) == (418, {"tea": True}, "yes")
    assert (server.last.method, server.last.path, server.last.json) == ("POST", "/a?b=c", {"x": "é"})
    assert server.last.headers["x-key"] == "k"
    assert server.last.headers["user-agent"].startswith("Redeliver/")


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:{free_port()}",
        "http://no-such-host.invalid",
        "http://" + "a" * 70 + ".invalid",
    ],
)
def test_a_host_that_cannot_be_reached_got_nothing(url: str) -> None:
    failure = post(url)
    assert isinstance(failure, NotReached)
    assert failure.may_retry
    assert not failure.may_have_happened


@pytest.mark.parametrize(
    "turn", [raw(b"this is not TLS\r\n\r\n"), silence, hang_up], ids=["plain", "silent", "cut"]
)
def test_a_failed_tls_handshake_got_nothing(turn: Turn) -> None:
    with scripted(turn) as server:
        failure = post(server.url.replace("http:", "https:"), Http(connect=0.3))
    assert isinstance(failure, NotReached)


@pytest.mark.parametrize(
    "turn",
    [
        hang_up,
        hang_up_after_reading,
        raw(b"HTTP/1.1 20"),
        raw(b"nonsense\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
    ],
    ids=["unread", "read", "status cut", "not http", "short", "chunk cut", "two lengths", "not gzip"],
)
def test_a_connection_that_breaks_after_the_request_left_leaves_us_unsure(turn: Turn) -> None:
    with scripted(turn) as server:
        failure = post(server.url)
    assert isinstance(failure, Unsure)
    assert failure.may_have_happened
    assert not failure.may_retry


@pytest.mark.parametrize(
    "turn",
    [
        silence,
        trickle(b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n"),
        trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"{"),
    ],
    ids=["silence", "slow headers", "slow body"],
)
def test_the_read_timeout_bounds_the_whole_answer(turn: Turn) -> None:
    with scripted(turn) as server:
        failure = post(server.url, read=0.2)
    assert isinstance(failure, Unsure)
    assert "in time" in failure.message


def test_a_pooled_connection_closed_while_we_wrote_is_unsure_and_used_once() -> None:
    read_then_reset = threading.Event()

    def reset_on_second(line: Line) -> bool:
        line.read()
        line.reset()
        read_then_reset.set()
        return False

    with scripted(answer(200, {}), reset_on_second) as server:
        http = Http()
        http.send("Octopods", "GET", server.url)
        assert isinstance(post(server.url, http), Unsure)
    assert read_then_reset.is_set()
    assert server.connections == 1
    assert len(server.received) == 2


def test_a_question_that_got_no_answer_may_be_asked_again() -> None:
    with scripted(hang_up_after_reading) as server, pytest.raises(BrokenAnswer) as caught:
        Http().send("Octopods", "GET", server.url)
    assert caught.value.may_retry
    assert not caught.value.may_have_happened


def test_an_update_that_may_be_repeated_is_unsure_but_may_be_retried() -> None:
    with scripted(hang_up_after_reading) as server, pytest.raises(Unsure) as caught:
        Http().send("Intercom", "PUT", server.url, json={}, effect="repeatable")
    assert caught.value.may_retry
    assert caught.value.may_have_happened


def test_an_answer_too_large_is_not_read_to_its_end() -> None:
    endless = trickle(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100_000)
    with scripted(endless) as server:
        with pytest.raises(BrokenAnswer, match="more than can be read") as caught:
            Http().send("Octopods", "GET", server.url, max_bytes=1000)
        assert Http().send("a site", "GET", server.url, max_bytes=1000, cut=True).body == b"x" * 1000
    assert len(caught.value.body) <= 64 * 1024


def test_a_redirect_is_an_answer_like_any_other() -> None:
    with scripted(answer(302, b"elsewhere", {"Location": "http://127.0.0.1:1/"})) as server:
        got = Http().send("Octopods", "POST", server.url, json={}, effect="once")
    assert (got.status, got.body, len(server.received)) == (302, b"elsewhere", 1)


def test_no_cookie_of_one_call_reaches_the_next() -> None:
    http = Http()
    with scripted(answer(200, {}, {"Set-Cookie": "tenant=one; Path=/"})) as server:
        http.send("Octopods", "GET", server.url)
        http.send("Octopods", "GET", server.url)
    assert "cookie" not in server.last.headers


def test_a_request_that_cannot_be_written_is_refused_before_it_leaves() -> None:
    with scripted(answer(200, {})) as server:
        for value in ("a\r\nX-Evil: 1", "ключ"):
            with pytest.raises(Refused):
                Http().send("Octopods", "GET", server.url, headers={"X-Key": value})
    assert server.received == []


def test_no_error_tells_a_secret() -> None:
    with scripted(hang_up_after_reading) as server:
        failures = [post(server.url), post(f"http://127.0.0.1:{free_port()}/?token={SECRET}")]
    assert all(SECRET not in str(f) + repr(f) + f.message for f in failures)


def test_forwarding_changes_no_byte_either_way() -> None:
    body = b'{ "destination_phone" : "+353871234567",\n "x":1.0 }'
    reply = b'{"request_id":"r",  "message_id":1}\n'
    with scripted(answer(201, reply, {"X-Request": "r"})) as server:
        headers = {"X-Octopods-Auth": "k", "Content-Type": "application/json; charset=utf-8"}
        got = Http().forward(
            "Octopods", "POST", server.url + "/api/v1/sms/messages?a=%20b", headers, body, 5.0
        )
    assert (got.status, got.body, got.headers["X-Request"]) == (201, reply, "r")
    assert (server.last.body, server.last.path) == (body, "/api/v1/sms/messages?a=%20b")
    assert server.last.headers["content-type"] == headers["Content-Type"]
