"""What the control API is made of: functions from a JSON body to a JSON answer, by method and resource."""

from collections.abc import Callable, Mapping
from typing import Any

Route = Callable[[dict[str, Any]], Any]
Routes = Mapping[tuple[str, str], Route]

PLACE = ("region", "account_id")
"""The members of a body that say where something is."""
