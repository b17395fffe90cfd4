"""What jobs need of their machine, and how fast it is thought to be."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from internal_kd.specs.values import (
    NOT_EMPTY,
    Count,
    Name,
    NotNegative,
    Positive,
    Section,
    Text,
)

Memory = Annotated[int, Meta(ge=100)]


class TaskResources(Section, frozen=True):
    """Memory and time limit that differ on a task.

    Attributes:
        mem_mb: main memory in MB.
        runtime: time limit in minutes.
    """

    mem_mb: Memory | UnsetType = UNSET
    runtime: Count | UnsetType = UNSET


class RuleResources(Section, frozen=True):
    """What a job of a rule needs.

    Attributes:
        threads: CPU threads.
        gpu: number of GPUs; 0 keeps the job on the CPU.
        mem_mb: main memory in MB.
        runtime: time limit in minutes.
        per_task: by task, the memory and the time limit that differ there.
    """

    threads: Count
    gpu: Annotated[int, Meta(ge=0, le=1)]
    mem_mb: Memory
    runtime: Count
    per_task: Mapping[Name, Annotated[TaskResources, NOT_EMPTY]] | UnsetType | None = UNSET

    def on(self, task: str | None) -> "RuleResources":
        """The same with what differs on a task; None for a rule without one."""
        own = (self.per_task or {}).get(task or "", TaskResources())
        return replace(self, **msgspec.to_builtins(own))


class Resources(Section, frozen=True):
    """What a job of each rule needs.

    Attributes:
        base_model: the base model.
        student_init: a student before its training.
        task_data: tokens of a task.
        corpus: tokens of unlabelled text.
        agnostic: a general student.
        teacher: a teacher.
        distill: a student.
        attention: distances and attention maps.
        statistics: significance and claims.
        tables: a table.
        figures: a figure.
        report: index and report.
    """

    base_model: RuleResources
    student_init: RuleResources
    task_data: RuleResources
    corpus: RuleResources
    agnostic: RuleResources
    teacher: RuleResources
    distill: RuleResources
    attention: RuleResources
    statistics: RuleResources
    tables: RuleResources
    figures: RuleResources
    report: RuleResources

    @property
    def by_rule(self) -> dict[str, RuleResources]:
        """The same by name of the rule."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class Device(Section, frozen=True):
    """Speed of a device.

    Attributes:
        start_seconds: seconds of a job before and after its work.
        step_ms: fixed time of a training step in milliseconds.
        fp32_flops: floating-point operations per second of fp32 matrix products.
        bf16_flops: floating-point operations per second of bf16 matrix products.
    """

    start_seconds: Positive
    step_ms: Positive
    fp32_flops: Positive
    bf16_flops: Positive


class PlanSettings(Section, frozen=True):
    """What `internal-kd plan` and `internal-kd progress` assume; no result depends on it.

    Attributes:
        device: name of the device whose speed is assumed.
        flops_per_second: floating-point operations per second, instead of the device's.
        step_ms: fixed time of a training step in milliseconds, instead of the device's.
        devices: speeds of devices by name.
    """

    device: Text
    flops_per_second: Annotated[
        Positive | None, Meta(extra_json_schema={"expected": "a number greater than 0, or null"})
    ]
    step_ms: Annotated[
        NotNegative | None,
        Meta(extra_json_schema={"expected": "a number of milliseconds, or null"}),
    ]
    devices: Annotated[Mapping[Text, Device], Meta(min_length=1)]
