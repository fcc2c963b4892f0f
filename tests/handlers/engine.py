"""The function in a CloudFormation engine, packaged and deployed by the AWS CLI."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from botocore.utils import CLIENT_NAME_TO_HYPHENIZED_SERVICE_ID_OVERRIDES

from aws_associations.kinds import KINDS
from aws_associations_lambda.response_url import TEST_HOST
from engines.ministack import ACCOUNT, REGION, Ministack
from engines.processes import hermetic_environment
from tests.handlers.template import FUNCTION_TEMPLATE, ROOT

FUNCTION = "aws-associations"
BIN = ROOT / ".venv-ministack" / "bin"
ARTIFACTS = "artifacts"


def endpoints(url: str) -> dict[str, str]:
    """Return the environment in which the SDK calls every kind's service at this URL, and no other service.

    The function answers to an engine of this machine there.
    """
    # The SDK names the variable by the service's id, which is not always botocore's name (ds-data).
    ids = (CLIENT_NAME_TO_HYPHENIZED_SERVICE_ID_OVERRIDES.get(kind.service, kind.service) for kind in KINDS)
    found = {f"AWS_ENDPOINT_URL_{name.upper().replace('-', '_')}": url for name in ids}
    return {**found, TEST_HOST: "localhost"}


def aws(ministack: Ministack, folder: Path, *arguments: str) -> str:
    """Run the AWS CLI in the folder against the engine; return what it says."""
    environment = hermetic_environment(
        {
            **ministack.certificate.environment(),
            "AWS_ENDPOINT_URL": ministack.url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "nothing-secret",
            "AWS_DEFAULT_REGION": REGION,
            "HOME": str(folder),
        }
    )
    run = subprocess.run(
        [BIN / "aws", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


class Clone:
    """A folder from which the function is packaged, once, and deployed, as the README tells."""

    def __init__(self, ministack: Ministack, package: Path, folder: Path) -> None:
        self._ministack = ministack
        self._folder = folder
        (folder / "handlers").mkdir()
        (folder / "dist").mkdir()
        shutil.copyfile(FUNCTION_TEMPLATE, folder / "handlers" / "template.yaml")
        shutil.copyfile(package, folder / "dist" / "aws-associations-lambda.zip")
        client = ministack.client("s3")
        client.create_bucket(Bucket=ARTIFACTS)
        client.close()
        source = ["--template-file", "handlers/template.yaml", "--s3-bucket", ARTIFACTS]
        aws(ministack, folder, "cloudformation", "package", *source, "--output-template-file", "packaged.yaml")

    @property
    def packaged(self) -> str:
        """The template that is deployed."""
        return (self._folder / "packaged.yaml").read_text()

    def deploy(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Deploy the function's stack by the CLI, with these parameters; return its outputs."""
        given = ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
        arguments = ["--template-file", "packaged.yaml", "--stack-name", FUNCTION, "--capabilities", "CAPABILITY_IAM"]
        aws(self._ministack, self._folder, "cloudformation", "deploy", *arguments, *given)
        client = self._ministack.client("cloudformation")
        (described,) = client.describe_stacks(StackName=FUNCTION)["Stacks"]
        client.close()
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
