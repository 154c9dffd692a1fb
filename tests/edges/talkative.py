"""The app at its most talkative, as a process of its own: everything it prints is to be searched for secrets.

The masking net is taken away on purpose: what is looked for must not be logged in the first place.
"""

from __future__ import annotations

import json
import sys

from flask.testing import FlaskClient
from sqlalchemy import select, text

from canvas import config, factory
from canvas.flows import installs, retention
from canvas.flows.carry_out import sweep
from canvas.flows.context import Flow
from canvas.store import messages as message_store
from canvas.store import migrate, rotation
from canvas.store.database import writing
from canvas.store.tables import messages
from canvas.surfaces.guard import body_signature


def main(phone: str, words: str, key: str, token: str) -> None:
    factory._mask = lambda _logger, _method, event: event
    settings = config.load()
    flow = factory.build_flow(settings, lambda action_id, due_at: None)
    migrate.upgrade(flow.engine)
    app = factory.create_app(settings, flow)
    installs.connect(flow, "intercom", "abcd123", token, settings={"country": "SE"})
    channel = installs.add_channel(flow, "intercom:abcd123", "sms", key, None, None)
    print(repr(flow), repr(settings), repr(channel), repr(installs.everyone(flow)), repr(flow.sealer))
    client = app.test_client()
    headers = {"X-Octopods-Auth": key, "Content-Type": "application/json", "X-Intercom-Contact-Id": "c1"}
    body = json.dumps({"destination_phone": phone, "body": words})
    for path in ("/api/v1/sms/messages", "/api/v1/diagnose", "/api/v1/check", "/api/v1/nowhere"):
        print(client.post(path, data=body, headers=headers).status_code)
        client.post(path, data=body, headers={**headers, "X-Octopods-Auth": f"{key}x"})
        client.post(path, data=body[:-3], headers=headers)
    shown = json.dumps({"workspace_id": "abcd123", "contact": {"id": "c1", "phone": phone}}).encode()
    signed = {"X-Body-Signature": body_signature(settings["INTERCOM_CLIENT_SECRET"], shown)}
    # The agent of this workspace may see the words; keys and tokens nobody may.
    answers = [client.post("/intercom/initialize", data=shown, headers=signed).text]
    answers.append(client.post("/intercom/initialize", data=shown, headers={"X-Body-Signature": "x"}).text)
    sys.stderr.write("\n".join(answers))
    sweep(flow)
    flow.engine.dispose()
    flow.octopods.forward = lambda *_: 1 / 0  # type: ignore[method-assign, assignment]
    print(client.post("/api/v1/sms/messages", data=body, headers=headers).text)
    retention.purge(flow)
    print(rotation.rotate(flow.engine, flow.sealer))
    _open_links_over_a_broken_store(flow, client)


def _open_links_over_a_broken_store(flow: Flow, client: FlaskClient) -> None:
    """Follow and press the link to a message; its bearer token is the last line on stderr."""
    with writing(flow.engine) as conn:
        install_id, message_id = conn.execute(select(messages.c.install_id, messages.c.id)).first() or (0, "")
        message = message_store.get(conn, install_id, message_id)
        conn.execute(text("ALTER TABLE messages RENAME TO gone"))
    assert message
    token = flow.message_links.token(message)
    print(client.get(f"/m/{token}").status_code, client.post(f"/m/{token}/fix").status_code)
    sys.stderr.write(f"\n{token}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
