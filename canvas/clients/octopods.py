"""The client of Octopods' API. Every call names the key it is made with; nothing is kept between calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

from canvas.clients.errors import Refused, Unauthorised
from canvas.clients.http import READ_SECONDS, Answer, Effect, Http, broken, segment
from canvas.clients.octopods_answers import (
    VENDOR,
    Sent,
    StatusReport,
    document_of,
    no_history,
    read_list,
    read_sent,
    read_status,
    read_template,
)
from canvas.domain.templates import SECTIONS, Template, Variables

AUTH_HEADER = "X-Octopods-Auth"
SEND_SECONDS = 30.0  # generous, so that a slow answer is not an unsure one
LIST_LIMIT = 100  # what "List Sent WhatsApp Messages" gives at most
OPTIONS = ("destination_user_name", "open_intercom_conversation", "intercom_teammate_id")
PLACES = {"whatsapp": SECTIONS, "vbm": SECTIONS[:3]}
HEADER_FIELD = {"whatsapp": "header_attachment_url", "vbm": "header_image_url"}

# Three families of articles show three shapes; only the sectioned one is said to fit every template.
T = TypeVar("T")
Shape = Literal["sections", "list", "numbers"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What to send: `text` for SMS, a template for the others; `options` as Octopods names them."""

    channel: str
    phone: str
    text: str = ""
    template_id: str = ""
    variables: Variables | None = None
    header_url: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class Octopods:
    """Calls Octopods' public API under `base_url` (scheme and host).

    Sends raise NotReached, Unsure, RateLimited, Refused or Unauthorised; questions raise BrokenAnswer instead
    of Unsure. A send is never repeated here.
    """

    def __init__(
        self,
        http: Http,
        base_url: str,
        *,
        shape: Shape = "sections",
        send_seconds: float = SEND_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._http = http
        self._base = base_url.rstrip("/") + "/api/v1"
        self._shape = shape
        self._send_seconds = send_seconds
        self._clock = clock

    def send(self, key: str, outgoing: Outgoing) -> Sent:
        """Send on the channel `outgoing` names."""
        if outgoing.channel == "sms":
            return self.send_sms(key, outgoing.phone, outgoing.text, outgoing.options)
        verb = self.send_whatsapp if outgoing.channel == "whatsapp" else self.send_vbm
        parts = (
            outgoing.template_id,
            outgoing.phone,
            outgoing.variables,
            outgoing.header_url,
            outgoing.options,
        )
        return verb(key, *parts)

    def send_whatsapp(
        self,
        key: str,
        template_id: str,
        phone: str,
        variables: Variables | None = None,
        header_url: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Sent:
        """Octopods API reference, "Send WhatsApp Template Message"."""
        return self._send_template("whatsapp", key, template_id, phone, variables, header_url, options)

    def send_vbm(
        self,
        key: str,
        template_id: str,
        phone: str,
        variables: Variables | None = None,
        header_url: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Sent:
        """Octopods API reference, "Send Viber Template Message"."""
        return self._send_template("vbm", key, template_id, phone, variables, header_url, options)

    def send_sms(self, key: str, phone: str, text: str, options: Mapping[str, Any] | None = None) -> Sent:
        """Octopods API reference, "Send SMS Message"."""
        return self._post(
            "sms", key, "/sms/messages", {"destination_phone": phone, "body": text, **_known(options)}
        )

    def message_status(self, key: str, channel: str, message_id: str) -> StatusReport:
        """The status of one message, asked with the key that sent it. None is documented for Viber."""
        return self._ask(channel, key, f"/{channel}/messages/{segment(message_id)}", read_status)

    def recent_whatsapp(self, key: str) -> list[StatusReport]:
        """The newest messages sent with this key, newest first; an empty history is an empty list."""
        try:
            items = self._ask(
                "whatsapp",
                key,
                f"/whatsapp/messages?limit={LIST_LIMIT}",
                lambda document: read_list(document, "messages"),
            )
        except Refused as refusal:
            if no_history(refusal):
                return []
            raise
        return [report for item in items if (report := read_status(item))]

    def whatsapp_templates(self, key: str, *, active: bool = False, language: str = "") -> list[Template]:
        """All templates of the WhatsApp account, whatever their state; or those switched on, or of one language."""
        wanted = {"active": "true" if active else "", "lang": language}
        query = urlencode({name: value for name, value in wanted.items() if value})
        return self._templates("whatsapp", key, f"?{query}" if query else "")

    def vbm_templates(self, key: str) -> list[Template]:
        """The accepted Viber templates; the list does not name a status."""
        return self._templates("vbm", key)

    def forward(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Pass a customer's own request on: `path` begins after /api/v1 and keeps its query."""
        return self._http.forward(VENDOR, method, self._base + path, headers, body, self._send_seconds)

    def _templates(self, channel: str, key: str, query: str = "") -> list[Template]:
        items = self._ask(channel, key, f"/{channel}/templates{query}", lambda d: read_list(d, "templates"))
        return [template for item in items if (template := read_template(channel, item))]

    def _send_template(
        self,
        channel: str,
        key: str,
        template_id: str,
        phone: str,
        variables: Variables | None,
        header_url: str | None,
        options: Mapping[str, Any] | None,
    ) -> Sent:
        body: dict[str, Any] = {"destination_phone": phone, **_known(options)}
        if variables is not None:
            body["message_variables"] = _shaped(variables, channel, self._shape)
        if header_url:
            body[HEADER_FIELD[channel]] = header_url
        return self._post(channel, key, f"/{channel}/templates/{segment(template_id)}/messages", body)

    def _post(self, family: str, key: str, path: str, body: Mapping[str, Any]) -> Sent:
        answer = self._call("POST", key, path, "once", self._send_seconds, body)
        return read_sent(family, answer, self._clock())

    def _ask(self, family: str, key: str, path: str, read: Callable[[Any], T | None]) -> T:
        answer = self._call("GET", key, path, "none", READ_SECONDS)
        found = read(document_of(family, answer, "none", self._clock()))
        if found is None:
            raise broken("none", "Octopods answered with something else than asked for.", answer)
        return found

    def _call(
        self,
        method: str,
        key: str,
        path: str,
        effect: Effect,
        read: float,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        if not key.isascii() or not key.isprintable() or not key.strip():
            raise Unauthorised("The API key holds characters that no key has; paste it again.")
        headers = {AUTH_HEADER: key.strip()}
        return self._http.send(
            VENDOR, method, self._base + path, headers=headers, json=body, effect=effect, read=read
        )


def _known(options: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (options or {}).items() if name in OPTIONS and value is not None}


def _shaped(variables: Variables, channel: str, shape: Shape) -> Any:
    """`message_variables` as sent; Octopods refuses the short shapes for values outside the body."""
    sections = {place: list(variables.get(place, [])) for place in PLACES[channel]}
    if shape == "sections" or any(values for place, values in sections.items() if place != "body"):
        return sections
    body = sections["body"]
    return body if shape == "list" else {str(n): value for n, value in enumerate(body, 1)}
