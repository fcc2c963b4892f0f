"""A FinSpace call in the journal."""

from dataclasses import dataclass

from association_emulator import journal


@dataclass
class JournalEntry(journal.JournalEntry):
    """One attempt. ``caller`` is finspace for credentials that the emulator issued, expired or not."""

    environment_id: str | None = None
    """The environment that the caller's FinSpace credentials are for."""
