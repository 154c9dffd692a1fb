"""The web app, for `gunicorn app:app` and `flask --app app …`."""

from canvas.cli.commands import register
from canvas.factory import create_app

app = create_app()
register(app)
