"""The second act, first half: members of a directory's group in a stack of a real CloudFormation engine."""

from __future__ import annotations

from demo.services import Directory, granted, revoked
from demo.stack import Properties, Stack
from demo.story import Story
from engines.ministack import Ministack

_TYPE = "Custom::DirectoryGroupMembership"
_SWITCH = "DirectoryGroupMembership"


def play(story: Story, engine: Ministack, directory: Directory) -> None:
    """Play it; at the end its stacks are deleted."""

    def member(group: str, name: str, **more: str) -> Properties:
        return {"DirectoryId": directory.id, "GroupName": group, "MemberName": name, **more}

    domain = directory.domain
    story.act("Act 2, CloudFormation: members of a group in a Managed AD directory")
    stack = Stack(story, engine, "analysts-team", _TYPE)

    three = {
        "Alice": member("Analysts", "alice"),
        "Bob": member("Analysts", "bob", MemberRealm=domain.upper()),
        "Carol": member("Analysts", "CAROL"),
    }
    with story.step("A stack declares three members of Analysts"):
        for name, properties in three.items():
            named = [f"{key}: {value}" for key, value in properties.items() if key.startswith("Member")]
            story.quote(f"{name + ':':6} {', '.join(named)}")
        result = stack.deploy(three)
    story.check(f"the stack is {result.status}", result.status == "CREATE_COMPLETE", result.story())
    story.members(directory, {("Analysts", "alice"), ("Analysts", "bob"), ("Analysts", "carol")})
    ids = stack.ids()
    asked = [call for call in directory.calls() if call.get("SAMAccountName") == "alice" and "MemberRealm" not in call]
    realm = ids["Alice"].split("/")[-3]
    story.check(f"alice has no MemberRealm: the directory was asked, it is {realm}", bool(asked) and realm == domain)

    before = len(directory.calls())
    with story.step("The same three in another spelling: ALICE of corp.example.com, Bob, carol"):
        result = stack.deploy(
            {
                "Alice": member("ANALYSTS", "ALICE", MemberRealm=domain),
                "Bob": member("analysts", "Bob"),
                "Carol": member("Analysts", "carol"),
            }
        )
    story.check(f"the stack is {result.status}", result.status == "UPDATE_COMPLETE", result.story())
    story.check("the same memberships, under the same ids", stack.ids() == ids, stack.ids())
    story.check("nothing was granted or revoked", directory.changes(before) == [], directory.changes(before))

    before = len(directory.calls())
    with story.step("Carol's membership becomes dave's: a replacement"):
        team = {**three, "Carol": member("Analysts", "dave")}
        result = stack.deploy(team)
    story.check(f"the stack is {result.status}", result.status == "UPDATE_COMPLETE", result.story())
    changes = directory.changes(before)
    folded = [change.folded() for change in changes]
    story.check(
        "granted first, the old one revoked in the cleanup",
        folded == [granted("analysts", "dave"), revoked("analysts", "carol")],
        changes,
    )
    access = {("Analysts", "alice"), ("Analysts", "bob"), ("Analysts", "dave")}
    story.members(directory, access)

    directory.somebody_grants("Analysts", "erin")
    other = Stack(story, engine, "other-team", _TYPE)
    with story.step("Somebody has put erin into Analysts by hand; a stack with ERIN must not take her over"):
        result = other.deploy({"Erin": member("Analysts", "ERIN")})
    reasons = [event.reason for event in result.events]
    story.check("refused with AlreadyExists", any("AlreadyExists" in reason for reason in reasons), result.story())
    result = other.delete()
    story.check(f"that stack: {result.status}; she stays", result.status == "DELETE_COMPLETE", result.story())
    story.members(directory, {*access, ("Analysts", "erin")})

    before = len(directory.calls())
    ambitious = Stack(story, engine, "ambitious-team", _TYPE)
    with story.step("A stack declares frank in Analysts and then in Domain Admins"):
        result = ambitious.deploy(
            {"Frank": member("Analysts", "frank"), "Admin": member("Domain Admins", "frank")}, one_by_one=True
        )
    reasons = [event.reason for event in result.events if event.logical_id == "Admin"]
    story.check(
        f"refused, because of the function's parameter {_SWITCH}",
        any("AccessDenied" in reason and f"parameter {_SWITCH} " in reason for reason in reasons),
        result.story(),
    )
    heard = [call for call in directory.calls(before) if "admin" in str(call).lower()]
    story.check("the directory never heard of it", not heard, heard)
    changes = directory.changes(before)
    story.check(
        f"{result.status}: what was granted before is revoked again",
        result.status == "ROLLBACK_COMPLETE"
        and changes == [granted("Analysts", "frank"), revoked("Analysts", "frank")],
        f"{changes}\n{result.story()}",
    )
    ambitious.delete()
    story.members(directory, {*access, ("Analysts", "erin")})

    with story.step("The stack is deleted"):
        result = stack.delete()
    story.check(f"the stack is {result.status}", result.status == "DELETE_COMPLETE", result.story())
    story.members(directory, {("Analysts", "erin")})
