"""Every documented code is found in every body in which its provider sends it."""

import pytest

from canvas.knowledge.diagnose import diagnose
from canvas.knowledge.model import OPTED_OUT, Evidence
from tests.knowledge.every_code import Body, bodies, filled


@pytest.mark.parametrize("body", bodies(), ids=lambda body: f"{body['provider']}: {body['what']}")
def test_each_code_is_found_in_its_providers_body(body: Body) -> None:
    tried = list(filled(body))
    misread = {one.row.code for one in tried if not one.is_read}
    assert tried
    assert misread <= set(body.get("misread", ()))


def test_hardly_a_code_is_misread_or_overruled() -> None:
    tried = [one for body in bodies() for one in filled(body)]
    wrong = [one for one in tried if not one.is_right]
    assert len(tried) > 12_000
    assert len(wrong) < len(tried) / 100


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ('{"data":{"payload":{"to":[{"phone_number":"+15550100"}],"from":{"phone_number":"+15550101"},'
         '"text":"Sale! Reply STOP to opt out","errors":[{"code":"40012","title":"x"}]}}}', "telnyx"),
        ('[{"type":"message-failed","errorCode":4720,"message":{"to":["+15550100"],"from":"+15550101",'
         '"text":"You have unsubscribed"}}]', "bandwidth"),
    ],
)  # fmt: skip
def test_what_was_sent_is_no_opt_out(text: str, provider: str) -> None:
    assert diagnose(Evidence(text, "sms", provider)).reason != OPTED_OUT


def test_a_group_is_no_code() -> None:
    status = '"groupId":2,"groupName":"UNDELIVERABLE","id":4,"name":"UNDELIVERABLE_REJECTED_OPERATOR"'
    assert diagnose(Evidence(f'{{"status":{{{status}}}}}', "sms", "infobip")).code == "4"
