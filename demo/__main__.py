"""Run the demonstration: exit status 0 only if every step was as told."""

from __future__ import annotations

import sys
import tempfile
import time
import zipfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.text import Text

from association_emulator.server import EmulatorServer
from aws_associations_lambda.response_url import TEST_HOST
from demo import (
    act1_finspace_cloudformation,
    act1_finspace_pulumi,
    act2_directory_cloudformation,
    act2_directory_pulumi,
    function,
    pulumi_cli,
)
from demo.services import Directory, FinSpace
from demo.story import NotAsToldError, Story
from engines.ministack import EngineMissing, Ministack
from engines.processes import ProgramFailed
from engines.pulumi_engine import PulumiFailed
from engines.pulumi_host import HostError

# What the function serves, and for which groups: parameters of its template. Without them it serves nothing.
PARAMETERS = {"FinSpacePermissionGroupMembership": "*", "DirectoryGroupMembership": "Analysts,Research-*"}


def main() -> int:
    """Play both acts and print what was granted and revoked."""
    console = Console()
    begun = time.monotonic()
    try:
        _tell(Story(console))
    except (NotAsToldError, EngineMissing, HostError, ProgramFailed, PulumiFailed, TimeoutError) as error:
        console.print(Text(str(error), "red bold"))
        return 1
    console.print(f"Everything was as told, in {time.monotonic() - begun:.0f} s.")
    return 0


def _tell(story: Story) -> None:
    with ExitStack() as stage:
        folder = Path(stage.enter_context(tempfile.TemporaryDirectory(prefix="aws-associations-demo-")))
        server = stage.enter_context(EmulatorServer())
        server.control.reset()
        finspace, directory = FinSpace(server.control), Directory(server.control)
        story.act("The stage")
        story.line(f"One local emulator plays the services, on {server.url}:")
        story.line("- FinSpace (AWS ended the real one on 2026-10-07)")
        story.line(f"- AWS Managed Microsoft AD: directory {directory.id} of {directory.domain}")

        with story.step("A real CloudFormation engine starts (ministack)"):
            endpoints = ("AWS_ENDPOINT_URL_FINSPACE_DATA", "AWS_ENDPOINT_URL_DIRECTORY_SERVICE_DATA")
            # Answers go to CloudFormation's buckets only, unless a test says which other host plays them.
            surroundings = {**dict.fromkeys(endpoints, server.url), TEST_HOST: "localhost"}
            engine = stage.enter_context(Ministack(environment=surroundings))
        with story.step("The function is deployed: aws cloudformation package, then deploy, with"):
            for name, value in PARAMETERS.items():
                story.quote(f"{name}={value}")
            zip_file = function.deploy(engine, folder, PARAMETERS)
        with zipfile.ZipFile(zip_file) as archive:
            brought = [name for name in archive.namelist() if name.startswith(("boto3/", "botocore/"))]
        size = zip_file.stat().st_size // 1000
        story.check(f"the zip has {size} kB; boto3 is the runtime's", not brought, brought)
        has_engine = pulumi_cli.ensure(story, folder)
        environment = pulumi_cli.credentials(server.url)

        act1_finspace_cloudformation.play(story, engine, finspace)
        if has_engine:
            act1_finspace_pulumi.play_with_engine(story, finspace, environment)
        else:
            act1_finspace_pulumi.play_with_host(story, finspace, environment)

        act2_directory_cloudformation.play(story, engine, directory)
        if has_engine:
            act2_directory_pulumi.play_with_engine(story, directory, environment)
        else:
            act2_directory_pulumi.play_with_host(story, directory, environment)

        story.act("What was granted and revoked, by the services' own journals")
        for service in (finspace, directory):
            story.summary(service)


if __name__ == "__main__":
    sys.exit(main())
