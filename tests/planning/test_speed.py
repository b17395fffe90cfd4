import numpy as np
import pytest
from msgspec.structs import replace

from internal_kd.planning.speed import Speed, Timed, corrected, device_speed, is_given
from internal_kd.planning.work import Work
from tests.study.configs import read_study

PRIOR = Speed(start=10, step=0.005, flops={"fp32": 1e13, "bf16": 1e14})
SHORT, LONG = Work(flops=1e14, steps=1e4), Work(flops=1e17, steps=5e5)
WORKS = [
    Work(flops=f, steps=s, passes=s / 10)
    for f, s in [(1e14, 1e3), (1e15, 1e3), (1e15, 2e4), (1e16, 2e4), (5e16, 1e5), (1e17, 1e5)]
]


def timed(speed: Speed, works: list[Work], noise: float = 0.0) -> list[Timed]:
    """The works as they would take on a device, with a relative noise."""
    rng = np.random.default_rng(0)
    return [
        Timed(work, "fp32", speed.seconds(work) * float(np.exp(noise * rng.normal())))
        for work in works
    ]


def test_a_job_is_a_start_its_steps_and_its_operations() -> None:
    work = Work(flops=3e13, steps=100, passes=30)
    assert PRIOR.seconds(work) == pytest.approx(10 + 0.005 * 110 + 3)
    assert PRIOR.seconds(work, "bf16") == pytest.approx(10 + 0.005 * 110 + 0.3)


def test_a_speed_in_the_config_overrides_that_of_its_device() -> None:
    plan = read_study("paper").config.plan
    speed = device_speed(plan)
    device = plan.devices["a100"]
    assert not is_given(plan)
    assert speed.step == device.step_ms / 1000
    assert speed.flops == {"fp32": device.fp32_flops, "bf16": device.bf16_flops}
    own = replace(plan, flops_per_second=5e12, step_ms=0)
    assert is_given(own)
    assert device_speed(own) == Speed(20, 0, {"fp32": 5e12, "bf16": 5e12})


def test_without_runs_nothing_is_corrected() -> None:
    assert corrected(PRIOR, []) == PRIOR


@pytest.mark.parametrize("factor", [0.3, 1, 4])
def test_one_run_gives_a_common_speed_factor(factor) -> None:
    slower = Speed(10 * factor, 0.005 * factor, {"fp32": 1e13 / factor, "bf16": 1e14 / factor})
    found = corrected(PRIOR, timed(slower, [SHORT]))
    for work in (SHORT, LONG):
        assert found.seconds(work) == pytest.approx(slower.seconds(work), rel=0.01)
        assert found.seconds(work, "bf16") == pytest.approx(slower.seconds(work, "bf16"), rel=0.01)


def test_runs_of_several_sizes_separate_start_steps_and_operations() -> None:
    other = Speed(start=30, step=0.001, flops={"fp32": 4e13, "bf16": 4e14})
    found = corrected(PRIOR, timed(other, WORKS * 5, noise=0.05))
    for work in (SHORT, LONG, Work(flops=1e12, steps=10)):
        assert found.seconds(work) == pytest.approx(other.seconds(work), rel=0.1)


def test_runs_of_one_size_give_no_negative_part() -> None:
    """Short runs cost their start: what their steps and operations take stays as it is."""
    runs = timed(PRIOR, [Work(flops=1e10, steps=10)] * 20, noise=0.2)
    found = corrected(PRIOR, runs)
    assert found.seconds(LONG) == pytest.approx(PRIOR.seconds(LONG), rel=0.3)
