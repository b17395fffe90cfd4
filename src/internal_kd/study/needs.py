"""What a rule's jobs ask of their machine or cluster, from the config's `resources`."""

from collections.abc import Callable, Mapping
from typing import Any

GROWING = ("mem_mb", "runtime")

Need = Callable[[Mapping[str, str], int], int]


def needs(asked: Mapping[str, Any]) -> dict[str, int | Need]:
    """Snakemake's resources for a rule; memory and time limit grow with every attempt.

    Args:
        asked: the rule's part of the config's `resources`.
    """
    return {"gpu": asked["gpu"], **{key: _growing(asked, key) for key in GROWING}}


def _growing(asked: Mapping[str, Any], key: str) -> Need:
    """The task's own value where it has one, times the number of the attempt, from 1."""

    def need(wildcards: Mapping[str, str], attempt: int) -> int:
        own = (asked.get("per_task") or {}).get(wildcards.get("task"), {})
        return int(own.get(key, asked[key])) * attempt

    return need
