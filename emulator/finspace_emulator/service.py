"""What the whole service shares, whatever the account and region: clock, settings, faults, journal, credentials."""

import secrets
import string
from dataclasses import dataclass
from threading import RLock

from .clock import ServiceClock
from .faults import FaultQueue
from .journal import Journal
from .settings import Settings

_KEY_CHARACTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class IssuedCredentials:
    """Credentials from GetProgrammaticAccessCredentials, and what they are good for."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    account_id: str
    region: str
    environment_id: str
    expires_at: float


class Service:
    """The state outside moto's backends. Hold ``lock`` to read or write it.

    Never ask moto for a backend while holding the lock: moto has a lock of its own, and a reset takes them the other
    way round.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            self.clock = ServiceClock()
            self.settings = Settings()
            self.faults = FaultQueue()
            self.journal = Journal()
            self.credentials: dict[str, IssuedCredentials] = {}

    def issue_credentials(self, account_id: str, region: str, environment_id: str, minutes: int) -> IssuedCredentials:
        """Return new credentials for an environment."""
        with self.lock:
            issued = IssuedCredentials(
                access_key_id="ASIA" + "".join(secrets.choice(_KEY_CHARACTERS) for _ in range(16)),
                secret_access_key=secrets.token_urlsafe(30),
                session_token=secrets.token_urlsafe(120),
                account_id=account_id,
                region=region,
                environment_id=environment_id,
                expires_at=self.clock.now() + minutes * 60,
            )
            self.credentials[issued.access_key_id] = issued
            return issued


service = Service()
