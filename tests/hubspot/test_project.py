"""What `make hubspot` writes can be uploaded to HubSpot, as far as that can be known without an account.

Rules: HubSpot, "App configuration", "App card reference", "Configure webhooks", "Custom workflow actions"
(https://developers.hubspot.com/docs/apps/developer-platform/build-apps/app-configuration and neighbours).
"""

import importlib.util
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.hubspot import node

ROOT = Path(__file__).parent.parent.parent
SCHEMAS = json.loads(Path(__file__).with_name("metadata.schema.json").read_text())
FOLDERS = {
    "app": "app",
    "card": "app/cards",
    "settings": "app/settings",
    "webhooks": "app/webhooks",
    "workflow-action": "app/workflow-actions",
    "app-event": "app/app-events",
}
NEEDED_SCOPE = {"contacts": "crm.objects.contacts.read", "tickets": "tickets"}
PUBLIC_URL = "https://redeliver.customer.test"

_spec = importlib.util.spec_from_file_location("hubspot_build", ROOT / "hubspot" / "build.py")
assert _spec
assert _spec.loader
builder = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(builder)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "app-events"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("project") / "build"
    built: Path = builder.build(PUBLIC_URL + "/", target, app_events=request.param)
    return built


def metas(project: Path) -> dict[Path, dict[str, Any]]:
    found = {path: json.loads(path.read_text()) for path in project.rglob("*-hsmeta.json")}
    assert len(found) >= 8
    return found


def only(project: Path, kind: str) -> list[dict[str, Any]]:
    return [meta["config"] for meta in metas(project).values() if meta["type"] == kind]


def test_every_metadata_file_follows_hubspots_rules(project: Path) -> None:
    for path, meta in metas(project).items():
        validator = jsonschema.Draft202012Validator(SCHEMAS)
        assert [error.message for error in validator.iter_errors(meta)] == [], path.name
        assert path.parent == project / "src" / FOLDERS[meta["type"]]


def test_uids_are_unique_and_there_is_one_of_what_may_exist_once(project: Path) -> None:
    found = list(metas(project).values())
    uids = [meta["uid"] for meta in found]
    assert len(uids) == len(set(uids))
    kinds = [meta["type"] for meta in found]
    assert [kinds.count(kind) for kind in ("app", "settings", "webhooks")] == [1, 1, 1]


def test_every_entrypoint_exists_and_extends_the_location_it_is_declared_for(project: Path) -> None:
    for config in only(project, "card"):
        source = (project / "src" / config["entrypoint"].lstrip("/")).read_text()
        assert f"hubspot.extend<'{config['location']}'>" in source
    (settings,) = only(project, "settings")
    assert (project / "src" / settings["entrypoint"].lstrip("/")).exists()


@pytest.mark.node
def test_every_entrypoint_is_bundled_from_what_is_uploaded_alone(project: Path, tmp_path: Path) -> None:
    """Without the compiler settings beside the sources, JSX would call a `React` that nobody imported."""
    for config in [*only(project, "card"), *only(project, "settings")]:
        bundle = tmp_path / "bundle.js"
        outside = ("react", "react/jsx-runtime", "@hubspot/ui-extensions", "@hubspot/ui-extensions/crm")
        node.run_tool(
            "esbuild",
            str(project / "src" / config["entrypoint"].lstrip("/")),
            "--bundle",
            "--format=esm",
            f"--outfile={bundle}",
            *(f"--external:{package}" for package in outside),
        )
        assert 'from "react/jsx-runtime"' in bundle.read_text()
        assert "React.createElement" not in bundle.read_text()


def test_the_card_stands_beside_contacts_twice_and_beside_tickets(project: Path) -> None:
    placed = {(config["location"], *config["objectTypes"]) for config in only(project, "card")}
    assert placed == {
        ("crm.record.sidebar", "contacts"),
        ("crm.record.tab", "contacts"),
        ("helpdesk.sidebar", "tickets"),
    }


def test_the_app_asks_for_the_scopes_its_cards_need_and_for_no_sensitive_one(project: Path) -> None:
    (app,) = only(project, "app")
    scopes = set(app["auth"]["requiredScopes"])
    wanted = {NEEDED_SCOPE[kind] for config in only(project, "card") for kind in config["objectTypes"]}
    assert wanted <= scopes
    assert not [scope for scope in scopes if "sensitive" in scope]


def test_app_events_come_with_what_hubspot_demands_of_them(project: Path) -> None:
    (app,) = only(project, "app")
    events = bool(only(project, "app-event"))
    assert app["distribution"] == ("marketplace" if events else "private")
    assert ("timeline" in app["auth"]["requiredScopes"]) is events


def test_every_address_in_the_project_is_ours(project: Path) -> None:
    text = "\n".join(
        path.read_text() for path in project.rglob("*") if path.is_file() and path.name != "package-lock.json"
    )
    assert "redeliver.example.com" not in text
    assert f"'{PUBLIC_URL}'" in (project / "src/app/cards/config.ts").read_text()
    (app,) = only(project, "app")
    assert app["permittedUrls"]["fetch"] == [PUBLIC_URL]
    assert app["auth"]["redirectUrls"] == [f"{PUBLIC_URL}/hubspot/callback"]
    calls = [config["actionUrl"] for config in only(project, "workflow-action")]
    assert sorted(calls) == [f"{PUBLIC_URL}/hubspot/workflow/{name}" for name in ("check", "retry")]


@pytest.mark.parametrize(
    "url",
    [
        "http://redeliver.customer.test",
        "https://localhost:8080",
        "https://127.0.0.1",
        "redeliver",
        "https://a.test/?x=1",
    ],
)
def test_an_address_hubspot_cannot_call_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(builder.BadAddress):
        builder.build(url, tmp_path / "build")
