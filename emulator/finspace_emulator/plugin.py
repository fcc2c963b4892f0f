"""FinSpace Data as one of moto's services. The seam itself is ``association_emulator.plugin``."""

from association_emulator.plugin import register

__all__ = ["SERVICE", "register"]

SERVICE = "finspacedata"
"""moto's name of the service: the service id without the hyphen."""
