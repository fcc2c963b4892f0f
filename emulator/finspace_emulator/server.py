"""EmulatorServer: the server of all services, with FinSpace's control at hand."""

from association_emulator.server import ServerThreads

from .control import EmulatorControl


class EmulatorServer(ServerThreads):
    """The emulator as a server in threads of this process; a context manager. It serves every other service too."""

    @property
    def control(self) -> EmulatorControl:
        """A control of FinSpace over HTTP, for the default region and account."""
        return EmulatorControl(self.url)
