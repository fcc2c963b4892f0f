"""Where answers may go: the bucket in which CloudFormation waits for them, and nowhere else.

Name of the bucket: "Access CloudFormation using an interface endpoint", AWS CloudFormation User Guide. Spellings of its
host: "Amazon S3 endpoints and quotas", AWS General Reference; those without ``dualstack`` and ``fips`` were observed.
"""

from __future__ import annotations

import functools
import os
import re
from urllib.parse import urlsplit

TEST_HOST = "AWS_ASSOCIATIONS_RESPONSE_HOST"
"""The environment variable by which a test names one other host, on any port. The function's template never sets it."""

# Nothing that http.client would refuse only after the work is done, and no user name before the host.
_URL = re.compile(r"https://[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*(:[0-9]{1,5})?/[!-~]*")


def is_https(url: object) -> bool:
    """Whether a PUT can be sent to it."""
    if not isinstance(url, str) or not _URL.fullmatch(url):
        return False
    try:
        return urlsplit(url).port != 0
    except ValueError:  # a port over 65535
        return False


def is_of_cloudformation(url: str, partition: str, region: str) -> bool:
    """Whether CloudFormation itself takes the answer there, for the stacks of this region.

    Args:
        url: one that :func:`is_https`.
        partition: the function's own; what an event says of itself must have been compared with it before.
        region: likewise. Whoever may choose it freely may own the bucket of a region that there is not.
    """
    split = urlsplit(url)
    if split.hostname and split.hostname == os.environ.get(TEST_HOST):
        return True
    return split.port in {None, 443} and split.hostname in _hosts(partition, region)


@functools.cache
def _hosts(partition: str, region: str) -> frozenset[str]:
    suffix = _suffixes().get(partition)
    if suffix is None:
        return frozenset()
    endpoints = [f"s3.{region}", f"s3-{region}", f"s3.dualstack.{region}"]
    endpoints += [f"s3-fips.{region}", f"s3-fips.dualstack.{region}"]
    if partition == "aws":
        # The name without a region leads to every bucket of this partition. One of another partition's name is
        # anybody's here.
        endpoints.append("s3")
    bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
    return frozenset(f"{bucket}.{endpoint}.{suffix}" for endpoint in endpoints)


@functools.cache
def _suffixes() -> dict[str, str]:
    """Partition → the end of its host names. The SDK's: a new partition comes with the runtime, not with a release."""
    from botocore.loaders import create_loader

    known = create_loader().load_data("partitions")["partitions"]
    return {partition["id"]: partition["outputs"]["dnsSuffix"] for partition in known}
