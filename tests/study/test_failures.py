from internal_kd.study.failures import sentences


def test_mistakes_of_failed_jobs_are_collected_once(tmp_path):
    job = tmp_path / "job.log"
    job.write_text("loading\nerror: data.path: missing; give one\nbye\n")
    crash = tmp_path / "crash.log"
    crash.write_text("Traceback (most recent call last):\n")
    fine = tmp_path / "fine.log"
    fine.write_text("error: never shown\n")
    lines = [f"    log: {job} (check log file(s) for error details)\n" for _ in range(2)]
    lines += [f"    log: {crash} (check log file(s) for error details)\n", f"    log: {fine}\n"]
    workflow = tmp_path / "workflow.log"
    workflow.write_text("".join(lines))
    assert sentences([workflow]) == ["error: data.path: missing; give one"]


def test_missing_log_is_no_error(tmp_path):
    assert sentences([tmp_path / "none.log"]) == []
