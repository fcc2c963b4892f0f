"""Whether the acts have a Pulumi engine to play under."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pulumi import automation

from demo.story import Story
from engines.pulumi_engine import find_pulumi


def ensure(story: Story, folder: Path) -> bool:
    """Whether there is a CLI: the one on PATH, else one that Pulumi's own installer brings into ``folder``."""
    found, reason = find_pulumi()
    if found is not None:
        return True
    with story.step("There is no Pulumi CLI on PATH; trying the SDK's own installer"):
        failure = _install(folder)
    if find_pulumi()[0] is not None:
        return True
    story.line(f"{reason}; the installer failed: {failure}", "yellow")
    story.line("So Pulumi's half of each act drives the real dynamic-provider host over gRPC, without an engine.")
    return False


def credentials(url: str) -> Mapping[str, str]:
    """The environment in which a program finds the emulator at ``url`` instead of AWS."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def _install(folder: Path) -> str:
    try:
        command = automation.PulumiCommand.install(root=str(folder / "pulumi"))
    except Exception as error:  # noqa: BLE001 - without network any error may come, and the demo goes on
        return f"{type(error).__name__}: {error}"
    os.environ["PATH"] = f"{Path(command.command).parent}{os.pathsep}{os.environ['PATH']}"
    return ""
