"""What the stages that train do when they fail."""

from argparse import Namespace

from internal_kd.distillation.progress import identity_of, note_failure


def note_failed_run(args: Namespace, sentence: str) -> None:
    """Write into the run's progress file why its job failed.

    Args:
        args: of the stage.
        sentence: the reason.
    """
    note_failure(args.checkpoints, identity_of(args.settings, args.code), sentence)
