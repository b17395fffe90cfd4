from pathlib import Path

from tqdm import tqdm

from internal_kd.planning.run_log import TAIL, RunLog, read_run_log

EPOCHS = (
    "epoch 1 (layers 1): loss 1.2110, validation accuracy 0.3750, 0.063 s\n"
    "epoch 2 (layers 1 2): loss 2.5301, validation accuracy 0.4750, 0.041 s\n"
)


def log_of(folder: Path, *parts: str) -> RunLog:
    file = folder / "run.log"
    file.write_text("".join(parts))
    return read_run_log(file)


def bar(step: int, steps: int, seconds: float) -> str:
    """The bar as tqdm writes it, at one speed from the start."""
    return "\r" + tqdm.format_meter(step, steps, seconds, unit="step")


def test_a_bar_and_epochs_tell_how_far_a_run_is(tmp_path) -> None:
    log = log_of(tmp_path, bar(0, 300, 0), EPOCHS, bar(120, 300, 60))
    assert (log.step, log.steps, log.share, log.seconds_left) == (120, 300, 0.4, 90)
    assert log.epoch == "loss 2.5301, validation accuracy 0.4750, 0.041 s"
    assert (log.interrupted, log.error) == (False, "")


def test_hours_and_days_are_understood(tmp_path) -> None:
    assert log_of(tmp_path, bar(100, 200, 7261)).seconds_left == 7261
    assert log_of(tmp_path, bar(100, 200, 100_000)).seconds_left == 100_000


def test_before_the_first_step_the_time_left_is_not_known(tmp_path) -> None:
    log = log_of(tmp_path, bar(0, 300, 0))
    assert (log.step, log.steps, log.seconds_left) == (0, 300, None)


def test_without_a_log_nothing_is_known(tmp_path) -> None:
    assert read_run_log(tmp_path / "none.log") == RunLog()
    assert RunLog().share == 0


def test_mistakes_and_faults_are_errors(tmp_path) -> None:
    told = log_of(tmp_path, bar(3, 9, 1), "\nerror: training: the loss was no finite number\n")
    assert told.error == "training: the loss was no finite number"
    traceback = 'Traceback (most recent call last):\n  File "x.py"\nMemoryError: too large\n\n'
    assert log_of(tmp_path, EPOCHS, traceback).error == "MemoryError: too large"


def test_an_interruption_is_no_error(tmp_path) -> None:
    sentence = "stopped by SIGTERM in epoch 2 after step 5; the same command goes on from there\n"
    log = log_of(tmp_path, bar(5, 9, 1), "\n", sentence)
    assert (log.interrupted, log.error) == (True, "")


def test_the_end_of_a_long_log_is_enough(tmp_path) -> None:
    log = log_of(tmp_path, "error: long ago\n", "€" * TAIL, EPOCHS, bar(7, 9, 1))
    assert (log.step, log.error) == (7, "")


def test_epochs_of_a_millisecond_do_not_hide_the_bar(tmp_path) -> None:
    """A bar is written every five seconds."""
    line = "epoch 7 (output): loss 0.5000, validation accuracy 0.5000, 0.001 s\n"
    assert log_of(tmp_path, bar(7, 9000, 1), line * 5000).steps == 9000
