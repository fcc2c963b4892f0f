"""What the emulator's tests share: clients of an emulator that runs in this process or behind HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from finspace_emulator import DATA_PATH
from finspace_emulator.control import EmulatorControl

ENVIRONMENT = "env1"
GROUP = "group1"
USER = "user1"
IAM_KEY = "AKIAIOSFODNN7EXAMPLE"
IAM_CREDENTIALS = {"accessKeyId": IAM_KEY, "secretAccessKey": "secret", "sessionToken": None}

_exchanging: dict[tuple[str | None, str], Any] = {}
"""The clients that exchange credentials, by URL and region: making one takes longer than using it."""


def new_session() -> Any:
    """Return a botocore session that finds the emulator's service model."""
    session = botocore.session.Session()
    session.get_component("data_loader").search_paths.append(DATA_PATH)
    return session


@dataclass
class Emulator:
    """An emulator: how to control it and how to call it. ``url`` is None in-process."""

    url: str | None
    control: EmulatorControl
    session: Any

    def client(
        self,
        credentials: dict[str, Any] | None = None,
        *,
        region: str = "us-east-1",
        attempts: int = 1,
        service: str = "finspace-data",
    ) -> Any:
        """Return a client; with IAM credentials if none are given. It validates nothing, the emulator shall."""
        given = credentials or IAM_CREDENTIALS
        return self.session.create_client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=given["accessKeyId"],
            aws_secret_access_key=given["secretAccessKey"],
            aws_session_token=given["sessionToken"],
            config=Config(
                parameter_validation=False,
                connect_timeout=5,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": attempts},
            ),
        )

    def credentials(self, environment_id: str = ENVIRONMENT, **arguments: Any) -> dict[str, Any]:
        """Exchange IAM credentials for FinSpace's."""
        place = (self.url, arguments.pop("region", "us-east-1"))
        if place not in _exchanging:
            _exchanging[place] = self.client(region=place[1])
        answer = _exchanging[place].get_programmatic_access_credentials(environmentId=environment_id, **arguments)
        issued: dict[str, Any] = answer["credentials"]
        return issued

    def finspace(self, environment_id: str = ENVIRONMENT, *, attempts: int = 1) -> Any:
        """Return a client with FinSpace credentials for an environment."""
        return self.client(self.credentials(environment_id), attempts=attempts)


def refused(code: str, call: Callable[[], Any], *, reason: str | None = None) -> dict[str, Any]:
    """Check that a call is refused with an error code, and by its reason if given. Returns the parsed answer."""
    with pytest.raises(ClientError) as caught:
        call()
    answer: dict[str, Any] = caught.value.response
    assert answer["Error"]["Code"] == code, answer
    if reason is not None:
        assert answer["reason"] == reason, answer
    return answer
