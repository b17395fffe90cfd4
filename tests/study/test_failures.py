from internal_kd.study.failures import sentences


def workflow_log(folder, *failed):
    """A log of Snakemake that names the logs of failed jobs."""
    lines = [f"    log: {job} (check log file(s) for error details)\n" for job in failed]
    file = folder / "workflow.log"
    file.write_text("".join(lines))
    return file


def test_mistakes_of_failed_jobs_are_collected_once(tmp_path):
    job, crash, fine = (tmp_path / f"{name}.log" for name in ("job", "crash", "fine"))
    job.write_text("loading\nerror: data.path: missing; give one\nbye\n")
    crash.write_text("Traceback (most recent call last):\n")
    fine.write_text("error: never shown\n")
    workflow = workflow_log(tmp_path, job, job, crash)
    workflow.write_text(f"{workflow.read_text()}    log: {fine}\n")
    assert sentences([workflow]) == [f"error: data.path: missing; give one ({job})"]


def test_a_mistake_of_many_jobs_is_reported_once_with_one_of_their_logs(tmp_path):
    jobs = [tmp_path / f"{name}.log" for name in "abc"]
    for job in jobs:
        job.write_text("error: training: the loss became NaN or infinite\n")
    message = "error: training: the loss became NaN or infinite"
    assert sentences([workflow_log(tmp_path, *jobs)]) == [f"{message} ({jobs[0]} and 2 more logs)"]
    assert sentences([workflow_log(tmp_path, *jobs[:2])]) == [
        f"{message} ({jobs[0]} and 1 more log)"
    ]


def test_a_progress_bar_may_precede_a_mistake(tmp_path):
    job = tmp_path / "job.log"
    job.write_text("\r 10%|#  | 1/9 [00:00<00:01, 30step/s]error: training: no finite number\n")
    expected = f"error: training: no finite number ({job})"
    assert sentences([workflow_log(tmp_path, job)]) == [expected]


def test_missing_log_is_not_an_error(tmp_path):
    assert sentences([tmp_path / "none.log"]) == []
