"""FinSpace Data as one of the emulated services, and the credentials that it issued in every account and region."""

import secrets
import string
from dataclasses import dataclass

from association_emulator.emulation import EmulatedService, emulation

from . import DATA_PATH
from .journal import JournalEntry
from .settings import Settings

REGIONS = ("ca-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2")
"""Where FinSpace was offered. A current botocore knows no region for it."""

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


class CredentialsByKey(dict[str, IssuedCredentials]):
    """The credentials issued since the last reset, by access key id."""


class FinSpaceService(EmulatedService[Settings]):
    """The service. Hold ``lock`` to read or write its state."""

    entry_type = JournalEntry

    @property
    def credentials(self) -> CredentialsByKey:
        """Return what was issued."""
        return emulation.state(CredentialsByKey)

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


service = FinSpaceService("finspace-data", Settings, data_path=DATA_PATH, regions=REGIONS)
