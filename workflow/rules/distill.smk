# All student runs, with and without a teacher: which losses act when is data of the experiment.
STUDENTS = [name for name in STUDY.experiments if name != STUDY.teacher.name]


rule distill:
    input:
        init=lambda wildcards: PATHS.student_init(run_of(wildcards)),
        data=PATHS.tokens,
        teacher=teacher_files,
    output:
        model=directory(f"{PATHS.run}/model"),
        history=f"{PATHS.run}/history.csv",
        metrics=f"{PATHS.run}/metrics.json",
        predictions=f"{PATHS.run}/predictions.parquet",
        manifest=f"{PATHS.run}/{manifests.NAME}",
    log:
        f"{PATHS.logs}/distill/{RUN_NAME}.log",
    benchmark:
        f"{PATHS.benchmarks}/distill/{RUN_NAME}.tsv"
    wildcard_constraints:
        experiment="|".join(map(re.escape, STUDENTS)),
    group:
        packed
    conda:
        TRAIN
    threads: RESOURCES["distill"].threads
    resources:
        **needs(RESOURCES["distill"]),
    params:
        job="distill",
        code=lambda wildcards: CODE.students(wildcards.experiment),
        settings=lambda wildcards: as_json(
            encode(settings.student_job(STUDY, run_of(wildcards)))
        ),
        # Snakemake does not count a parameter that depends on `input` among its triggers: another
        # budget is no reason to train a student again.
        files=lambda wildcards, input: [*as_options(input), *PATHS.signals_options],
        out=PATHS.run,
        checkpoints=PATHS.checkpoints,
    message:
        "{wildcards.experiment} on {wildcards.task}: {wildcards.layers} layers,"
        " {wildcards.percent} % of the data, seed {wildcards.seed}"
    shell:
        command(
            "{params.job:q}",
            "{params.files:q} --out {params.out:q} --checkpoints {params.checkpoints:q}"
            " --manifest {output.manifest:q}",
        )


# A general student, which the base model teaches on unlabelled text before any task is known.
use rule distill as agnostic with:
    input:
        base=PATHS.base,
        init=lambda wildcards: PATHS.agnostic_init(wildcards.model, wildcards.layers),
        corpus=PATHS.corpus,
    output:
        model=directory(f"{PATHS.agnostic}/model"),
        history=f"{PATHS.agnostic}/history.csv",
        metrics=f"{PATHS.agnostic}/metrics.json",
        manifest=f"{PATHS.agnostic}/{manifests.NAME}",
    log:
        f"{PATHS.logs}/agnostic/{AGNOSTIC_NAME}.log",
    benchmark:
        f"{PATHS.benchmarks}/agnostic/{AGNOSTIC_NAME}.tsv"
    threads: RESOURCES["agnostic"].threads
    resources:
        **needs(RESOURCES["agnostic"]),
    params:
        job="agnostic",
        code=lambda wildcards: CODE.agnostic(wildcards.model),
        settings=lambda wildcards: as_json(
            encode(
                settings.agnostic_job(STUDY, wildcards.model, int(wildcards.layers))
            )
        ),
        files=lambda wildcards, input: as_options(input),
        out=PATHS.agnostic,
        checkpoints=PATHS.agnostic_checkpoints,
    message:
        "general student {wildcards.model}: {wildcards.layers} layers, seed {wildcards.seed}"
