"""The moment to go on after "too many requests", in whatever way it is told."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.clients.waiting import retry_at

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("header", "body", "wait"),
    [
        ("90", "", 90),
        (" 90 ", '{"retry_at": "2026-11-23T12:10:00Z"}', 90),
        ("1.5", "", 1.5),
        ("Mon, 23 Nov 2026 12:02:00 GMT", "", 120),
        ("2026-11-23T12:02:00Z", "", 120),
        ("86401", "", 86400),
        ("999999999", "", 86400),
        ("Mon, 30 Nov 2026 12:00:00 GMT", '{"retry_at": "2026-11-23T12:10:00Z"}', 86400),
        ("", '{"retry_at": "2026-11-23T12:05:00Z"}', 300),
        ("", '{"retry_at": "2026-11-23T12:05:00.123456789+00:00"}', 300.123456),
        ("", '{"x": [{"until": "2026-11-23T13:05:00+01:00"}]}', 300),
        ("", "too many requests, try after 2026-11-23 12:05:00", 300),
        ("", "too many requests, try after 2026-11-23 12:05 UTC", 300),
        ("", f'{{"retry_after_timestamp": {SECONDS + 42}}}', 42),
        ("", f'{{"retry_at": "{(SECONDS + 42) * 1000}"}}', 42),
        ("", '{"retry_after": 30}', 30),
        ("", '{"error": "Too many requests. Retry in 45 seconds"}', 45),
        ("", f'{{"now": {SECONDS}, "created": "2019-01-01T00:00:00Z", "until": {SECONDS + 9}}}', 9),
    ],
)
def test_the_time_is_found_wherever_it_stands(header: str, body: str, wait: float) -> None:
    assert retry_at({"Retry-After": header}, body, NOW) == NOW + timedelta(seconds=wait)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("", ""),
        ("0", ""),
        ("-5", ""),
        ("soon", ""),
        ("Mon, 23 Nov 2020 12:02:00 GMT", ""),
        ("", '{"retry_at": "2026-13-45T12:05:00Z"}'),
        ("", '{"retry_at": "2026-11-25T12:05:00Z"}'),
        ("", '{"phone": "+3538712345", "id": 12345678901234567890}'),
        ("", '{"retry_at": null}'),
        ("", "<html>429</html>"),
    ],
)
def test_a_time_that_makes_no_sense_is_a_minute(header: str, body: str) -> None:
    assert retry_at({"Retry-After": header}, body, NOW) == NOW + timedelta(seconds=60)


@given(header=st.text(max_size=30), body=st.text(max_size=80))
def test_whatever_is_said_the_wait_is_sane(header: str, body: str) -> None:
    at = retry_at({"Retry-After": header}, body, NOW)
    assert NOW < at <= NOW + timedelta(hours=24)


def test_a_long_body_is_answered_at_once() -> None:
    assert retry_at({}, "1" * 1_000_000 + "retry" * 1000, NOW) == NOW + timedelta(seconds=60)
