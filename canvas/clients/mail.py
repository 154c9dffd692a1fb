"""E-mail through the operator's own SMTP server."""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from canvas.clients.errors import CallFailed, NotReached

TIMEOUT_SECONDS = 15
NO_TLS = (
    "The mail server offers no encryption (STARTTLS), so the password was not sent to it. "
    "Whoever runs Redeliver can use smtps:// in SMTP_URL, or leave the user and password out of it."
)


class Mail:
    """Sends plain text by `url`: smtp://user:password@host:587 (STARTTLS where offered) or smtps://…:465.

    The password is told only over TLS, or to a server on this machine.
    """

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender

    @property
    def ready(self) -> bool:
        return bool(self._url.hostname and self._sender)

    def send(self, to: str, subject: str, text: str, delivery: str) -> None:
        """Send once; `delivery` makes the same Message-ID for every try. Raises CallFailed."""
        if not self.ready:
            raise CallFailed("No mail server is set up here (SMTP_URL and MAIL_FROM).")
        message = self._written(to, subject, text, delivery)
        try:
            with self._connect() as server:
                server.send_message(message)
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
            raise _refused(error) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotReached("The mail server could not be reached.") from error

    def _written(self, to: str, subject: str, text: str, delivery: str) -> EmailMessage:
        message = EmailMessage()
        try:
            message["From"], message["To"], message["Subject"] = self._sender, to, subject
            message["Message-ID"] = f"<{delivery}@{self._sender.rpartition('@')[2]}>"
            message.set_content(text)
        except ValueError as error:  # a line break in a header, half of a surrogate pair
            raise CallFailed("This cannot be written as an e-mail.") from error
        return message

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port or 0
        context = ssl.create_default_context()
        if self._url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
            elif self._url.username and not _on_this_machine(host):
                server.close()
                raise CallFailed(NO_TLS)
        if self._url.username:
            server.login(unquote(self._url.username), unquote(self._url.password or ""))
        return server


def _on_this_machine(host: str) -> bool:
    """Whether nobody on the way could listen; a name other than localhost may lead anywhere."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(error: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) -> CallFailed:
    """A 4xx may pass, as with a server that asks strangers to come again; what is refused with 5xx stays refused."""
    if isinstance(error, smtplib.SMTPResponseException):
        code = error.smtp_code
    else:
        code = max(answer for answer, _ in error.recipients.values())
    if 400 <= code < 500:
        return NotReached(f"The mail server asks to wait (code {code}).")
    return CallFailed(f"The mail server refused the message (code {code}).")
