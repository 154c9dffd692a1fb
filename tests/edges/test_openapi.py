"""docs/openapi.yaml is true: generated requests get documented answers, and every route of the API stands in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CheckFunction
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from canvas.sandbox.octopods import keys
from tests.desk import Desk

FILE = Path(__file__).parent.parent.parent / "docs" / "openapi.yaml"
CHECKS: list[CheckFunction] = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
KEYS = {"sms": keys.SMS, "whatsapp": keys.WHATSAPP, "vbm": keys.VBM}
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text())


def test_every_route_of_the_api_is_described(desk: Desk) -> None:
    rules = [r for r in desk.app.url_map.iter_rules() if r.rule.startswith("/api/v1/")]
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")), method.lower())
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert described == served


@pytest.mark.timeout(200)
@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_generated_requests_get_documented_answers(desk: Desk, path: str) -> None:
    desk.connect("whatsapp", "sms", "vbm")
    schema = schemathesis.openapi.from_dict({**DOCUMENT, "paths": {path: DOCUMENT["paths"][path]}})
    schema.app = desk.app
    key = KEYS.get(path.split("/")[1], keys.SMS)

    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=12,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answered(case: schemathesis.Case[Any]) -> None:
            response = case.call(headers={"X-Octopods-Auth": key})
            case.validate_response(response, checks=CHECKS)

        answered()
