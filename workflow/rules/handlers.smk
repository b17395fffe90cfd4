# What happens when the workflow starts and when it ends. No rules here.
from internal_kd.study import description, failures
from internal_kd.study import results_folder
from internal_kd.study.caches import remove_caches

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
            HELD.append(results_folder.hold(Path(RESULTS), STUDY.name))
        except UserError as mistake:
            sys.exit(f"error: {mistake}")


def describe_study():
    """Describe a study whose rules are all defined, if a command asks for it."""
    if description.is_requested():
        code = {name: CODE.students(name) for name in STUDY.experiments}
        code |= {f"agnostic/{name}": CODE.agnostic(name) for name in STUDY.agnostic}
        description.describe(
            config=encode_config(STUDY.config),
            outputs=outputs_by_rule(),
            code=code | {STUDY.teacher.name: CODE.job("teacher")},
        )


def report_mistakes(logs):
    """Repeat at the end what failed jobs had to say, after Snakemake's own many words."""
    for sentence in failures.sentences(map(Path, logs)):
        print(sentence, file=sys.stderr)
