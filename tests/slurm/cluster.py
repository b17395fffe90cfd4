"""A real SLURM cluster of one node with pretended GPUs, for as long as tests run."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
SYSTEM_FOLDER = Path("/etc/slurm")
FILES = ("slurm.conf", "gres.conf", "cgroup.conf")
PARTITION = "tests"
CPUS, GPUS, MEMORY = 8, 2, 20000

# No cgroups and no accounting; squeue lists a finished job for MinJobAge seconds.
SLURM_CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={controller_port}
SlurmdPort={node_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=bf_interval=5,sched_interval=5,batch_sched_delay=0
MinJobAge=3600
KillWait=10
ReturnToService=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:{gpus}
PartitionName={partition} Nodes={host} Default=YES MaxTime=120 State=UP
"""
GRES_CONF = "NodeName={host} Name=gpu File={folder}/nvidia[0-{last}]\n"


def reason_not_to_start() -> str:
    """Why no cluster can be started on this machine; empty if one can."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        return f"SLURM is not installed ({', '.join(missing)} missing)"
    if os.getuid() != 0:
        return "slurmctld and slurmd have to be started as root"
    if any((SYSTEM_FOLDER / name).exists() and not _left_over(name) for name in FILES):
        return f"this machine has a SLURM configuration of its own in {SYSTEM_FOLDER}"
    if "SLURM_CONF" in os.environ:
        return "SLURM_CONF names a cluster"
    return ""


def _left_over(name: str) -> bool:
    """Whether a file of SLURM's is of tests that were killed before they could remove it."""
    link = SYSTEM_FOLDER / name
    if not link.is_symlink():
        return False
    pid = link.readlink().with_name("slurmctld.pid")
    return pid.is_file() and not Path("/proc", pid.read_text().strip()).exists()


class Cluster:
    """One node whose daemons are children of this process.

    Args:
        folder: for everything the daemons write; its path is short, since it holds a socket.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: list[subprocess.Popen] = []

    def start(self) -> None:
        """Write the configuration and start the daemons."""
        self._write_configuration()
        self._daemon("munged", "--foreground", "--force", *self._munge_files())
        self._wait_for("munge", "-n", f"--socket={self.folder}/munge.socket")
        self._daemon("slurmctld", "-D", "-i")
        self._wait_for("scontrol", "show", "partition", PARTITION)
        self._daemon("slurmd", "-D", "-N", host())
        self._wait_for("srun", "-n1", "true")

    def stop(self) -> None:
        """End all jobs and daemons, and take the configuration away."""
        try:
            self.call("scancel", "--full", "--signal=KILL", "--user=root", check=False)
            self.call("scancel", "--user=root", check=False)
            for daemon in reversed(self.daemons):
                daemon.terminate()
                daemon.wait(timeout=30)
        finally:
            for daemon in self.daemons:
                daemon.kill()
            for link in (SYSTEM_FOLDER / name for name in FILES):
                if link.is_symlink() and link.readlink().parent == self.folder:
                    link.unlink()

    def call(self, *command: str, check: bool = True) -> str:
        """Output of a SLURM command."""
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 or not check, f"{command}: {done.stderr}"
        return done.stdout

    def jobs(self) -> dict[int, dict[str, str]]:
        """All jobs that SLURM still lists, by number, with the fields of `scontrol show job`."""
        records = self.call("scontrol", "--oneliner", "--details", "show", "job").splitlines()
        fields = [
            dict(word.split("=", 1) for word in line.split() if "=" in word) for line in records
        ]
        return {int(job["JobId"]): job for job in fields if "JobId" in job}

    def accept_jobs(self, accept: bool) -> None:
        """Let queued jobs start, or wait."""
        state = "UP" if accept else "DOWN"
        self.call("scontrol", "update", f"PartitionName={PARTITION}", f"State={state}")

    def _write_configuration(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        for number in range(GPUS):
            (self.folder / f"nvidia{number}").touch()
        controller_port, node_port = _free_ports()
        names = {"folder": self.folder, "host": host(), "partition": PARTITION, "last": GPUS - 1}
        sizes = {"cpus": CPUS, "gpus": GPUS, "memory": MEMORY}
        ports = {"controller_port": controller_port, "node_port": node_port}
        texts = (SLURM_CONF.format(**names, **sizes, **ports), GRES_CONF.format(**names), "\n")
        SYSTEM_FOLDER.mkdir(exist_ok=True)
        for name, text in zip(FILES, texts, strict=True):
            (self.folder / name).write_text(text)
            # Jobs do not inherit SLURM_CONF, so SLURM's own place has to lead here.
            (SYSTEM_FOLDER / name).unlink(missing_ok=True)
            (SYSTEM_FOLDER / name).symlink_to(self.folder / name)

    def _munge_files(self) -> list[str]:
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        places = {"key-file": key.name, "socket": "munge.socket", "pid-file": "munge.pid"}
        places |= {"log-file": "munge.log", "seed-file": "munge.seed"}
        return [f"--{option}={self.folder / name}" for option, name in places.items()]

    def _daemon(self, program: str, *arguments: str) -> None:
        path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
        command = [str(shutil.which(program, path=path)), *arguments]
        with open(self.folder / f"{program}.out", "w") as output:
            daemon = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self.daemons.append(daemon)

    def _wait_for(self, *command: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while subprocess.run(command, capture_output=True, timeout=60, check=False).returncode:
            outputs = {file.name: file.read_text()[-800:] for file in self.folder.glob("*.out")}
            assert time.monotonic() < deadline, f"{command} failed: {outputs}"
            time.sleep(0.3)


def host() -> str:
    """Name of the one node."""
    return socket.gethostname().split(".")[0]


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
