"""What can go wrong with a call, told by whose move is next.

    CallFailed                  may_retry  may_have_happened
    ├── NotReached                 yes        no      it never left: name, refusal, TLS, connect time-out
    ├── Unsure                     no         yes     it left, and no clear answer came back
    ├── BrokenAnswer               yes        no      a question that changes nothing got no usable answer
    ├── RateLimited                yes        no      told to wait until `retry_at`
    └── Refused                    no         no      declined; the same call will be declined again
        └── Unauthorised           no         no      the key or token is not valid, or may not do this

A single error may differ from its kind: an update that may be repeated harmlessly is `Unsure` with
`may_retry=True`. Neither `str` nor `repr` of an error holds a key, a header or a body.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

BODY_LIMIT = 64 * 1024  # characters of an answer kept as evidence


class CallFailed(Exception):
    """A call to a vendor did not bring what it should.

    `message` is one plain sentence for people. `status` and `body` (verbatim, cut at 64 K characters) are
    what came back, if anything did. `code` is the vendor's own code, `request_id` what its support asks for,
    and `details` holds what else the vendor named, such as the other contact's id.
    """

    may_retry = False
    may_have_happened = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        body: str = "",
        retry_at: datetime | None = None,
        may_retry: bool | None = None,
        code: str | None = None,
        request_id: str | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.body = body[:BODY_LIMIT]
        self.retry_at = retry_at
        self.code = code
        self.request_id = request_id
        self.details = dict(details or {})
        if may_retry is not None:
            self.may_retry = may_retry


class NotReached(CallFailed):
    """The request certainly did not leave: it may be made again."""

    may_retry = True


class Unsure(CallFailed):
    """The request left and may have been carried out: never again without checking first."""

    may_have_happened = True


class BrokenAnswer(CallFailed):
    """A question that changes nothing was not answered usably: ask again later."""

    may_retry = True


class RateLimited(CallFailed):
    """Too many calls; nothing happened. `retry_at` is always set, see `waiting.retry_at`."""

    may_retry = True
    retry_at: datetime


class Refused(CallFailed):
    """The vendor declined; nothing happened, and the same call would be declined again."""


class Unauthorised(Refused):
    """The key or token is wrong, revoked or lacks a permission: a person has to mend that first."""
