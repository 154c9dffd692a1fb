"""What Octopods checks before the provider gets a message, in the order its references list the fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from canvas.sandbox.octopods import errors
from canvas.sandbox.octopods.errors import Refused
from canvas.sandbox.octopods.templates import BY_ID, Template

E164 = re.compile(r"\+[1-9]\d{6,14}")
MEDIA = {"IMAGE": {"jpg", "jpeg", "png"}, "VIDEO": {"mp4", "3gp"}, "DOCUMENT": {"pdf", "docx", "xlsx"}}
PRIVATE = ("private", "expired", "login")
"""A link with one of these words in it counts as not reachable: the fake fetches nothing."""


def check_phone(family: str, body: Mapping[str, Any]) -> str:
    phone = body.get("destination_phone")
    if phone in (None, ""):
        raise Refused(family, "ARGUMENT_MISSING", errors.NO_PHONE)
    if not isinstance(phone, str) or not E164.fullmatch(phone):
        raise Refused(family, "PHONE_INVALID", errors.BAD_PHONE)
    return phone


def check_text(body: Mapping[str, Any]) -> None:
    if "body" not in body or body["body"] is None:
        raise Refused("sms", "ARGUMENT_MISSING", errors.must_supply("body"))
    if not str(body["body"]).strip():
        raise Refused("sms", "EMPTY_BODY", errors.EMPTY_BODY)


def check_template(family: str, template_id: int) -> Template:
    template = BY_ID.get(template_id)
    if template is None or template.channel != family:
        raise Refused(family, "TEMPLATE_NOT_EXIST", errors.NOT_EXIST)
    if not template.sendable:
        raise Refused(family, "TEMPLATE_NOT_EXIST", errors.NOT_APPROVED)
    return template


def check_variables(family: str, template: Template, given: Any) -> None:
    """All three documented shapes: sectioned object, plain array, numbered object."""
    if given is not None and not isinstance(given, list | dict):
        raise Refused(family, "TYPE_MISMATCH", "message_variables must be an array or an object.")
    places = template.places()
    outside_body = any(count for section, count in places.items() if section != "body")
    if isinstance(given, list) and outside_body:
        raise Refused(family, "NOT_SECTIONED", errors.NOT_SECTIONED)
    if counts(given) != {section: count for section, count in places.items() if count}:
        raise Refused(family, "VARIABLES_SIZE", errors.VARIABLES_SIZE)


def counts(given: list[Any] | dict[str, Any] | None) -> dict[str, int]:
    if not given:
        return {}
    if isinstance(given, list):
        return {"body": len(given)}
    if all(name.isdigit() for name in given):
        return {"body": len(given)}
    return {name: len(values) for name, values in given.items() if values}


def check_header(family: str, template: Template, body: Mapping[str, Any]) -> None:
    if not template.media:
        return
    field = "header_attachment_url" if family == "whatsapp" else "header_image_url"
    if field not in body:
        raise Refused(family, "ARGUMENT_MISSING", errors.must_supply(field))
    if not is_media(str(body[field] or ""), template.media):
        raise Refused(family, "INVALID_HEADER", errors.INVALID_HEADER)


def is_media(link: str, media: str) -> bool:
    parts = urlsplit(link)
    suffix = parts.path.rpartition(".")[2].lower()
    fetched = parts.scheme in {"http", "https"} and not any(word in link for word in PRIVATE)
    return fetched and suffix in MEDIA[media]
