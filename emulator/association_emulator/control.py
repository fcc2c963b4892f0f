"""EmulatorControl: faults, journal and clock of all services, and the control of each service, by its name.

Loads nothing but the standard library until it talks to the emulator of its own process.
"""

from directory_emulator.control import DirectoryControl
from finspace_emulator.control import EmulatorControl as FinSpaceControl
from opensearch_emulator.control import OpenSearchControl
from quicksight_emulator.control import QuickSightControl

from .journal import JournalEntry
from .remote import ControlError, RemoteControl

__all__ = ["ControlError", "EmulatorControl"]


class EmulatorControl(RemoteControl):
    """Everything about an emulator that the services' own APIs cannot do.

    ``url``: where the emulator listens; None: the emulator in this process, under ``mock_aws()`` or not.
    ``region`` and ``account_id``: where the things are that the services' controls name.
    """

    prefix = "/_emulator/"

    def __init__(self, url: str | None = None, *, region: str = "us-east-1", account_id: str = "123456789012") -> None:
        super().__init__(url, region=region, account_id=account_id)
        self.directory = DirectoryControl(url, region=region, account_id=account_id)
        self.finspace = FinSpaceControl(url, region=region, account_id=account_id)
        self.opensearch = OpenSearchControl(url, region=region, account_id=account_id)
        self.quicksight = QuickSightControl(url, region=region, account_id=account_id)

    def journal(self, operation: str | None = None, *, service: str | None = None) -> list[JournalEntry]:
        """Return the calls received by all services, in order; of one operation or service if it is named."""
        return [entry for entry in self._journal(JournalEntry, operation) if service in (None, entry.service)]
