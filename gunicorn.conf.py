"""gunicorn reads this file by itself. Limits on what a request's head may be; bodies are limited in the app."""

from canvas.config import BadSetting, load

limit_request_line = 8190  # HubSpot's card asks with everything in its address
limit_request_fields = 64
limit_request_field_size = 8190
keepalive = 5
control_socket_disable = True  # it would lie in the home folder, which a service has not
graceful_timeout = 40  # longer than Octopods' read time-out, so that a forwarded send hears its outcome


def on_starting(_server: object) -> None:
    """Refuse wrong settings here, once and for all: a worker that refuses is only started again, for ever."""
    try:
        load()
    except BadSetting as error:
        raise SystemExit(f"Redeliver does not start. {error}.") from None
