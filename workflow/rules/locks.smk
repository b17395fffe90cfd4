# Locks that keep workflows apart that run at the same time. No rules here.
from internal_kd.study import results_lock

# Locks that this process holds until it ends.
HELD = []


def keep_apart():
    """Lock the results against other workflows, and keep the locks of others.

    Raises:
        SystemExit: another workflow is using these results.
    """
    remove_only_own_locks()
    if takes_locks():
        try:
            HELD.append(results_lock.hold(Path(RESULTS), STUDY.name))
        except UserError as mistake:
            sys.exit(f"error: {mistake}")
