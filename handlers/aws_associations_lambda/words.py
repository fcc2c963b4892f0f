"""What CloudFormation's users call things."""

from __future__ import annotations

from aws_associations.vocabulary import DELETING, Vocabulary

WORDS = Vocabulary(
    called=lambda member: member.property_name,
    adopt="OnExisting: Adopt",
    more_time="raise TimeoutSeconds of the function's stack",
    set_region="deploy the function and this stack in",
    again="deploy again",
    # A clean-up after an update is not repeated: CloudFormation has forgotten the resource by then.
    again_after={DELETING: "delete the stack again or, if the stack stays, revoke the association by hand"},
)

DOING = {"Create": "creating", "Update": "updating", "Delete": DELETING}
"""Request type → what a message says that was being done."""
