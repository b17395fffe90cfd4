import msgspec
import pytest

from internal_kd.specs.machines import RuleResources
from internal_kd.study.needs import needs

BASE = {"threads": 2, "gpu": 1, "mem_mb": 3000, "runtime": 30}
PER_TASK = {"per_task": {"rte": {"runtime": 5}}}


def resources_with(own: dict) -> RuleResources:
    return msgspec.convert(BASE | own, RuleResources)


@pytest.mark.parametrize(
    ("own", "task", "attempt", "mem_mb", "runtime"),
    [
        ({}, "rte", 1, 3000, 30),
        ({}, "rte", 3, 9000, 90),
        ({"per_task": None}, "rte", 2, 6000, 60),
        (PER_TASK, "cola", 2, 6000, 60),
        (PER_TASK, "rte", 1, 3000, 5),
        (PER_TASK, "rte", 4, 12000, 20),
    ],
)
def test_memory_and_time_grow_with_every_attempt(own, task, attempt, mem_mb, runtime):
    found = needs(resources_with(own))
    assert found["gpu"] == 1
    assert found["mem_mb"]({"task": task}, attempt) == mem_mb
    assert found["runtime"]({"task": task}, attempt) == runtime


def test_rules_without_a_task_have_the_common_needs():
    assert needs(resources_with(PER_TASK))["runtime"]({}, 2) == 60
