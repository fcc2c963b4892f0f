"""The first act, first half: FinSpace memberships in a stack of a real CloudFormation engine."""

from __future__ import annotations

from demo.services import FinSpace, granted, revoked
from demo.stack import Properties, Stack
from demo.story import Story
from engines.ministack import Ministack


def play(story: Story, engine: Ministack, finspace: FinSpace) -> None:
    """Play it; at the end its stacks are deleted."""

    def member(group: str, user: str) -> Properties:
        return {"EnvironmentId": finspace.environment, "PermissionGroupId": group, "UserId": user}

    story.act("Act 1, CloudFormation: users in a FinSpace permission group")
    stack = Stack(story, engine, "research-team", "Custom::FinSpacePermissionGroupMembership")

    with story.step("A stack declares alice and bob as members of analysts"):
        result = stack.deploy({"Alice": member("analysts", "alice"), "Bob": member("analysts", "bob")})
    story.check(f"the stack is {result.status}", result.status == "CREATE_COMPLETE", result.story())
    story.members(finspace, {("analysts", "alice"), ("analysts", "bob")})

    before = len(finspace.calls())
    with story.step("The same stack is deployed again"):
        result = stack.deploy({"Alice": member("analysts", "alice"), "Bob": member("analysts", "bob")})
    story.check("nothing to do, and FinSpace was not called", result.unchanged and len(finspace.calls()) == before)

    with story.step("Bob's membership becomes carol's: a replacement"):
        result = stack.deploy({"Alice": member("analysts", "alice"), "Bob": member("analysts", "carol")})
    story.check(f"the stack is {result.status}", result.status == "UPDATE_COMPLETE", result.story())
    changes = finspace.changes(before)
    expected = [granted("analysts", "carol"), revoked("analysts", "bob")]
    story.check("granted first, the old one revoked in the cleanup", changes == expected, changes)
    story.members(finspace, {("analysts", "alice"), ("analysts", "carol")})

    with story.step("An update that cannot succeed: a user id is longer than FinSpace allows"):
        result = stack.deploy({"Alice": member("analysts", "alice"), "Bob": member("analysts", "mallory" * 4)})
    story.check(f"the stack is {result.status}", result.status == "UPDATE_ROLLBACK_COMPLETE", result.story())
    story.members(finspace, {("analysts", "alice"), ("analysts", "carol")})

    finspace.somebody_grants("analysts", "dave")
    other = Stack(story, engine, "other-team", "Custom::FinSpacePermissionGroupMembership")
    with story.step("Somebody has put dave into analysts by hand; a stack must not take him over"):
        result = other.deploy({"Dave": member("analysts", "dave")})
    reasons = [event.reason for event in result.events]
    story.check("refused with AlreadyExists", any("AlreadyExists" in reason for reason in reasons), result.story())
    result = other.delete()
    story.check(f"that stack: {result.status}; he stays", result.status == "DELETE_COMPLETE", result.story())
    story.members(finspace, {("analysts", "alice"), ("analysts", "carol"), ("analysts", "dave")})

    with story.step("The stack is deleted"):
        result = stack.delete()
    story.check(f"the stack is {result.status}", result.status == "DELETE_COMPLETE", result.story())
    story.members(finspace, {("analysts", "dave")})
    finspace.somebody_revokes("analysts", "dave")
    story.line("Whoever put dave there takes him out again.")
