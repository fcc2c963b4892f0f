"""What the tests of the emulated services share: clients of any service, in this process or over HTTP."""

from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config

from association_emulator.control import EmulatorControl

ACCOUNT = "123456789012"
REGION = "us-east-1"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"


@dataclass
class Associations:
    """An emulator: how to control it and how to call its services. ``url`` is None in-process."""

    url: str | None
    control: EmulatorControl
    session: Any
    clients: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def client(
        self, service: str, *, region: str = REGION, access_key: str = ACCESS_KEY, attempts: int = 1, **config: Any
    ) -> Any:
        """Return a client; the same one for the same arguments. It validates nothing, the emulator shall."""
        key = (self.url, service, region, access_key, attempts, *config.items())
        if key not in self.clients:
            self.clients[key] = self.session.create_client(
                service,
                region_name=region,
                endpoint_url=self.url,
                aws_access_key_id=access_key,
                aws_secret_access_key="secret",
                config=Config(
                    parameter_validation=False,
                    connect_timeout=5,
                    read_timeout=10,
                    retries={"mode": "standard", "total_max_attempts": attempts},
                    **config,
                ),
            )
        return self.clients[key]
