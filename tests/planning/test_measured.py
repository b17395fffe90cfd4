import json
from dataclasses import asdict
from pathlib import Path

from internal_kd.planning.speed import finished_runs, seconds_by_rule
from internal_kd.specs.runs import Run
from tests.jobs.tiny_study import TRAINING

RUN = Run("rte", "exp2.0", 2, 100, 0)


def write_run(results: Path, run: Run = RUN, seconds: float = 50, epochs: int = 3) -> Path:
    """A finished run of 10 seconds per epoch whose process took so many seconds."""
    folder = Path(run.path(str(results)))
    folder.mkdir(parents=True)
    lines = ["epoch,train_seconds,evaluation_seconds", *(f"{n},9.0,1.0" for n in range(epochs))]
    (folder / "history.csv").write_text("\n".join(lines))
    settings = {"run": asdict(run), "training": TRAINING}
    metrics = {"run": asdict(run), "settings": settings, "seconds": seconds}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def write_benchmark(results: Path, name: str, seconds: float) -> None:
    file = results / "benchmarks" / f"{name}.tsv"
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = ("s", "cpu_time", "max_rss")
    file.write_text("\t".join(columns) + "\n" + "\t".join([str(seconds), "1", "-"]) + "\n")


def test_a_run_takes_the_time_of_its_job(tmp_path) -> None:
    write_run(tmp_path)
    assert finished_runs(tmp_path)[0].seconds == 50
    write_benchmark(tmp_path, f"distill/{RUN.name}", 60)
    (run,) = finished_runs(tmp_path)
    assert (run.run, run.job.run, run.seconds) == (RUN, RUN, 60)


def test_a_run_that_was_interrupted_takes_the_time_of_all_its_epochs(tmp_path) -> None:
    write_run(tmp_path, epochs=8)
    write_benchmark(tmp_path, f"distill/{RUN.name}", 20)
    assert finished_runs(tmp_path)[0].seconds == 80


def test_broken_and_partial_runs_are_ignored(tmp_path) -> None:
    for seed in range(4):
        write_run(tmp_path, Run("rte", "exp2.0", 2, 100, seed))
    folders = [Path(Run("rte", "exp2.0", 2, 100, seed).path(str(tmp_path))) for seed in range(3)]
    (folders[0] / "metrics.json").write_text("{")
    (folders[1] / "history.csv").unlink()
    (folders[2] / "metrics.json").write_text('{"run": {"task": "rte"}}')
    assert [run.run.seed for run in finished_runs(tmp_path)] == [3]


def test_means_by_rule(tmp_path) -> None:
    assert seconds_by_rule(tmp_path) == {}
    write_benchmark(tmp_path, "task_data/rte", 4)
    write_benchmark(tmp_path, "task_data/cola", 8)
    write_benchmark(tmp_path, "table1", 2)
    assert seconds_by_rule(tmp_path) == {"task_data": 6, "table1": 2}
