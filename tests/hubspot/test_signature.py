"""Signature v1, v2 and v3 against HubSpot's published values, our own vectors and HubSpot's own helper."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hubspot.utils.signature import Signature
from hypothesis import given
from hypothesis import strategies as st

from canvas.surfaces import signature_hubspot as signature

VECTORS = json.loads(Path(__file__).with_name("signatures.json").read_text())
SECRET = VECTORS["client_secret"]
PUBLIC_URL = "https://companion.example.test"
SIGNED_AT = datetime.fromtimestamp(int(VECTORS["timestamp"]) / 1000, UTC)
V3 = {vector["name"]: vector for vector in VECTORS["v3"]}
ALTERED = [("fix_post", case) for case in VECTORS["v3_wrong_for_fix_post"]] + [
    ("reserved_kept_encoded", case) for case in VECTORS["v3_wrong_for_reserved_kept_encoded"]
]


def name_of(value: object) -> object:
    """The id of a parametrised test: the vector's own name, where it has one."""
    return value["name"] if isinstance(value, dict) and "name" in value else None


def received(vector: dict[str, Any], **headers: str) -> signature.SignedRequest:
    url = vector.get("url_as_received") or vector["uri"]
    sent = {
        "X-HubSpot-Signature-v3": vector.get("signature_v3", ""),
        "X-HubSpot-Request-Timestamp": VECTORS["timestamp"],
    }
    return signature.SignedRequest(
        method=vector["method"],
        target=url.removeprefix(PUBLIC_URL),
        body=vector["body"].encode(),
        headers=sent | headers,
    )


def accepts(
    request: signature.SignedRequest,
    now: datetime = SIGNED_AT,
    accepted: tuple[str, ...] = ("v3",),
    secrets: tuple[str, ...] = (SECRET,),
) -> bool:
    try:
        signature.check(request, public_url=PUBLIC_URL, secrets=secrets, now=now, accepted=accepted)
    except signature.Refused:
        return False
    return True


@pytest.mark.parametrize("vector", VECTORS["v3"], ids=name_of)
def test_a_v3_signature_over_the_received_bytes_is_accepted(vector: dict[str, Any]) -> None:
    assert signature.as_signed(vector["url_as_received"]) == vector["url_as_signed"]
    assert accepts(received(vector))


@pytest.mark.parametrize(("name", "case"), ALTERED, ids=name_of)
def test_a_v3_signature_over_anything_else_is_refused(name: str, case: dict[str, Any]) -> None:
    request = received(V3[name], **{"X-HubSpot-Signature-v3": case["signature_v3"]})
    assert accepts(request) is (case["accept"] == "optional")


@pytest.mark.parametrize("case", VECTORS["published"], ids=lambda case: f"{case['method']} {case['url']}")
def test_hubspots_published_values_come_out_of_our_signers(case: dict[str, Any]) -> None:
    secret, method, url, body = case["secret"], case["method"], case["url"], case["body"].encode()
    assert signature.sign_v2(secret, method, url, body) == case["v2"]
    if "v1" in case:
        assert signature.sign_v1(secret, body) == case["v1"]
    if "v3" in case:
        assert signature.sign_v3(secret, method, url, body, case["timestamp"]) == case["v3"]


@given(body=st.text(), query=st.text("abc=&%40/+", max_size=40), stamp=st.integers(10**12, 10**13 - 1))
def test_hubspots_own_helper_computes_the_same_signatures(body: str, query: str, stamp: int) -> None:
    url = f"{PUBLIC_URL}/hubspot/card?{query}"
    raw = body.encode("utf-8", "replace")
    text = raw.decode()
    theirs = Signature.get_signature
    assert signature.sign_v1(SECRET, raw) == theirs(SECRET, text, "v1")
    assert signature.sign_v2(SECRET, "POST", url, raw) == theirs(SECRET, text, "v2", url, "POST")
    assert signature.sign_v3(SECRET, "POST", url, raw, str(stamp)) == theirs(
        SECRET, text, "v3", url, "POST", str(stamp)
    )


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_stale_and_a_future_request_are_refused(minutes: int) -> None:
    assert accepts(received(V3["fix_post"]), SIGNED_AT + timedelta(minutes=minutes / 1.21))
    assert not accepts(received(V3["fix_post"]), SIGNED_AT + timedelta(minutes=minutes))


@pytest.mark.parametrize("stamp", ["", "1795430400", "1795430400000.0", "+795430400000", "１795430400000"])
def test_a_timestamp_that_is_not_thirteen_digits_is_refused(stamp: str) -> None:
    request = received(V3["fix_post"])
    url = V3["fix_post"]["url_as_signed"]
    proof = signature.sign_v3(SECRET, "POST", url, request.body, stamp)
    headers = {"X-HubSpot-Signature-v3": proof, "X-HubSpot-Request-Timestamp": stamp}
    assert not accepts(received(V3["fix_post"], **headers))


@pytest.mark.parametrize("proof", ["", "ÿþ", "\ud800", "XZnRL+YvuGynCnd3Fnd3fOzpIZG3EnDTW6zGguzcEC0"])
def test_a_malformed_signature_is_refused_quietly(proof: str) -> None:
    assert not accepts(received(V3["fix_post"], **{"X-HubSpot-Signature-v3": proof}))


def test_while_the_secret_is_rotated_both_secrets_prove_a_request() -> None:
    assert accepts(received(V3["card_get"]), secrets=("the-next-secret", SECRET))
    assert not accepts(received(V3["card_get"]), secrets=("the-next-secret", ""))
    assert not accepts(received(V3["card_get"]), secrets=())


@pytest.mark.parametrize("vector", VECTORS["v2"], ids=name_of)
def test_a_v2_signature_counts_only_where_it_is_expected(vector: dict[str, Any]) -> None:
    headers = {"X-HubSpot-Signature": vector["signature"], "X-HubSpot-Signature-Version": "v2"}
    request = received(vector, **headers)
    assert accepts(request, accepted=("v2", "v3"))
    assert not accepts(request)


def test_a_v1_signature_counts_only_where_it_is_expected() -> None:
    (webhook,) = VECTORS["v1"]
    vector = V3[webhook["body_of"]] | {"signature_v3": ""}
    request = received(vector, **{"X-HubSpot-Signature": webhook["signature"]})
    assert accepts(request, accepted=("v1", "v3"))
    assert not accepts(request, accepted=("v2", "v3"))


def test_a_wrong_v3_signature_is_not_saved_by_a_right_older_one() -> None:
    vector = VECTORS["v2"][0]
    older = {"X-HubSpot-Signature": vector["signature"], "X-HubSpot-Signature-Version": "v2"}
    request = received(vector, **older, **{"X-HubSpot-Signature-v3": V3["card_get"]["signature_v3"]})
    assert not accepts(request, accepted=("v2", "v3"))


@pytest.mark.parametrize("environ", [{}, {"RAW_URI": "https://companion.example.test/x"}, {"RAW_URI": "*"}])
def test_a_target_that_is_not_a_path_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(signature.Refused):
        signature.raw_target(environ)


def test_the_raw_target_is_what_stood_on_the_wire() -> None:
    target = "/hubspot/card?b=%C3%A9&a=one%40two"
    assert signature.raw_target({"RAW_URI": target, "PATH_INFO": "/hubspot/card"}) == target
    assert signature.raw_target({"REQUEST_URI": target}) == target
