# What keeps workflows apart that are at work at the same time. No rules here.
from contextlib import suppress

from internal_kd.study import results_lock

# Locks that this process holds until it ends.
HELD = []


def keep_apart():
    """Lock the results against other workflows, and leave alone what others have locked.

    Raises:
        SystemExit: another workflow is at work on these results.
    """
    if hasattr(workflow.persistence, "_lockfile"):
        workflow.persistence.unlock = remove_own_locks
    if workflow.is_main_process and workflow.execution_settings.lock:
        try:
            HELD.append(results_lock.hold(Path(RESULTS), STUDY.name))
        except UserError as mistake:
            sys.exit(f"error: {mistake}")


def remove_own_locks():
    """Snakemake would remove all locks in the working directory, also those of other studies."""
    for file in workflow.persistence._lockfile.values():
        with suppress(FileNotFoundError):
            os.remove(file)
