"""OpenSearch Service as one of the emulated services."""

from association_emulator.emulation import EmulatedService

from .settings import Settings

service = EmulatedService("opensearch", Settings, internal_error="InternalException")
