"""The first act: a stack in a real CloudFormation engine, through the real zip of the function."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from demo.story import NotAsToldError, Story
from engines.ministack import Ministack, StackResult
from finspace_emulator.control import EmulatorControl
from handlers.package import build

_ROOT = Path(__file__).resolve().parent.parent
_BUCKET = "artifacts"

_MEMBERSHIP = """
  {name}:
    Type: Custom::FinSpacePermissionGroupMembership
    Properties:
      ServiceToken: !ImportValue aws-associations-ServiceToken
      EnvironmentId: {environment}
      PermissionGroupId: {group}
      UserId: {user}
"""


def play(story: Story, engine: Ministack, service: EmulatorControl, environment: str, folder: Path) -> None:
    """Play it; at the end its stacks are deleted."""

    def template(**members: tuple[str, str]) -> str:
        named = {name: {"environment": environment, "group": g, "user": u} for name, (g, u) in members.items()}
        return "Resources:" + "".join(_MEMBERSHIP.format(name=name, **values) for name, values in named.items())

    def deploy(**members: tuple[str, str]) -> StackResult:
        result = engine.deploy("research-team", template(**members))
        for event in result.events:
            if event.reason and event.logical_id in members:
                story.line(f"[yellow]{event.logical_id} {event.status}[/yellow]: {event.reason}")
        return result

    story.act("Act 1: CloudFormation")
    with story.step("The function is packaged and deployed as a user would: aws cloudformation package, then deploy"):
        _deploy_function(engine, folder)
    story.line(
        f"the zip has {(folder / 'aws-associations-lambda.zip').stat().st_size // 1000} kB; boto3 is the runtime's"
    )

    with story.step("A stack declares alice and bob as members of analysts"):
        result = deploy(Alice=("analysts", "alice"), Bob=("analysts", "bob"))
    story.check(f"the stack is {result.status}", result.status == "CREATE_COMPLETE", result.story())
    story.members({("analysts", "alice"), ("analysts", "bob")})

    before = len(service.journal())
    with story.step("The same stack is deployed again"):
        result = deploy(Alice=("analysts", "alice"), Bob=("analysts", "bob"))
    story.check("nothing to do, and FinSpace was not called", result.unchanged and len(service.journal()) == before)

    with story.step("Bob's membership becomes carol's: a replacement"):
        result = deploy(Alice=("analysts", "alice"), Bob=("analysts", "carol"))
    story.check("granted first, the old one revoked in the cleanup", result.succeeded, result.story())
    story.members({("analysts", "alice"), ("analysts", "carol")})

    with story.step("An update that cannot succeed: mallory does not exist"):
        result = deploy(Alice=("analysts", "alice"), Bob=("analysts", "mallory"))
    story.check(f"the stack is {result.status}", result.status == "UPDATE_ROLLBACK_COMPLETE", result.story())
    story.members({("analysts", "alice"), ("analysts", "carol")})

    service.grant(environment, "analysts", "dave")
    with story.step(
        "Somebody has put dave into analysts by hand; a stack that declares him too must not take him over"
    ):
        result = engine.deploy("other-team", template(Dave=("analysts", "dave")))
    reasons = [event.reason for event in result.events if event.logical_id == "Dave" and event.reason]
    for reason in reasons[:1]:
        story.line(f"[yellow]Dave CREATE_FAILED[/yellow]: {reason}")
    story.check("refused with AlreadyExists", any("AlreadyExists" in reason for reason in reasons), result.story())
    engine.delete("other-team")
    story.line("that stack is deleted; he stays where he was")
    story.members({("analysts", "alice"), ("analysts", "carol"), ("analysts", "dave")})

    with story.step("The stack is deleted"):
        result = engine.delete("research-team")
    story.check(f"the stack is {result.status}", result.status == "DELETE_COMPLETE", result.story())
    story.members({("analysts", "dave")})
    service.revoke(environment, "analysts", "dave")


def _deploy_function(engine: Ministack, folder: Path) -> None:
    zip_file = build(folder / "aws-associations-lambda.zip")
    client = engine.client("s3")
    client.create_bucket(Bucket=_BUCKET)
    client.close()
    # The template names the zip that `make package` writes; the demo leaves the clone as it is.
    template = (_ROOT / "handlers" / "template.yaml").read_text()
    local = folder / "template.yaml"
    local.write_text(template.replace("../dist/aws-associations-lambda.zip", str(zip_file)))
    packaged = folder / "packaged.yaml"
    _aws(engine, "package", "--template-file", local, "--s3-bucket", _BUCKET, "--output-template-file", packaged)
    _aws(
        engine,
        "deploy",
        "--template-file",
        packaged,
        "--stack-name",
        "aws-associations",
        "--capabilities",
        "CAPABILITY_IAM",
    )


def _aws(engine: Ministack, *arguments: str | Path) -> None:
    command = [_ROOT / ".venv-ministack" / "bin" / "aws", "cloudformation", *arguments]
    run = subprocess.run(  # noqa: S603 - the project's own requirement
        command, env=_environment(engine), capture_output=True, text=True, check=False, timeout=120
    )
    if run.returncode != 0:
        raise NotAsToldError(f"aws cloudformation {arguments[0]} failed:\n{run.stdout}{run.stderr}")


def _environment(engine: Ministack) -> Mapping[str, str]:
    return {
        "AWS_ENDPOINT_URL": engine.url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "PATH": "/usr/bin:/bin",
        **engine.certificate.environment(),
    }
