"""Imports lean downwards only, and each floor keeps to what it may do."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "canvas"
FLOORS = ["knowledge", "domain", "store", "clients", "flows", "surfaces"]
TOP = ["config", "factory", "worker", "cli", "sandbox"]
FORBIDDEN = {
    "knowledge": {"flask", "sqlalchemy", "requests", "huey", "socket", "time", "datetime"},
    "domain": {"flask", "sqlalchemy", "requests", "huey", "socket", "time", "os", "pathlib"},
    "store": {"flask", "requests", "huey"},
    "clients": {"flask", "sqlalchemy", "huey"},
    "flows": {"flask"},
    "surfaces": {"requests", "huey"},
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def floor_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "canvas" else None


def modules() -> list[tuple[str, Path]]:
    return [
        (path.relative_to(ROOT).parts[0].removesuffix(".py"), path)
        for path in sorted(ROOT.rglob("*.py"))
        if path.relative_to(ROOT).parts[0] != "__init__.py"
    ]


@pytest.mark.parametrize(("floor", "path"), modules(), ids=lambda v: v.stem if isinstance(v, Path) else v)
def test_a_module_imports_from_its_own_floor_and_below(floor: str, path: Path) -> None:
    assert floor in FLOORS + TOP, f"{path} stands on no known floor"
    if floor in TOP:
        return
    allowed = set(FLOORS[: FLOORS.index(floor) + 1])
    if floor == "clients":
        allowed -= {"store"}
    reached = {name for name in map(floor_of, imported(path)) if name and (ROOT / name).exists()}
    reached |= {n for n in map(floor_of, imported(path)) if n in TOP}
    assert reached <= allowed, f"{path} reaches up to {sorted(reached - allowed)}"


@pytest.mark.parametrize(("floor", "path"), modules(), ids=lambda v: v.stem if isinstance(v, Path) else v)
def test_a_floor_keeps_away_from_what_it_may_not_touch(floor: str, path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)}
    assert not roots & FORBIDDEN.get(floor, set())


def test_only_config_reads_the_environment() -> None:
    reading = re.compile(r"os\.(environ|getenv)|from os import")
    readers = [p for f, p in modules() if reading.search(p.read_text()) and f not in {"config", "sandbox"}]
    assert readers == []
