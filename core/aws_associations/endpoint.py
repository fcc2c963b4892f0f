"""Where calls go: the address in a URL, and which setting of the caller's sent them there."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit


def address(url: str) -> str:
    """Host, and port if the URL names one, and no more: a whole URL can hold ids, credentials and signatures."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""  # a variable may hold anything
    return f"{host}:{port}" if host and port else host


def set_by(session: Any, service: str, at: str) -> str:
    """The setting that sends calls of a service to this address; empty if none does.

    Precedence: "Service-specific endpoints", AWS SDKs and Tools Reference Guide.

    Args:
        session: botocore's, whose profile may name endpoints.
        service: botocore's service id in lower case with hyphens, for example ``directory-service-data``.
        at: of :func:`address`.
    """
    name = service.replace("-", "_")
    for variable in (f"AWS_ENDPOINT_URL_{name.upper()}", "AWS_ENDPOINT_URL"):
        if at and address(os.environ.get(variable, "")) == at:
            return f"the environment variable {variable}"
    profile = session.get_scoped_config()
    services = session.full_config.get("services", {}).get(profile.get("services"), {})
    configured = {address(each.get("endpoint_url", "")) for each in (services.get(name, {}), profile)}
    return "endpoint_url of the AWS profile" if at and at in configured else ""
