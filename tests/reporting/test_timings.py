"""Timings by rule."""

import pytest

from internal_kd.errors import UserError
from internal_kd.reporting.timings import read_benchmarks, timings_by_rule, timings_markdown

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def benchmarks(tmp_path):
    """Two student runs, one of them too short for memory to be sampled, and a table."""
    (tmp_path / "distill").mkdir()
    jobs = {"distill/a.tsv": (10, 300, 9), "distill/b.tsv": (20, "-", 16), "table1.tsv": (1, 90, 1)}
    for name, (wall, memory, cpu) in jobs.items():
        row = f"{wall}\t0\t{memory}\t0\t0\t0\t0\t0\t0\t{cpu}\n"
        (tmp_path / name).write_text(HEADER + row)
    return tmp_path


def test_jobs_are_summed_by_rule(benchmarks) -> None:
    table = timings_by_rule(read_benchmarks(benchmarks))
    assert table.index.tolist() == ["distill", "table1"]
    assert table.loc["distill"].tolist() == [2, 30, 25, 20, 300]


def test_table_ends_with_the_whole_study(benchmarks) -> None:
    lines = timings_markdown(benchmarks).splitlines()
    last = next(line for line in reversed(lines) if line.startswith("|"))
    assert [cell.strip() for cell in last.strip("|").split("|")] == [
        "all",
        "3",
        "31",
        "26",
        "20",
        "300",
    ]


def test_study_that_has_not_run(tmp_path) -> None:
    with pytest.raises(UserError, match="run the study first"):
        timings_by_rule(read_benchmarks(tmp_path))
