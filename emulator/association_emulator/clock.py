"""The service clock: what the emulator believes the time is."""

import time


class ServiceClock:
    """Real time plus an offset that ``advance`` moves. Can be frozen. Seconds since the epoch; never runs backwards."""

    def __init__(self) -> None:
        self._base = time.time() - time.monotonic()
        self._frozen_at: float | None = None

    @property
    def frozen(self) -> bool:
        """Whether only ``advance`` moves the clock."""
        return self._frozen_at is not None

    def now(self) -> float:
        """Return the service's time, in seconds since the epoch."""
        return self._base + time.monotonic() if self._frozen_at is None else self._frozen_at

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        if seconds < 0:
            raise ValueError(f"advance by {seconds} seconds: the clock only moves forward")
        if self._frozen_at is None:
            self._base += seconds
        else:
            self._frozen_at += seconds

    def freeze(self) -> None:
        """Stop the clock where it is."""
        self._frozen_at = self.now()

    def unfreeze(self) -> None:
        """Let the clock run on from where it stopped."""
        if self._frozen_at is not None:
            self._base = self._frozen_at - time.monotonic()
            self._frozen_at = None
