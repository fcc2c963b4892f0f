"""Run the demonstration: exit status 0 only if every step was as told."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from demo import cloudformation_act, pulumi_act
from demo.story import NotAsToldError, Story
from engines.ministack import Ministack
from engines.processes import ProgramFailed
from engines.pulumi_engine import PulumiFailed
from finspace_emulator.server import EmulatorServer

_ENVIRONMENT = "demo-env"
_GROUPS = ("analysts", "traders")
_USERS = ("alice", "bob", "carol", "dave", "erin")


def main() -> int:
    """Play both acts and print what was granted and revoked."""
    console = Console()
    begun = time.monotonic()
    server = EmulatorServer()
    server.start()
    service = server.control
    try:
        service.reset()
        story = Story(console, service, _ENVIRONMENT)
        console.print(f"A local FinSpace listens on {server.url}; AWS ended the real one on 2026-10-07.")
        for group in _GROUPS:
            service.add_permission_group(_ENVIRONMENT, group)
        for user in _USERS:
            service.add_user(_ENVIRONMENT, user)
        # A membership takes a moment to become effective, as it did on AWS, so that waiting is part of the story.
        service.configure(addition_seconds=0.5, removal_seconds=0.5)
        with tempfile.TemporaryDirectory(prefix="aws-associations-demo-") as name:
            folder = Path(name)
            with story.step("A real CloudFormation engine starts (ministack)"):
                engine = Ministack(environment={"AWS_ENDPOINT_URL_FINSPACE_DATA": server.url}).__enter__()
            try:
                cloudformation_act.play(story, engine, service, _ENVIRONMENT, folder)
            finally:
                engine.__exit__(None, None, None)
            pulumi_act.play(story, server.url, service, _ENVIRONMENT, folder)
        _summary(console, server)
    except (NotAsToldError, PulumiFailed, ProgramFailed) as error:
        console.print(f"[red bold]{error}", highlight=False)
        return 1
    finally:
        server.stop()
    console.print(f"Everything was as told, in {time.monotonic() - begun:.0f} s.")
    return 0


def _summary(console: Console, server: EmulatorServer) -> None:
    journal = server.control.journal()
    console.rule("[bold]What FinSpace was asked")
    for operation, verb in (
        ("AssociateUserToPermissionGroup", "granted"),
        ("DisassociateUserFromPermissionGroup", "revoked"),
    ):
        done = [entry for entry in journal if entry.operation == operation and entry.changed]
        pairs = ", ".join(f"{e.parameters['userId']} in {e.parameters['permissionGroupId']}" for e in done)
        console.print(f"{verb} {len(done)}: {pairs}", highlight=False)
    left = server.control.memberships(_ENVIRONMENT)
    console.print(f"left behind: {len(left)}")
    if left:
        raise NotAsToldError("not as told: nothing should be left behind")


if __name__ == "__main__":
    sys.exit(main())
