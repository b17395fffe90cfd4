import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from internal_kd import devices, torch_setup
from internal_kd.devices import lock_folder, visible_gpus
from internal_kd.errors import UserError

CLAIM = """
import sys
from pathlib import Path
from internal_kd import devices
devices.SECONDS_BETWEEN_TRIES = 0.05
names, sharing, folder = sys.argv[1].split(","), int(sys.argv[2]), Path(sys.argv[3])
print(names[devices.claim(names, sharing, folder)], flush=True)
sys.stdin.read()
"""


class Runs:
    """Processes that claim a device and keep it until they are stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen] = []

    def start(self, names: str, sharing: int = 1) -> subprocess.Popen:
        run = subprocess.Popen(
            [sys.executable, "-c", CLAIM, names, str(sharing), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.started.append(run)
        return run

    def end(self) -> None:
        for run in self.started:
            run.kill()
            run.communicate()


@pytest.fixture
def runs(tmp_path):
    runs = Runs(tmp_path / "gpus")
    yield runs
    runs.end()


def device(run: subprocess.Popen) -> str:
    return run.stdout.readline().strip()


def test_runs_that_start_at_once_spread_over_the_devices(runs):
    started = [runs.start("a,b,c") for _ in range(3)]
    assert sorted(map(device, started)) == ["a", "b", "c"]


def test_a_run_waits_for_a_device_and_gets_that_of_a_killed_one(runs):
    first, second = runs.start("a,b"), runs.start("a,b")
    held = {device(first), device(second)}
    third = runs.start("a,b")
    with pytest.raises(subprocess.TimeoutExpired):
        third.wait(timeout=0.5)
    first.kill()
    assert device(third) in held


def test_sharing_fills_every_device_before_any_is_shared(runs):
    names = [device(runs.start("a,b", sharing=2)) for _ in range(4)]
    assert names == ["a", "b", "a", "b"]


def test_only_visible_devices_are_taken(runs):
    """Processes that see different devices agree on their names, not on their numbers."""
    assert device(runs.start("a,b")) == "a"
    assert device(runs.start("b,c")) == "b"
    assert device(runs.start("b,c")) == "c"


@pytest.mark.parametrize(
    ("visible", "number"), [(None, 2), ("", 0), ("-1", 0), ("1", 1), ("0,1,2", 3), ("GPU-5ab", 1)]
)
def test_visible_gpus_are_counted_without_cuda(tmp_path, monkeypatch, visible, number):
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert visible_gpus(tmp_path) == number


@pytest.fixture
def four_gpus(monkeypatch, tmp_path) -> list[int]:
    """A machine with four GPUs as torch would report it; the current device is recorded."""
    current: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda number: SimpleNamespace(uuid=f"gpu{number}")
    )
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    monkeypatch.setattr(torch_setup, "lock_folder", lambda: tmp_path / "gpus")
    monkeypatch.setattr(devices, "_held", [])
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.delenv("INTERNAL_KD_GPUS", raising=False)
    return current


def test_a_run_takes_the_first_device_that_nobody_holds(four_gpus, runs):
    assert device(runs.start("gpu0,gpu1")) == "gpu0"
    assert torch_setup.select_device() == torch.device("cuda", 1)
    assert four_gpus == [1]


def test_a_job_without_gpus_stays_on_the_cpu(four_gpus, monkeypatch):
    monkeypatch.setenv("INTERNAL_KD_GPUS", "0")
    assert torch_setup.select_device() == torch.device("cpu")
    assert four_gpus == []


def test_on_a_cluster_the_scheduler_chooses(four_gpus, monkeypatch, tmp_path):
    monkeypatch.setenv("SLURM_JOB_ID", "5")
    assert torch_setup.select_device() == torch.device("cuda", 0)
    assert not (tmp_path / "gpus").exists()


def test_sharing_is_set_by_the_workflow(four_gpus, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("INTERNAL_KD_RUNS_PER_GPU", "2")
    assert [torch_setup.select_device().index for _ in range(2)] == [0, 0]
    assert len(devices._held) == 2


NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder away")


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """A folder for temporary files, on a machine that has no other for its users."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


def test_locks_are_in_a_private_folder_of_the_user(temporary):
    found = lock_folder()
    assert found == temporary / f"internal-kd-gpus-{os.geteuid()}"
    assert mode(found) == 0o700
    assert lock_folder() == found


def test_the_users_own_folder_of_the_system_is_preferred(temporary, monkeypatch):
    own = temporary / "run"
    own.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(own))
    assert lock_folder() == own / "internal-kd-gpus"
    own.chmod(0o755)
    assert lock_folder().parent == temporary


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_folder_of_an_older_version_is_made_private(temporary, umask):
    before = os.umask(umask)
    (temporary / f"internal-kd-gpus-{os.geteuid()}").mkdir()
    os.umask(before)
    assert mode(lock_folder()) == 0o700


def foreign(folder: Path) -> None:
    folder.mkdir(mode=0o777)
    os.chown(folder, NOBODY, NOBODY)


def link(folder: Path) -> None:
    (folder.parent / "target").mkdir(exist_ok=True)
    folder.symlink_to("target")


TAKEN = {
    "foreign folder": foreign,
    "link": link,
    "link to nothing": lambda folder: folder.symlink_to("nowhere"),
    "file": lambda folder: folder.write_text(""),
}


@as_root
@pytest.mark.parametrize("take", TAKEN.values(), ids=TAKEN)
def test_a_folder_owned_by_someone_else_is_not_used(temporary, caplog, take):
    name = f"internal-kd-gpus-{os.geteuid()}"
    take(temporary / name)
    assert lock_folder() == temporary / f"{name}-1"
    assert f"{name}: the folder is not private to this user; it is not used" in caplog.text
    assert devices.claim(["GPU-a"], 1, lock_folder()) == 0


@as_root
def test_without_a_private_folder_a_job_reports_what_it_needs(temporary):
    for more in ("", *(f"-{number}" for number in range(1, 10))):
        foreign(temporary / f"internal-kd-gpus-{os.geteuid()}{more}")
    with pytest.raises(UserError, match="set TMPDIR to a folder of your own"):
        lock_folder()
