"""What a rule's jobs request from their machine or cluster, from the config's `resources`."""

from collections.abc import Callable, Mapping
from typing import Any

GROWING = ("mem_mb", "runtime")

Need = Callable[[Mapping[str, str], int], int]


def needs(resources: Mapping[str, Any]) -> dict[str, int | Need]:
    """Snakemake's resources for a rule; memory and time limit grow with every attempt.

    Args:
        resources: the rule's part of the config's `resources`.
    """
    return {"gpu": resources["gpu"], **{key: _growing(resources, key) for key in GROWING}}


def _growing(resources: Mapping[str, Any], key: str) -> Need:
    """The task's own value where it has one, times the number of the attempt, from 1."""

    def need(wildcards: Mapping[str, str], attempt: int) -> int:
        own = (resources.get("per_task") or {}).get(wildcards.get("task"), {})
        return int(own.get(key, resources[key])) * attempt

    return need
