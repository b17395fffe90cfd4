# Exp1.0: the base model fine-tuned on a task, the teacher of all its students.
use rule distill as teacher with:
    input:
        base=PATHS.base,
        data=PATHS.tokens,
    log:
        f"{PATHS.logs}/teacher/{RUN_NAME}.log",
    benchmark:
        f"{PATHS.benchmarks}/teacher/{RUN_NAME}.tsv"
    wildcard_constraints:
        experiment=re.escape(STUDY.teacher.name),
    threads: RESOURCES["teacher"].threads
    resources:
        **needs(RESOURCES["teacher"]),
    params:
        job="teacher",
        code=CODE.job("teacher"),
        settings=lambda wildcards: as_json(
            encode(settings.teacher_job(STUDY, run_of(wildcards)))
        ),
        files=lambda wildcards, input: as_options(input),
    message:
        "teacher {wildcards.experiment} on {wildcards.task}"
