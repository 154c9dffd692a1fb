"""Ten thousand requests that are almost right: none is accepted, none breaks anything."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from canvas.store import erasing
from canvas.store.database import reading
from canvas.surfaces import sessions
from canvas.surfaces.guard import body_signature, hub_signature
from canvas.surfaces.signature_hubspot import as_signed, sign_v1, sign_v2, sign_v3
from tests.desk import SECRET as INTERCOM_SECRET
from tests.edges.tenants import HOST, World, token_of
from tests.hubspot.desk import APP_ID, PUBLIC_URL
from tests.hubspot.desk import SECRET as HUBSPOT_SECRET

SEED = 20261123
PROOFS = 8_000  # altered so that the proof no longer fits: all must be refused
BODIES = 2_000  # altered inside a right proof: any answer but a 5xx


@dataclass(frozen=True, slots=True)
class Call:
    """One request as bytes. `proofs` are the headers that prove it; `refused` the statuses that refuse it."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]
    proofs: tuple[str, ...]
    covers_body: bool = True
    covers_path: bool = False


def intercom(world: World, path: str, body: bytes) -> Call:
    proof = {"X-Body-Signature": body_signature(INTERCOM_SECRET, body)}
    return Call("POST", path, body, proof, ("X-Body-Signature",))


def hubspot_v3(world: World, method: str, path: str, body: bytes) -> Call:
    portal = world.mine["hubspot"]
    joint = "&" if "?" in path else "?"
    path = f"{path}{joint}userId=1&portalId={portal.external_id}&userEmail=a%40b.ie&appId={APP_ID}"
    stamp = str(int(world.desk.clock().timestamp() * 1000))
    proof = sign_v3(HUBSPOT_SECRET, method, as_signed(PUBLIC_URL + path), body, stamp)
    headers = {"X-HubSpot-Signature-v3": proof, "X-HubSpot-Request-Timestamp": stamp}
    return Call(method, path, body, headers, tuple(headers), covers_path=True)


def valid_calls(world: World) -> list[Call]:
    """Right calls to every kind of guard; each is accepted as it stands."""
    mine, portal = world.mine["intercom"], world.mine["hubspot"]
    shown = b'{"workspace_id":"%s","contact":{"id":"%s"}}' % (
        mine.external_id.encode(),
        mine.contact.encode(),
    )
    click = shown[:-1] + b',"component_id":"fix:%s"}' % token_of(world, mine.message).encode()
    run = b'{"callbackId":"ap-1","origin":{"portalId":%s},"object":{"objectId":"x"}}' % (
        portal.external_id.encode()
    )
    note = b'{"app_id":"%s","id":"n1","topic":"contact.created","data":{"item":{"id":"c9"}}}' % (
        mine.external_id.encode()
    )
    events = b'[{"portalId":%s,"subscriptionType":"contact.deletion","objectId":"1"}]' % (
        portal.external_id.encode()
    )
    v1 = {"X-HubSpot-Signature": sign_v1(HUBSPOT_SECRET, events), "X-HubSpot-Signature-Version": "v1"}
    path = "/hubspot/workflow/check"
    v2 = {
        "X-HubSpot-Signature": sign_v2(HUBSPOT_SECRET, "POST", PUBLIC_URL + path, run),
        "X-HubSpot-Signature-Version": "v2",
    }
    key = {"X-Octopods-Auth": mine.key, "Content-Type": "application/json"}
    cookie = {"Cookie": f"{cookie_name(world)}={mine.cookie}"}
    return [
        intercom(world, "/intercom/initialize", shown),
        intercom(world, "/intercom/submit", click),
        Call(
            "POST",
            "/intercom/webhooks",
            note,
            {"X-Hub-Signature": hub_signature(INTERCOM_SECRET, note)},
            ("X-Hub-Signature",),
        ),
        hubspot_v3(world, "GET", f"/hubspot/card?objectId={portal.contact}", b""),
        hubspot_v3(world, "POST", "/hubspot/card/fix", b'{"fix":"x"}'),
        Call("POST", "/hubspot/webhooks", events, v1, ("X-HubSpot-Signature",)),
        Call("POST", path, run, v2, ("X-HubSpot-Signature",), covers_path=True),
        Call(
            "POST",
            "/api/v1/diagnose",
            b'{"text":"blocked","channel":"sms"}',
            key,
            ("X-Octopods-Auth",),
            False,
        ),
        Call("POST", "/api/v1/check", b'{"destination_phone":"+1"}', key, ("X-Octopods-Auth",), False),
        Call("GET", "/history", b"", cookie, ("Cookie",), False),
        Call("GET", "/metrics", b"", {"Authorization": "Bearer a-metrics-token"}, ("Authorization",), False),
        Call("GET", f"/m/{world.desk.flow.message_links.token(mine.message)}", b"", {}, (), False, True),
    ]


def cookie_name(world: World) -> str:
    with world.app.app_context():
        return sessions.cookie_name()


def altered(dice: random.Random, value: bytes) -> bytes:
    """The same bytes with one small change."""
    place = dice.randrange(len(value) + 1)
    kind = dice.randrange(6)
    if kind == 0 and value:
        place = min(place, len(value) - 1)
        return value[:place] + bytes([value[place] ^ (1 << dice.randrange(8))]) + value[place + 1 :]
    if kind == 1 and value:
        return value[:place] if place < len(value) else value[:-1]
    if kind == 2:
        return value[:place] + dice.randbytes(dice.randrange(1, 9)) + value[place:]
    if kind == 3 and len(value) > 1:
        return value.swapcase() if value.swapcase() != value else value + value
    if kind == 4:
        return b""
    return value + dice.choice([b"\x00", b"%00", b"'", b"\xff\xfe", b"=", b" x", b'"}]', b"A" * 5000])


def header_text(value: bytes) -> str:
    """Bytes as a header can carry them."""
    return value.replace(b"\r", b"?").replace(b"\n", b"?").replace(b"\x00", b"?").decode("latin-1")


def break_proof(dice: random.Random, call: Call) -> Call:
    """The call with its proof, or what the proof covers, altered so that they no longer fit."""
    choices: list[Callable[[], Call]] = []
    for name in call.proofs:
        choices.append(partial(_without, call, name))
        choices.append(partial(_spoilt, dice, call, name))
    if call.covers_body:
        choices.append(lambda: replace(call, body=altered(dice, call.body)))
    if call.covers_path:
        choices.append(lambda: replace(call, path=_spoilt_path(dice, call.path)))
    while True:
        broken = dice.choice(choices)()
        if broken != call and not _same_meaning(call, broken):
            return broken


def _same_meaning(call: Call, broken: Call) -> bool:
    """Headers are compared without the blanks around them, as HTTP says."""
    strip = {name: value.strip() for name, value in broken.headers.items()}
    return (broken.path, broken.body, strip) == (call.path, call.body, call.headers)


def _without(call: Call, name: str) -> Call:
    return replace(call, headers={key: value for key, value in call.headers.items() if key != name})


def _spoilt(dice: random.Random, call: Call, name: str) -> Call:
    prefix, value = "", call.headers[name]
    if name == "Cookie":
        prefix, _, value = value.partition("=")
        prefix += "="
    spoilt = prefix + header_text(altered(dice, value.encode()))
    return replace(call, headers={**call.headers, name: spoilt})


def _spoilt_path(dice: random.Random, path: str) -> str:
    """Another query or token, within the same route."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    start = path.rindex("/") + 1 if path.startswith("/m/") else len(path)
    if start == len(path):
        joint = "&" if "?" in path else "?"
        return f"{path}{joint}{dice.choice(letters)}={dice.choice(letters)}"
    place = dice.randrange(start, len(path))
    return path[:place] + dice.choice(letters.replace(path[place], "")) + path[place + 1 :]


def mutants(world: World) -> Iterator[tuple[bool, Call]]:
    """Whether it must be refused, and the call."""
    dice = random.Random(SEED)
    calls = valid_calls(world)
    for _ in range(PROOFS):
        yield True, break_proof(dice, dice.choice(calls))
    resigned = [c for c in calls if c.body]
    for _ in range(BODIES):
        call = dice.choice(resigned)
        yield False, resign(world, replace(call, body=altered(dice, call.body)))


def resign(world: World, call: Call) -> Call:
    """The altered body with a proof that fits it again."""
    if "X-Body-Signature" in call.headers:
        return intercom(world, call.path, call.body)
    if "X-Hub-Signature" in call.headers:
        return replace(call, headers={"X-Hub-Signature": hub_signature(INTERCOM_SECRET, call.body)})
    if "X-HubSpot-Signature-v3" in call.headers:
        return hubspot_v3(world, call.method, call.path.partition("?")[0], call.body)
    if call.headers.get("X-HubSpot-Signature-Version") == "v1":
        return replace(
            call, headers={**call.headers, "X-HubSpot-Signature": sign_v1(HUBSPOT_SECRET, call.body)}
        )
    if call.headers.get("X-HubSpot-Signature-Version") == "v2":
        proof = sign_v2(HUBSPOT_SECRET, call.method, PUBLIC_URL + call.path, call.body)
        return replace(call, headers={**call.headers, "X-HubSpot-Signature": proof})
    return call


def status_of(client: Any, call: Call) -> int:
    response = client.open(
        call.path,
        method=call.method,
        data=call.body,
        headers=Headers(list(call.headers.items())),
        base_url=f"https://{HOST}",
    )
    return int(response.status_code)


@pytest.mark.timeout(300)
def test_ten_thousand_altered_requests_are_neither_accepted_nor_break_anything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.app.config["METRICS_TOKEN"] = "a-metrics-token"
    monkeypatch.setattr(world.app.extensions["redeliver"].limits, "_rules", {})
    monkeypatch.setattr(type(world.app.extensions["redeliver"].limits), "_wait", lambda *_: 0)
    client = world.app.test_client(use_cookies=False)
    for call in valid_calls(world):
        assert status_of(client, call) in (200, 204), call
    sends, rows = len(world.desk.octopods.sends()), counted(world)
    accepted: list[Call] = []
    broken: list[Call] = []
    statuses: Counter[int] = Counter()
    for must_be_refused, call in mutants(world):
        status = status_of(client, call)
        statuses[status] += 1
        if status >= 500:
            broken.append(call)
        if must_be_refused and status < 400:
            accepted.append(call)
    assert statuses.total() == 10_000
    assert accepted == []
    assert broken == []
    assert len(world.desk.octopods.sends()) == sends
    assert counted(world) == rows


def counted(world: World) -> list[dict[str, int]]:
    with reading(world.desk.flow.engine) as conn:
        return [erasing.rows(conn, t.install.id) for t in (*world.mine.values(), *world.theirs.values())]
