"""What a rule's jobs request from their machine or cluster, from the config's `resources`."""

from collections.abc import Callable, Mapping
from typing import Literal

from internal_kd.specs.machines import RuleResources

Need = Callable[[Mapping[str, str], int], int]


def needs(resources: RuleResources) -> dict[str, int | Need]:
    """Snakemake's resources for a rule; memory and time limit grow with every attempt.

    Args:
        resources: the rule's part of the config's `resources`.
    """
    return {
        "gpu": resources.gpu,
        "mem_mb": _growing(resources, "mem_mb"),
        "runtime": _growing(resources, "runtime"),
    }


def _growing(resources: RuleResources, key: Literal["mem_mb", "runtime"]) -> Need:
    """The task's own value where it has one, times the number of the attempt, from 1."""

    def need(wildcards: Mapping[str, str], attempt: int) -> int:
        return int(getattr(resources.on(wildcards.get("task")), key)) * attempt

    return need
