"""What the notifier asks of every way to tell somebody."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from watchkeeper.configuration import Secret, revealed
from watchkeeper.errors import DeliveryError
from watchkeeper.notify.message import Message
from watchkeeper.notify.post import Poster
from watchkeeper.templates import Template


class Integration(Protocol):
    """One configured way to tell somebody."""

    @property
    def name(self) -> str:
        """`webhook`, `slack`, `email` or `pagerduty`."""
        ...

    @property
    def send_resolved(self) -> bool:
        """Whether recovery is told."""
        ...

    async def send(self, message: Message, poster: Poster) -> str:
        """Deliver, and return what the other side said. Raises DeliveryError."""
        ...


@dataclass(frozen=True, slots=True)
class Receiver:
    """A named set of ways."""

    name: str
    integrations: tuple[Integration, ...]


def rendered(template: Template, message: Message, *, as_html: bool = False) -> str:
    """Return a text of a message; where its template fails, a text that says so."""
    return template.render(message.data(), message.functions(), as_html=as_html)


def secret_text(secret: Secret | None, file: Path | None, what: str) -> str:
    """Return a secret as given or as its file holds it now. Raises DeliveryError."""
    if secret is None and file is None:
        raise DeliveryError(f"{what} is not configured", retryable=False)
    try:
        return revealed(secret, file or "")
    except UnicodeError:
        raise DeliveryError(f"{what}: {file} is not UTF-8", retryable=False) from None
    except OSError as error:
        raise DeliveryError(
            f"{what}: {file} cannot be read ({error.strerror})", retryable=False
        ) from None
