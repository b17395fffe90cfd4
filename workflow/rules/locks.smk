# What keeps workflows apart that are at work at the same time. No rules here.
from internal_kd.study import results_lock

# Locks that this process holds until it ends.
HELD = []


def keep_apart():
    """Lock the results against other workflows, and leave alone what others have locked.

    Raises:
        SystemExit: another workflow is at work on these results.
    """
    remove_only_own_locks()
    if takes_locks():
        try:
            HELD.append(results_lock.hold(Path(RESULTS), STUDY.name))
        except UserError as mistake:
            sys.exit(f"error: {mistake}")
