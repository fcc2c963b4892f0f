"""The function behind the custom resources, packaged and deployed with the AWS CLI as a user would."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from engines.ministack import Ministack
from engines.processes import ProgramFailed
from handlers.package import build

_ROOT = Path(__file__).resolve().parent.parent
_BUCKET = "artifacts"


def deploy(engine: Ministack, folder: Path, parameters: Mapping[str, str]) -> Path:
    """Deploy it with these parameters of its template; return the zip. ``folder`` takes the files."""
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
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    _aws(
        engine,
        *("deploy", "--template-file", packaged, "--stack-name", "aws-associations"),
        *("--capabilities", "CAPABILITY_IAM", "--parameter-overrides", *overrides),
    )
    return zip_file


def _aws(engine: Ministack, *arguments: str | Path) -> None:
    command = [_ROOT / ".venv-ministack" / "bin" / "aws", "cloudformation", *arguments]
    run = subprocess.run(  # noqa: S603 - the project's own requirement
        command, env=_environment(engine), capture_output=True, text=True, check=False, timeout=120
    )
    if run.returncode != 0:
        raise ProgramFailed(f"aws cloudformation {arguments[0]} failed:\n{run.stdout}{run.stderr}")


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
