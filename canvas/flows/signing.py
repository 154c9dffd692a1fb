"""One signer for everything we sign: a token counts only as it was written, to the last character."""

from __future__ import annotations

import hashlib

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode


class ExactSigner(TimestampSigner):
    """Refuses another spelling of a right signature.

    The last character of base64 carries bits that decoding drops, so four spellings mean the same bytes.
    """

    default_digest_method = staticmethod(hashlib.sha256)

    def verify_signature(self, value: str | bytes, sig: str | bytes) -> bool:
        given = sig.encode() if isinstance(sig, str) else sig
        try:
            exact = base64_encode(base64_decode(given)) == given
        except BadData:
            return False
        return exact and super().verify_signature(value, given)


def serializer(secret_key: str, salt: str) -> URLSafeTimedSerializer:
    """Signs JSON values for one purpose, named by `salt`, with the time of signing."""
    return URLSafeTimedSerializer(secret_key, salt=salt, signer=ExactSigner)
