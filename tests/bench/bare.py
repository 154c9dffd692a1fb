"""The yardstick: a Flask app that checks the same signature and returns a fixed body, and does nothing else."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from flask import Flask, Response, request

SECRET = os.environ.get("INTERCOM_CLIENT_SECRET", "")
BODY = Path(os.environ["BENCH_BODY"]).read_bytes() if "BENCH_BODY" in os.environ else b""

app = Flask(__name__)


@app.post("/intercom/initialize")
def initialize() -> Response:
    wanted = hmac.new(SECRET.encode(), request.get_data(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(request.headers.get("X-Body-Signature", "").encode(), wanted.encode()):
        return Response(status=401)
    return Response(BODY, mimetype="application/json")
