# Facts about the workflow for commands outside of it (`internal-kd plan`). No rules here.


def describe(**facts):
    """Write facts into the file that such a command has named; nothing if there is none."""
    file = os.environ.get("INTERNAL_KD_DESCRIPTION")
    if file and is_main():
        Path(file).write_text(json.dumps(facts), encoding="utf-8")


def refuse(mistake):
    """End with one sentence on a user's mistake.

    Raises:
        SystemExit: and not a WorkflowError, to which Snakemake would add the lines of its file.
    """
    describe(mistake=str(mistake))
    sys.exit(str(mistake))


def describe_study():
    """Describe a study whose rules are all defined, if a command requests it."""
    if "INTERNAL_KD_DESCRIPTION" not in os.environ:
        return
    code = {name: code_of_student(name) for name in STUDY.experiments}
    describe(
        config=STUDY.config,
        outputs=outputs_by_rule(),
        code=code | {STUDY.teacher.name: stage_code("teacher")},
    )
