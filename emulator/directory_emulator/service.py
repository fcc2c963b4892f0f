"""Directory Service Data as one of the emulated services."""

from association_emulator.emulation import EmulatedService

from .settings import Settings

service = EmulatedService("ds-data", Settings)
