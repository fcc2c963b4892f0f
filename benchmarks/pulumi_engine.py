"""Many memberships under the real engine, whose own cost grows faster than their number."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from benchmarks.finspace import FinSpaceService, Settings
from benchmarks.pulumi_host import Scale, environment
from benchmarks.row import Row, figure
from benchmarks.turns import Progress
from engines.pulumi_engine import PulumiProject, find_pulumi

_PROGRAM = """
from {module} import {name}

for group in range({groups}):
    for user in range({users}):
        names = {{"environment_id": "env1", "permission_group_id": f"group{{group}}", "user_id": f"user{{user}}"}}
        {name}(f"member{{group}}-{{user}}", **names)
"""

_LONGEST = 3600.0


def rows(service: FinSpaceService, scale: Scale, progress: Progress) -> Iterator[Row]:
    """One run of each: they are long."""
    work = f"Pulumi up of {scale.many:,} memberships, real engine, service without latency"
    peer = "as many resources, as large, of a dynamic provider that does nothing"
    if find_pulumi()[0] is None:
        yield Row.of_nothing(work, peer, 1.2, "no pulumi on PATH")
        return
    service.reset(Settings())
    theirs, ours = (
        _up(service, scale, module, name, progress)
        for module, name in (
            ("benchmarks.peers.naive_pulumi", "Nothing"),
            ("pulumi_aws_associations.finspace", "PermissionGroupMembership"),
        )
    )
    members = service.count().members
    if members != scale.many:
        raise RuntimeError(f"{members} of {scale.many} memberships are there")
    yield Row.of_ratio(work, peer, figure([ours], "s", 1), figure([theirs], "s", 1), 1.2)


def _up(service: FinSpaceService, scale: Scale, module: str, name: str, progress: Progress) -> float:
    progress(f"up of {scale.many} under the real engine: {name}")
    users = scale.many // scale.groups
    program = _PROGRAM.format(module=module, name=name, groups=scale.groups, users=users)
    with PulumiProject(program, environment=environment(service.url), timeout=_LONGEST) as project:
        begun = perf_counter()
        project.up()
        return perf_counter() - begun
