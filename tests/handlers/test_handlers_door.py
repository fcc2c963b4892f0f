"""The door: an answer goes to the bucket in which CloudFormation waits for it, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.loaders import create_loader

from aws_associations_lambda import index, transport
from aws_associations_lambda.response_url import TEST_HOST
from tests.handlers.stage import ACCOUNT, MARKER, TYPE, Context, Stage
from tests.handlers.template import FUNCTION_TEMPLATE

BUCKET = "cloudformation-custom-resource-response-"
SECRET = "X-Amz-Date=20261101T000000Z&X-Amz-Signature=0123456789abcdef"
PATH = f"/arn%3Aaws%3Acloudformation/team%7CMembership%7C1?{SECRET}"

OBSERVED = [
    ("aws", "us-east-1", f"{BUCKET}useast1.s3.amazonaws.com"),
    ("aws", "us-east-1", f"{BUCKET}useast1.s3.us-east-1.amazonaws.com"),
    ("aws", "us-west-2", f"{BUCKET}uswest2.s3-us-west-2.amazonaws.com"),
    ("aws", "eu-west-1", f"{BUCKET}euwest1.s3-eu-west-1.amazonaws.com"),
    ("aws", "ap-northeast-1", f"{BUCKET}apnortheast1.s3-ap-northeast-1.amazonaws.com"),
    ("aws-cn", "cn-north-1", f"{BUCKET}cnnorth1.s3.cn-north-1.amazonaws.com.cn"),
]
# No sample of these was found; they are the names that S3 has for the same bucket.
DOCUMENTED = [
    ("aws", "eu-central-2", f"{BUCKET}eucentral2.s3.eu-central-2.amazonaws.com"),
    ("aws", "eu-west-1", f"{BUCKET}euwest1.s3.dualstack.eu-west-1.amazonaws.com"),
    ("aws-us-gov", "us-gov-west-1", f"{BUCKET}usgovwest1.s3.us-gov-west-1.amazonaws.com"),
    ("aws-us-gov", "us-gov-west-1", f"{BUCKET}usgovwest1.s3-us-gov-west-1.amazonaws.com"),
    ("aws-us-gov", "us-gov-west-1", f"{BUCKET}usgovwest1.s3-fips.us-gov-west-1.amazonaws.com"),
    ("aws-us-gov", "us-gov-east-1", f"{BUCKET}usgoveast1.s3-fips.dualstack.us-gov-east-1.amazonaws.com"),
    ("aws-iso", "us-iso-east-1", f"{BUCKET}usisoeast1.s3.us-iso-east-1.c2s.ic.gov"),
    ("aws-iso-b", "us-isob-east-1", f"{BUCKET}usisobeast1.s3.us-isob-east-1.sc2s.sgov.gov"),
    ("aws-eusc", "eusc-de-east-1", f"{BUCKET}euscdeeast1.s3.eusc-de-east-1.amazonaws.eu"),
]

Sent = list[tuple[str, int, str]]


@pytest.fixture
def sent(surroundings: pytest.MonkeyPatch) -> Sent:
    """What is put, as (host, port, target); nobody is reached. No other host than CloudFormation's is allowed."""
    surroundings.delenv(TEST_HOST)
    puts: Sent = []

    def attempt(host: str, port: int, target: str, *_: object) -> int:
        puts.append((host, port, target))
        return 200

    surroundings.setattr(transport, "_attempt", attempt)
    return puts


def context(partition: str, region: str) -> Context:
    """The context of a function that is there."""
    made = Context(60.0)
    made.invoked_function_arn = f"arn:{partition}:lambda:{region}:{ACCOUNT}:function:aws-associations"
    return made


def delete(url: object, partition: str = "aws", region: str = "us-east-1", **more: object) -> dict[str, Any]:
    """A Delete of a marker, which CloudFormation would send for a stack that is there."""
    stack = f"arn:{partition}:cloudformation:{region}:{ACCOUNT}:stack/team/5ba6e5c0-6d1e-11f0-8a3b-0e2c5a1f9d47"
    return {
        "RequestType": "Delete",
        "ResponseURL": url,
        "StackId": stack,
        "RequestId": "a-request",
        "LogicalResourceId": "Membership",
        "PhysicalResourceId": MARKER,
        "ResourceType": TYPE,
        "ResourceProperties": {},
        **more,
    }


def refused(stage: Stage, sent: Sent, event: object, there: object) -> str:
    """Deliver an event that is nobody's; return the cause in the one line that it is worth."""
    stage.control.clear_journal()
    with stage.capture():
        index.handler(event, there)
    assert sent == []
    assert stage.control.journal() == []
    (line,) = map(json.loads, stage.lines.text.splitlines())
    assert (line["event"], line["level"]) == ("refused-event", "WARNING")
    assert line.keys() == {"event", "level", "cause"}
    assert "Signature" not in stage.lines.text
    assert "https:/" not in stage.lines.text
    return str(line["cause"])


@pytest.mark.parametrize(("partition", "region", "host"), OBSERVED + DOCUMENTED, ids=lambda value: str(value)[-60:])
@pytest.mark.parametrize("port", ["", ":443"])
def test_an_answer_goes_to_cloudformations_bucket(
    stage: Stage, sent: Sent, partition: str, region: str, host: str, port: str
) -> None:
    """Every spelling of the region's own bucket is served: one PUT, to that host, with the path and query untouched."""
    with stage.capture():
        index.handler(delete(f"https://{host}{port}{PATH}", partition, region), context(partition, region))

    assert sent == [(host, 443, PATH)]


def test_a_bucket_is_found_in_every_region_that_the_sdk_knows(stage: Stage, sent: Sent) -> None:
    """The regional name is served in each of them; the name without a region in the partition that it leads to."""
    partitions = create_loader().load_data("partitions")["partitions"]
    places = [
        (partition["id"], region, partition["outputs"]["dnsSuffix"])
        for partition in partitions
        for region in partition["regions"]
        if not region.endswith("-global")
    ]
    assert len(places) > 40
    for partition, region, suffix in places:
        bucket = BUCKET + region.replace("-", "")
        for host in (f"{bucket}.s3.{region}.{suffix}", f"{bucket}.s3.{suffix}"):
            with stage.capture():
                index.handler(delete(f"https://{host}{PATH}", partition, region), context(partition, region))

    regional = [f"{BUCKET}{region.replace('-', '')}.s3.{region}.{suffix}" for _, region, suffix in places]
    without = [f"{BUCKET}{region.replace('-', '')}.s3.{suffix}" for of, region, suffix in places if of == "aws"]
    assert sorted(host for host, _, _ in sent) == sorted(regional + without)


GENUINE = f"{BUCKET}useast1.s3.us-east-1.amazonaws.com"
OTHER_HOSTS = r"""
    example.com localhost 127.0.0.1 169.254.169.254 a-bucket.s3.us-east-1.amazonaws.com s3.us-east-1.amazonaws.com
    GENUINE@example.com GENUINE%2eexample.com GENUINE. example.com/GENUINE example.com?GENUINE example.com#GENUINE
    example.com\@GENUINE [GENUINE] GENUINE:0443x GENUINE:004430 GENUINE:-443 GENUINE: user@GENUINE user:word@GENUINE
    GENUINE:444 GENUINE:80 GENUINE.example.com GENUINE.cn evil-GENUINE evil.GENUINE
"""
# Other names, those of another region or partition too: they are anybody's, or nobody waits there.
OTHER_BUCKETS = """
    useast1 useast1.s3.us-east-1.amazonaws.co useast1.s3.us-east-1.example.com useast1-evil.s3.us-east-1.amazonaws.com
    useast1.s3-website.us-east-1.amazonaws.com useast1.s3.us-east-1.c2s.ic.gov useast1.s3-accelerate.amazonaws.com
    uswest2.s3.us-west-2.amazonaws.com uswest2.s3.us-east-1.amazonaws.com useast1.s3.us-west-2.amazonaws.com
    us-east-1.s3.us-east-1.amazonaws.com evil1.s3.amazonaws.com usgovwest1.s3.amazonaws.com
"""
FOREIGN = [
    *OTHER_HOSTS.replace("GENUINE", GENUINE).split(),
    *(BUCKET + name for name in OTHER_BUCKETS.split()),
    # What other programs fold or translate to the same name: long s, full-width letters and dots.
    *(GENUINE.replace(*fold) for fold in (("s3", "\u017f3"), ("c", "\uff43", 1), (".", "\u3002"))),
    f"{BUCKET}m\u00fcnchen1.s3.us-east-1.amazonaws.com",
    f"{GENUINE}:\uff14\uff14\uff13",
]


@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_url_is_refused(stage: Stage, sent: Sent, host: str) -> None:
    """Whatever else an event says, nothing is done and nobody is told if its URL is not CloudFormation's."""
    event = delete(f"https://{host}{PATH}", PhysicalResourceId=stage.id())
    stage.grant()

    cause = refused(stage, sent, event, context("aws", "us-east-1"))

    assert cause in {
        "ResponseURL is not an https URL",
        "ResponseURL leads elsewhere than to CloudFormation's bucket in us-east-1",
    }
    assert len(stage.members()) == 1


@pytest.mark.parametrize("host", [GENUINE.upper(), f"{GENUINE}:0443", f"{GENUINE.title()}:00443"])
def test_another_spelling_of_the_bucket_is_the_bucket(stage: Stage, sent: Sent, host: str) -> None:
    """Case of a host and zeros before a port mean nothing (RFC 3986): the answer goes where it goes without them."""
    with stage.capture():
        index.handler(delete(f"https://{host}{PATH}"), context("aws", "us-east-1"))

    assert sent == [(GENUINE, 443, PATH)]


ELSEWHERE = """
    a-stack arn:aws:cloudformation:us-west-2:123456789012:stack/team/1 arn:aws:sns:us-east-1:123456789012:stack/team/1
    arn:aws-us-gov:cloudformation:us-east-1:123456789012:stack/team/1 arn:aws:cloudformation::123456789012:stack/team/1
    arn:aws:cloudformation:us-east-1::stack/team/1 arn:aws:cloudformation:us-east-1:123456789012:stack/
    arn:aws:cloudformation:us-east-1:123456789012:changeSet/team/1
"""


@pytest.mark.parametrize("stack", [*ELSEWHERE.split(), " arn:aws:cloudformation:us-east-1:123456789012:stack/team/1"])
def test_a_stack_of_elsewhere_is_refused(stage: Stage, sent: Sent, stack: str) -> None:
    """CloudFormation invokes functions of the stack's own region only: anything else is no stack that waits for us."""
    cause = refused(stage, sent, delete(f"https://{GENUINE}{PATH}", StackId=stack), context("aws", "us-east-1"))

    assert cause == "StackId is not the ARN of a stack in the region of this function"


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-none"])
@pytest.mark.parametrize("region", ["evil-1", "us-gov-west-1"])
def test_an_event_does_not_choose_its_region(stage: Stage, sent: Sent, partition: str, region: str) -> None:
    """A bucket that bears the name of another place is not served because the event's own StackId names that place."""
    for host in ("s3", f"s3.{region}", f"s3-{region}"):
        url = f"https://{BUCKET}{region.replace('-', '')}.{host}.amazonaws.com{PATH}"
        refused(stage, sent, delete(url, partition, region), context("aws", "us-east-1"))


def test_in_a_partition_that_the_sdk_does_not_know_nothing_is_served(stage: Stage, sent: Sent) -> None:
    """Where the function cannot know CloudFormation's bucket it tells nobody."""
    there = ("aws-none", "no-where-1")
    for suffix in ("amazonaws.com", "example.com"):
        url = f"https://{BUCKET}nowhere1.s3.no-where-1.{suffix}{PATH}"
        refused(stage, sent, delete(url, *there), context(*there))


@pytest.mark.parametrize("arn", [None, "", "arn", "arn:aws:lambda", "::::::", 7, ["arn"]])
def test_a_function_that_does_not_know_where_it_is_serves_nothing(stage: Stage, sent: Sent, arn: object) -> None:
    """Without the function's own ARN there is nothing to compare an event with."""
    there = context("aws", "us-east-1")
    there.invoked_function_arn = arn  # type: ignore[assignment]
    refused(stage, sent, delete(f"https://{GENUINE}{PATH}"), there)
    refused(stage, sent, delete(f"https://{GENUINE}{PATH}"), None)


def test_another_host_needs_the_setting_of_tests(stage: Stage, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the host that the variable names, whatever its port; none if it is empty; CloudFormation's own as ever."""
    there = context("aws", "us-east-1")
    for setting in ("", "localhos", "*", "example.com,localhost"):
        monkeypatch.setenv(TEST_HOST, setting)
        refused(stage, sent, delete(f"https://localhost:8443{PATH}"), there)
    monkeypatch.setenv(TEST_HOST, "localhost")
    refused(stage, sent, delete(f"https://localhost.example.com{PATH}"), there)
    refused(stage, sent, delete(f"https://localhost:8443{PATH}", region="eu-west-1"), there)

    for host in ("localhost:8443", GENUINE):
        with stage.capture():
            index.handler(delete(f"https://{host}{PATH}"), there)

    assert sent == [("localhost", 8443, PATH), (GENUINE, 443, PATH)]


def test_the_template_does_not_set_it() -> None:
    """Nobody who deploys the function by its template opens the door."""
    assert TEST_HOST not in FUNCTION_TEMPLATE.read_text()


def test_a_refused_event_reaches_no_earlier_url(stage: Stage, sent: Sent) -> None:
    """After a request that was answered, one with a foreign URL is answered to nobody, not to the earlier URL."""
    there = context("aws", "us-east-1")
    index.handler(delete(f"https://{GENUINE}{PATH}"), there)
    assert len(sent) == 1
    sent.clear()

    for url in ("https://example.com/", "http://x/", None, 7):
        refused(stage, sent, delete(url), there)
