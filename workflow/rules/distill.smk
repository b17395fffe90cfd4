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
        code=lambda wildcards: CODE.students(wildcards.experiment),
        settings=lambda wildcards: as_json(
            encode(settings.student_job(STUDY, run_of(wildcards)))
        ),
        teacher=lambda wildcards: PATHS.teacher_option(run_of(wildcards)),
        out=PATHS.run,
        checkpoints=PATHS.checkpoints,
        signals=PATHS.signals,
        # Snakemake does not count a parameter that depends on `input` among its triggers: another
        # budget is no reason to train a student again.
        signals_mb=lambda wildcards, input: STUDY.config.distillation.signals.budget_mb,
    message:
        "{wildcards.experiment} on {wildcards.task}: {wildcards.layers} layers,"
        " {wildcards.percent} % of the data, seed {wildcards.seed}"
    shell:
        command(
            "distill",
            "--init {input.init:q} --data {input.data:q} {params.teacher:q} --out {params.out:q}"
            " --checkpoints {params.checkpoints:q} --signals {params.signals:q}"
            " --signals-mb {params.signals_mb:q} --manifest {output.manifest:q}",
        )
