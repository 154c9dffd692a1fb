"""Is this a canvas that Intercom draws, and one that its review accepts?

Two independent readers: Intercom's own OpenAPI schemas (2.11, the only version that has them, MIT; see
data/canvas-kit-2.11.LICENSE.txt) and the pydantic models of python-intercom 4.0.0. On top, what neither says:
unique ids, two to ten options, sizes, no sheet action, an explicit style on every button, no `primary` on the
first canvas, absolute dates, foreign Markdown made harmless.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from intercom.types import CanvasObject
from jsonschema import Draft202012Validator

from canvas.surfaces.canvas_kit import FIRST_CANVAS_PIXELS, height

SCHEMA = Path(__file__).parent / "data" / "canvas-kit-2.11.yaml"
RELATIVE = re.compile(r"\b(ago|yesterday|tomorrow|just now)\b", re.IGNORECASE)
MAX_BYTES = 16 * 1024


def _corrected(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema, with the file's known defects mended."""
    if isinstance(node, list):
        return [_corrected(n) for n in node]
    if not isinstance(node, dict):
        return node
    fixed = {key: _corrected(value) for key, value in node.items()}
    if fixed.pop("nullable", False) and isinstance(fixed.get("type"), str):
        fixed["type"] = [fixed["type"], "null"]
    if "oneOf" in fixed:
        fixed["anyOf"] = fixed.pop("oneOf")  # "with image" and "without image" items overlap
    return fixed


@lru_cache
def validator() -> Draft202012Validator:
    document = _corrected(yaml.safe_load(SCHEMA.read_text()))
    document["components"]["schemas"].setdefault("custom_attributes", {"type": "object"})
    schema = {"$ref": "#/components/schemas/canvas_object", "components": document["components"]}
    return Draft202012Validator(schema)


def check_canvas(body: dict[str, Any], *, first: bool = False) -> None:
    """Raise AssertionError for anything wrong with an answer to initialize or submit."""
    assert set(body) <= {"canvas", "event"}
    assert body.get("event", {"type": "completed"}) == {"type": "completed"}
    canvas = body["canvas"]
    validator().validate(canvas)
    CanvasObject.model_validate(canvas)
    assert len(json.dumps(body, ensure_ascii=False).encode()) < MAX_BYTES
    components = canvas["content"]["components"]
    _check_ids(components)
    for component in components:
        _check_component(component)
    primaries = [c for c in components if c.get("style") == "primary"]
    assert len(primaries) <= (0 if first else 1)
    if first:
        assert height(components) <= FIRST_CANVAS_PIXELS, height(components)


def _check_ids(components: list[dict[str, Any]]) -> None:
    ids = [c["id"] for c in components if "id" in c]
    ids += [i["id"] for c in components if c["type"] == "list" for i in c["items"]]
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)


def _check_component(component: dict[str, Any]) -> None:
    assert component.get("action", {}).get("type") in (None, "submit", "url")
    if component["type"] == "button":
        assert component["style"] in ("primary", "secondary", "link")
        assert component["label"].strip()
        assert "\n" not in component["label"]
    if component["type"] in ("dropdown", "single-select"):
        assert 2 <= len(component["options"]) <= 10
        assert len({o["id"] for o in component["options"]}) == len(component["options"])
    if component["type"] == "list":
        assert component["items"]
    if component["type"] == "text":
        assert "\n" not in component["text"]
        assert not RELATIVE.search(component["text"]) or component.get("id") in ("said", "preview")
