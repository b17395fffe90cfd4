"""Command `progress`: what of a study is done, running, stopped, failed and to do."""

from argparse import Namespace
from collections.abc import Sequence

from internal_kd.commands.command import run_command, study_parser, workflow_options
from internal_kd.planning.costs import Costs
from internal_kd.planning.progress import make_progress, progress_json, progress_text
from internal_kd.planning.workflow import read_jobs


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    parser = study_parser(
        "progress", "Show which runs of a study are done, running, failed or still to do."
    )
    return run_command(parser, _progress, argv)


def _progress(args: Namespace) -> str:
    found = read_jobs(workflow_options(args))
    progress = make_progress(found.jobs, Costs(found.study), found.code)
    return progress_json(progress) if args.json else progress_text(progress)
