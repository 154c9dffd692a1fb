"""Incidents and what is told about them: once, grouped, outside quiet hours, and never what was sent to whom."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from canvas.clients.errors import CallFailed
from canvas.clients.guard import Guarded
from canvas.clients.mail import Mail
from canvas.clients.webhook import Webhook
from canvas.domain.pattern import FEWEST, WINDOW
from canvas.domain.quiet import quiet_until
from canvas.domain.schedule import BACKOFF_CAP, LEASE, OTHER_TRIES
from canvas.flows import alerts
from canvas.flows import incidents as watching
from canvas.flows.carry_out import sweep
from canvas.sandbox.octopods import keys
from canvas.store import incidents, installs, messages
from canvas.store.database import reading, writing
from canvas.store.sealing import Sealer
from tests.history import made
from tests.history.conftest import Pages

TEXT = "Hi Mara, see you Tuesday."


@dataclass
class Ear:
    """A webhook's receiving end."""

    url: str = ""
    status: int = 200
    refuses: bytes = b""
    before_answering: Callable[[], None] = lambda: None
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def ear() -> Iterator[Ear]:
    found = Ear()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.heard.append((dict(self.headers), body))
            found.before_answering()
            self.send_response(400 if found.refuses and found.refuses in body else found.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def listen(pages: Pages, **wanted: Any) -> None:
    """Ask to be told, as the settings page would store it."""
    sealed = pages.flow.sealer.seal("hook-secret")
    settings = {"alerts": {"secret_sealed": sealed, **wanted}}
    with writing(pages.flow.engine) as conn:
        installs.put(conn, "intercom", "sandbox", pages.now, settings=settings)


def work(pages: Pages) -> None:
    """The worker, with a webhook client that may call this machine."""
    work_with(pages, webhook=Webhook(Guarded(allow_private=True)))


def work_with(pages: Pages, **clients: Any) -> None:
    """One sweep with other clients; nothing wakes the worker that has the usual ones."""
    sweep(replace(pages.flow, wake=lambda _id, _due: None, **clients))


def fail(pages: Pages, count: int, reason: str = "insufficient_balance", start: int = 0) -> None:
    line = pages.channel("sms")
    for i in range(start, start + count):
        number = f"+35387123{i:04}"
        pages.failed(reason, channel_id=line, to=number, raw_to=number, contact_id=f"p{i}")
    look(pages)


def look(pages: Pages) -> None:
    """Have the watch look now; while an incident is open it looks once a minute."""
    pages.site.clock.advance(61)
    with writing(pages.flow.engine) as conn:
        watching.look_soon(conn, pages.install.id, pages.now)
    work(pages)


def arrive(pages: Pages, count: int) -> None:
    for _ in range(count):
        pages.site.clock.advance(1)
        pages.add(made.message(pages.install.id, pages.now, channel_id=pages.channel("sms")))


def known(pages: Pages) -> list[incidents.Incident]:
    with reading(pages.flow.engine) as conn:
        return incidents.newest(conn, pages.install.id)


def test_one_cause_for_many_people_opens_one_incident_and_grows(both_pages: Pages) -> None:
    pages = both_pages
    fail(pages, 3)
    assert known(pages) == []
    fail(pages, 2, start=3)
    fail(pages, 2, start=5)
    (incident,) = known(pages)
    assert (incident.people, incident.messages, incident.solved_at) == (7, 7, None)
    assert "SMS:" in pages.get("/insights").words


def test_one_person_many_times_or_peoples_own_reasons_are_no_incident(pages: Pages) -> None:
    for _ in range(6):
        pages.failed("insufficient_balance", channel_id=pages.channel("sms"))
    fail(pages, 6, "landline_or_unreachable")
    assert known(pages) == []


def test_silence_solves_nothing_but_messages_that_arrive_do(pages: Pages) -> None:
    fail(pages, 5)
    pages.pass_time(3 * 24 * 3600)
    look(pages)
    assert known(pages)[0].solved_at is None
    arrive(pages, 2)
    look(pages)
    assert known(pages)[0].solved_at is None
    arrive(pages, 1)
    third = pages.now
    look(pages)
    assert known(pages)[0].solved_at == third
    pages.browser.sign_in()
    assert "Problems that are over" in pages.get("/insights").words


def test_an_open_incident_is_followed_whatever_befalls_the_watch(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(pages, 5)

    def refuse(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("the database is away"))

    with monkeypatch.context() as trouble:
        trouble.setattr(incidents, "recent", refuse)
        for _ in range(20):
            pages.pass_time(1200)
    arrive(pages, 3)
    pages.pass_time(1200)
    assert known(pages)[0].solved_at is not None


@pytest.mark.postgres
def test_a_failure_written_while_the_watch_looks_is_seen_without_another_one(
    both_pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = both_pages
    if pages.flow.engine.dialect.name != "postgresql":
        return  # SQLite lets nobody write while the watch looks
    fail(pages, FEWEST - 1)
    honest, left = incidents.recent, [1]

    def recent(conn: Connection, install_id: int) -> list[incidents.Ended]:
        seen = honest(conn, install_id)
        if left:
            left.pop()
            values = {"to": "+353871230099", "channel_id": pages.channel("sms")}
            with writing(pages.flow.engine) as other:
                messages.add(
                    other,
                    made.failed(
                        pages.flow.catalogue, install_id, pages.now, "insufficient_balance", **values
                    ),
                )
                watching.look_soon(other, install_id, pages.now)
        return seen

    monkeypatch.setattr(incidents, "recent", recent)
    look(pages)
    assert not left
    work(pages)
    assert [incident.people for incident in known(pages)] == [FEWEST]


def test_an_admin_may_say_that_it_is_over(pages: Pages) -> None:
    fail(pages, 5)
    page = pages.press(pages.get("/insights"), "It is over")
    assert "Problems that are over" in page.words


def test_what_happens_together_is_told_together_signed_and_once(pages: Pages, ear: Ear) -> None:
    listen(pages, webhook=ear.url)
    fail(pages, 5)
    assert ear.heard == []
    pages.site.clock.advance(61)
    work(pages)
    ((headers, body),) = ear.heard
    told = json.loads(body)
    assert {a["footer"] for a in told["attachments"]} == {"incident_opened", "breaker_open"}
    assert len(told["attachments"]) == 2
    given = headers["X-Redeliver-Timestamp"].encode() + b"." + body
    wanted = hmac.new(b"hook-secret", given, hashlib.sha256).hexdigest()
    assert headers["X-Redeliver-Signature"] == f"sha256={wanted}"
    assert TEXT not in body.decode()
    assert "+35387" not in body.decode()
    fail(pages, 3, start=5)
    pages.site.clock.advance(600)
    work(pages)
    assert len(ear.heard) == 1


def test_a_webhook_that_is_down_is_told_later_with_the_same_key(pages: Pages, ear: Ear) -> None:
    listen(pages, webhook=ear.url)
    ear.status = 503
    fail(pages, 5)
    pages.site.clock.advance(61)
    work(pages)
    ear.status = 200
    pages.site.clock.advance(3600)
    work(pages)
    first, second = (headers["Idempotency-Key"] for headers, _ in ear.heard)
    assert first == second
    pages.site.clock.advance(3600)
    work(pages)
    assert len(ear.heard) == 2


def test_quiet_hours_are_kept(pages: Pages, ear: Ear) -> None:
    listen(pages, webhook=ear.url, quiet_from=13, quiet_to=16)  # it is 14:05 in Stockholm
    fail(pages, 5)
    pages.site.clock.advance(61)
    work(pages)
    assert ear.heard == []
    pages.site.clock.advance(2 * 3600)
    work(pages)
    assert len(ear.heard) == 1


def footers(ear: Ear) -> list[set[str]]:
    return [{told["footer"] for told in json.loads(body)["attachments"]} for _, body in ear.heard]


@pytest.fixture
def unwoken(both_pages: Pages, monkeypatch: pytest.MonkeyPatch) -> Pages:
    """Pages whose buttons wake nobody, see `work`."""
    services = both_pages.site.app.extensions["redeliver"]
    quiet = replace(services, flow=replace(both_pages.flow, wake=lambda _id, _due: None))
    monkeypatch.setitem(both_pages.site.app.extensions, "redeliver", quiet)
    return both_pages


def test_a_test_goes_out_in_quiet_hours_and_what_happened_waits_for_their_end(
    unwoken: Pages, ear: Ear
) -> None:
    pages = unwoken
    listen(pages, webhook=ear.url, quiet_from=13, quiet_to=16)  # it is 14:05 in Stockholm
    fail(pages, 5)
    happen(pages, 25)
    pages.site.clock.advance(61)
    work(pages)
    pages.browser.sign_in()
    assert "A test is on its way." in pages.press(pages.get("/settings/alerts"), "Send a test").words
    work(pages)
    assert footers(ear) == [{"test"}]
    for _ in range(4):
        pages.site.clock.advance(61)
        work(pages)
    assert footers(ear) == [{"test"}]
    pages.site.clock.advance(2 * 3600)
    for _ in range(2):
        work(pages)
        pages.site.clock.advance(61)
    assert sum(len(json.loads(body)["attachments"]) for _, body in ear.heard) == 1 + 25 + 2


def happen(pages: Pages, count: int) -> None:
    with writing(pages.flow.engine) as conn:
        for i in range(count):
            key, now = f"key:{i}", pages.now
            alerts.say(conn, pages.install.id, "key_deprecated", key, f"A key {i}", "Words.", now)


def minutes(pages: Pages, count: int, webhook: Webhook | None = None) -> None:
    """What the worker does in the next minutes."""
    for _ in range(count):
        pages.site.clock.advance(61)
        work_with(pages, webhook=webhook or Webhook(Guarded(allow_private=True)))


def titles(ear: Ear) -> list[list[str]]:
    """What each call told."""
    return [[told["title"] for told in json.loads(body)["attachments"]] for _, body in ear.heard]


def told_without(ear: Ear, refused: str) -> list[str]:
    """What was told in the calls that were not refused for this."""
    return sorted(title for told in titles(ear) if refused not in told for title in told)


@pytest.mark.parametrize("status", [400, 404])
def test_a_test_refused_in_quiet_hours_leaves_what_happened_to_be_told_when_they_end(
    unwoken: Pages, ear: Ear, status: int
) -> None:
    pages = unwoken
    listen(pages, webhook=ear.url, quiet_from=13, quiet_to=16)  # it is 14:05 in Stockholm
    happen(pages, 1)
    ear.status = status
    pages.browser.sign_in()
    pages.press(pages.get("/settings/alerts"), "Send a test")
    work(pages)
    minutes(pages, 5)
    assert footers(ear) == [{"test"}]
    assert f"The webhook answered {status}." in pages.get("/settings/alerts").words
    ear.status = 200
    pages.site.clock.advance(2 * 3600)
    minutes(pages, 2)
    assert sum("A key 0" in told for told in titles(ear)) == 1
    assert "The webhook answered" not in pages.get("/settings/alerts").words


def test_a_test_given_up_in_quiet_hours_takes_no_try_from_what_happened(unwoken: Pages, ear: Ear) -> None:
    pages = unwoken
    listen(pages, webhook=ear.url, quiet_from=13, quiet_to=23)
    happen(pages, 1)
    ear.status = 503
    pages.browser.sign_in()
    pages.press(pages.get("/settings/alerts"), "Send a test")
    work(pages)
    for _ in range(OTHER_TRIES + 2):
        pages.site.clock.advance(BACKOFF_CAP * 1.3)
        work(pages)
    assert footers(ear) == [{"test"}] * OTHER_TRIES
    pages.site.clock.advance(9 * 3600)
    work(pages)
    assert len(ear.heard) == OTHER_TRIES + 1
    ear.status = 200
    minutes(pages, 2)
    assert "A key 0" in titles(ear)[-1]


def test_one_that_is_refused_keeps_none_beyond_the_twentieth_from_being_told(
    both_pages: Pages, ear: Ear
) -> None:
    pages = both_pages
    listen(pages, webhook=ear.url)
    happen(pages, 45)
    ear.refuses = b'"A key 3"'
    minutes(pages, 8)
    assert told_without(ear, "A key 3") == sorted(f"A key {i}" for i in range(45) if i != 3)
    pages.browser.sign_in()
    assert "The webhook answered 400." in pages.get("/settings/alerts").words
    calls = len(ear.heard)
    minutes(pages, 3)
    assert len(ear.heard) == calls


@pytest.mark.parametrize(("status", "calls"), [(401, 1), (403, 1), (404, 1), (410, 1), (400, 21)])
def test_where_everything_is_refused_nothing_is_told_over_and_over(
    pages: Pages, ear: Ear, status: int, calls: int
) -> None:
    listen(pages, webhook=ear.url)
    happen(pages, 25)
    ear.status = status
    minutes(pages, 5)
    assert len(ear.heard) == calls
    assert f"The webhook answered {status}." in pages.get("/settings/alerts").words


def test_telling_one_by_one_ends_well_before_the_lease(both_pages: Pages, ear: Ear) -> None:
    pages = both_pages
    listen(pages, webhook=ear.url)
    happen(pages, 20)
    ear.refuses = b'"A key 3"'
    ear.before_answering = lambda: pages.site.clock.advance(10)
    began = pages.now + timedelta(seconds=61)
    minutes(pages, 1)
    assert pages.now - began < LEASE * 0.75
    minutes(pages, 8)
    assert told_without(ear, "A key 3") == sorted(f"A key {i}" for i in range(20) if i != 3)


class Dying(Webhook):
    """The process ends within its fifth call."""

    calls = 0

    def post(self, *given: Any) -> None:
        self.calls += 1
        if self.calls == 5:
            raise RuntimeError("the process ends here")
        super().post(*given)


def test_what_was_told_alone_is_not_told_again_by_the_next_worker(both_pages: Pages, ear: Ear) -> None:
    pages = both_pages
    listen(pages, webhook=ear.url)
    happen(pages, 6)
    ear.refuses = b'"A key 5"'
    minutes(pages, 1, Dying(Guarded(allow_private=True)))
    minutes(pages, 3)
    assert told_without(ear, "A key 5") == [f"A key {i}" for i in range(5)]


def test_quiet_hours_reach_over_midnight(pages: Pages) -> None:
    night = pages.now.replace(hour=23, minute=30)
    assert quiet_until(night, 22, 7, "UTC") == night.replace(hour=7, minute=0) + timedelta(days=1)
    assert quiet_until(night.replace(hour=6), 22, 7, "UTC") == night.replace(hour=7, minute=0)
    assert quiet_until(night.replace(hour=12), 22, 7, "UTC") is None


def test_an_alert_never_reaches_into_a_private_network(pages: Pages, ear: Ear) -> None:
    listen(pages, webhook=ear.url)
    fail(pages, 5)
    pages.site.clock.advance(61)
    pages.work()  # the real client, which may not call this machine
    assert ear.heard == []
    page = pages.press(pages.get("/settings/alerts"), "Save", webhook="https://127.0.0.1/x", email="nobody")
    assert page.status == 400
    assert "Enter one address, such as ops@example.com." in page.words


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "10.1.2.3", "169.254.169.254"]
)
def test_a_webhook_in_a_private_network_is_refused_when_it_is_saved(pages: Pages, host: str) -> None:
    page = pages.press(pages.get("/settings/alerts"), "Save", webhook=f"https://{host}/x")
    assert (page.status, "This link leads into a private network." in page.words) == (400, True)


def test_the_settings_are_kept_and_a_test_is_sent(pages: Pages) -> None:
    page = pages.press(pages.get("/settings/alerts"), "Save", conversation="215470000000042")
    assert "Saved." in page.words
    assert "A test is on its way." in pages.press(page, "Send a test").words
    calls = pages.site.intercom.control("GET", "log")
    assert "A test of the alerts" in json.dumps(calls)


def test_a_secret_whose_key_is_gone_is_said_and_made_anew(pages: Pages) -> None:
    lost = Sealer([Fernet.generate_key().decode()], "s" * 32).seal("hook-secret")
    listen(pages, webhook="https://93.184.216.34/hook", secret_sealed=lost)
    page = pages.get("/settings/alerts")
    assert (page.status, "secret cannot be opened" in page.words) == (200, True)
    saved = pages.press(page, "Save")
    assert "secret cannot be opened" not in saved.words
    assert "with this secret" in saved.words


class Postbox(threading.Thread):
    """A mail server of a few words, for one message."""

    def __init__(self, refuse: bytes = b"") -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.refuse, self.got = refuse, b""
        self.logins: list[bytes] = []
        self.start()

    def run(self) -> None:
        line, _ = self.socket.accept()
        with line, line.makefile("rb") as said:
            line.sendall(b"220 here\r\n")
            for words in said:
                verb = words[:4].upper()
                if verb == b"DATA":
                    line.sendall(b"354 go on\r\n")
                    while (part := said.readline()) != b".\r\n":
                        self.got += part
                    line.sendall(b"250 taken\r\n")
                elif verb == b"RCPT" and self.refuse:
                    line.sendall(self.refuse)
                elif verb == b"EHLO":
                    line.sendall(b"250-here\r\n250 AUTH PLAIN\r\n")
                elif verb == b"AUTH":
                    self.logins.append(words)
                    line.sendall(b"235 welcome\r\n")
                elif verb == b"QUIT":
                    line.sendall(b"221 bye\r\n")
                    return
                else:
                    line.sendall(b"250 ok\r\n")


def test_an_alert_by_mail_is_plain_and_known_again_by_its_id(pages: Pages) -> None:
    postbox = Postbox()
    listen(pages, email="ops@example.com")
    fail(pages, 5)
    pages.site.clock.advance(61)
    work_with(pages, mail=Mail(f"smtp://127.0.0.1:{postbox.port}", "redeliver@example.com"))
    postbox.join(5)
    assert b"To: ops@example.com" in postbox.got
    assert b"@example.com>" in next(row for row in postbox.got.splitlines() if row.startswith(b"Message-ID"))
    assert TEXT.encode() not in postbox.got


def mailed(pages: Pages) -> bytes:
    """What a good mail server gets when the worker works a minute later."""
    postbox = Postbox()
    pages.site.clock.advance(61)
    work_with(pages, mail=Mail(f"smtp://127.0.0.1:{postbox.port}", "redeliver@example.com"))
    postbox.join(1)
    return postbox.got


def test_a_line_break_in_an_id_keeps_no_alert_from_being_mailed(pages: Pages) -> None:
    listen(pages, email="ops@example.com", kinds=["incident_opened"])
    why = "(#132001) Template name does not exist in the translation"
    for number in range(5):
        told = {"message_id": 7000 + number, "destination_phone": f"+35387123000{number}", "status": "failed"}
        told |= {"template_id": "90001\n77", "failure_reason": why}
        assert pages.site.gateway("/track", told, keys.WHATSAPP).status_code == 201
    look(pages)
    assert b"Redeliver, Redeliver sandbox: Template 90001 77: Template" in mailed(pages)
    fail(pages, 5)
    assert b"Redeliver, Redeliver sandbox: SMS: No credit left" in mailed(pages)


def test_a_mail_that_cannot_be_written_is_refused_as_any_other() -> None:
    with pytest.raises(CallFailed) as refused:
        Mail("smtp://127.0.0.1:1", "redeliver@example.com").send("ops@example.com", "A\nB", "Words", "d1")
    assert not refused.value.may_retry


def test_an_alert_that_is_refused_keeps_no_other_from_being_told(pages: Pages, ear: Ear) -> None:
    listen(pages, webhook=ear.url, kinds=["incident_opened"])
    ear.refuses = b"No credit left"
    fail(pages, 5)
    pages.site.clock.advance(61)
    work(pages)
    assert "The webhook answered 400." in pages.get("/settings/alerts").words
    fail(pages, WINDOW, "account_suspended", start=5)
    pages.site.clock.advance(61)
    work(pages)
    told = [body for _, body in ear.heard if b"No credit left" not in body]
    assert len(told) == 1
    ear.refuses = b""
    fail(pages, WINDOW, "channel_misconfigured", start=50)
    pages.site.clock.advance(61)
    work(pages)
    assert b"No credit left" in ear.heard[-1][1]


def test_a_mail_server_that_refuses_is_not_asked_again() -> None:
    postbox = Postbox(refuse=b"550 nobody here\r\n")
    mail = Mail(f"smtp://127.0.0.1:{postbox.port}", "redeliver@example.com")
    with pytest.raises(CallFailed) as refused:
        mail.send("ops@example.com", "Words", "Words", "d1")
    assert not refused.value.may_retry


def test_a_password_is_not_told_to_a_mail_server_without_encryption(pages: Pages) -> None:
    postbox = Postbox()
    listen(pages, email="ops@example.com", kinds=["incident_opened"])
    fail(pages, 5)
    pages.site.clock.advance(61)
    # 127.1 leads here, but cannot be told from an address elsewhere.
    work_with(pages, mail=Mail(f"smtp://ann:secret@127.1:{postbox.port}", "redeliver@example.com"))
    postbox.join(5)
    assert postbox.logins == []
    assert postbox.got == b""
    assert "The mail server offers no encryption (STARTTLS)" in pages.get("/settings/alerts").words


def test_a_mail_server_on_the_same_machine_needs_no_encryption() -> None:
    postbox = Postbox()
    mail = Mail(f"smtp://ann:secret@127.0.0.1:{postbox.port}", "redeliver@example.com")
    mail.send("ops@example.com", "Words", "Words", "d1")
    postbox.join(5)
    assert len(postbox.logins) == 1
    assert b"To: ops@example.com" in postbox.got


def test_a_mail_server_that_asks_to_come_again_gets_the_alert_later(pages: Pages) -> None:
    listen(pages, email="ops@example.com")
    fail(pages, 5)
    pages.site.clock.advance(61)
    for answer in (b"450 greylisted, come again\r\n", b""):
        postbox = Postbox(refuse=answer)
        work_with(pages, mail=Mail(f"smtp://127.0.0.1:{postbox.port}", "redeliver@example.com"))
        pages.site.clock.advance(3600)
        postbox.join(5)
    assert b"To: ops@example.com" in postbox.got


def test_quiet_hours_that_end_as_they_begin_are_asked_about(pages: Pages) -> None:
    page = pages.press(pages.get("/settings/alerts"), "Save", quiet_from="8", quiet_to="8")
    assert page.status == 400
    assert "Enter two different hours." in page.words
    assert page.form("Save").values["quiet_from"] == "8"
