"""QuickSight as one of the emulated services."""

from association_emulator.emulation import EmulatedService

from .settings import Settings

service = EmulatedService("quicksight", Settings, internal_error="InternalFailureException")
