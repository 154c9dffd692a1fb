from tests.fakes import (  # noqa: F401
    fake_hubspot,
    fake_intercom,
    fake_octopods,
    hubspot_server,
    intercom_server,
    octopods_server,
)
