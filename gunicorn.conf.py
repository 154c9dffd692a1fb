"""gunicorn reads this file by itself. Limits on what a request's head may be; bodies are limited in the app."""

limit_request_line = 8190  # HubSpot's card asks with everything in its address
limit_request_fields = 64
limit_request_field_size = 8190
keepalive = 5
graceful_timeout = 40  # longer than Octopods' read time-out, so that a forwarded send hears its outcome
