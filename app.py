"""The web app, for `gunicorn app:app` and `flask --app app …`."""

import gc

from canvas.cli.commands import register
from canvas.config import BadSetting
from canvas.factory import NoDatabase, create_app

try:
    app = create_app()
except (BadSetting, NoDatabase) as error:
    raise SystemExit(f"Redeliver does not start. {error}.") from None
register(app)
# What was built until here lives as long as the process: the collector need not walk it again and again.
gc.freeze()
