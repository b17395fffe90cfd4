# Exp1.0: the base model fine-tuned on a task, the teacher of all its students.
rule teacher:
    input:
        base=PATHS.base,
        data=PATHS.tokens,
    output:
        model=directory(f"{PATHS.run}/model"),
        history=f"{PATHS.run}/history.csv",
        metrics=f"{PATHS.run}/metrics.json",
        predictions=f"{PATHS.run}/predictions.parquet",
        manifest=f"{PATHS.run}/{manifests.NAME}",
    log:
        f"{PATHS.logs}/teacher/{RUN_NAME}.log",
    benchmark:
        f"{PATHS.benchmarks}/teacher/{RUN_NAME}.tsv"
    wildcard_constraints:
        experiment=re.escape(STUDY.teacher.name),
    conda:
        TRAIN
    threads: RESOURCES["teacher"].threads
    resources:
        **needs(RESOURCES["teacher"]),
    params:
        code=CODE.job("teacher"),
        settings=lambda wildcards: as_json(
            encode(settings.teacher_job(STUDY, run_of(wildcards)))
        ),
        out=PATHS.run,
        checkpoints=PATHS.checkpoints,
    message:
        "teacher {wildcards.experiment} on {wildcards.task}"
    shell:
        command(
            "teacher",
            "--base {input.base:q} --data {input.data:q} --out {params.out:q}"
            " --checkpoints {params.checkpoints:q} --manifest {output.manifest:q}",
        )
