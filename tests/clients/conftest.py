from tests.fakes import (  # noqa: F401
    fake_intercom,
    fake_octopods,
    intercom_server,
    octopods_server,
)
