"""The yardstick: a Flask app that checks the same signatures and returns a fixed body, and does nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path

from flask import Flask, Response, request

PUBLIC_URL = os.environ.get("PUBLIC_URL", "")
SECRET = os.environ.get("INTERCOM_CLIENT_SECRET", "")
BODY = Path(os.environ["BENCH_BODY"]).read_bytes() if "BENCH_BODY" in os.environ else b""

app = Flask(__name__)


@app.post("/intercom/initialize")
def initialize() -> Response:
    wanted = hmac.new(SECRET.encode(), request.get_data(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(request.headers.get("X-Body-Signature", "").encode(), wanted.encode()):
        return Response(status=401)
    return Response(BODY, mimetype="application/json")


@app.get("/hubspot/card")
def card() -> Response:
    signed = ("GET" + PUBLIC_URL + request.environ["RAW_URI"]).replace("%40", "@").replace("%2F", "/")
    signed += request.headers.get("X-HubSpot-Request-Timestamp", "")
    wanted = base64.b64encode(hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest())
    if not hmac.compare_digest(request.headers.get("X-HubSpot-Signature-v3", "").encode(), wanted):
        return Response(status=401)
    return Response(BODY, mimetype="application/json")
