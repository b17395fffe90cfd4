# All student runs, with and without a teacher: which losses act when is data of the experiment.
rule distill:
    input:
        init=student_init_of,
        data=TOKENS,
        teacher=teacher_of,
    output:
        model=directory(f"{RUN}/model"),
        history=f"{RUN}/history.csv",
        metrics=f"{RUN}/metrics.json",
        predictions=f"{RUN}/predictions.parquet",
        manifest=f"{RUN}/{manifests.NAME}",
    log:
        f"{LOGS}/distill/{RUN_NAME}.log",
    benchmark:
        f"{BENCHMARKS}/distill/{RUN_NAME}.tsv"
    wildcard_constraints:
        experiment=STUDENTS,
    group:
        packed
    conda:
        environment("../../envs/train.yaml")
    threads: RESOURCES["distill"].threads
    resources:
        **needs(RESOURCES["distill"]),
    params:
        code=lambda wildcards: code_of_student(wildcards.experiment),
        settings=distill_settings,
        teacher=teacher_option,
        out=RUN,
        checkpoints=CHECKPOINTS,
        signals=SIGNALS,
        signals_mb=signals_mb,
    message:
        "{wildcards.experiment} on {wildcards.task}: {wildcards.layers} layers,"
        " {wildcards.percent} % of the data, seed {wildcards.seed}"
    shell:
        command(
            "distill",
            "--log {log:q} --code {params.code:q} --settings {params.settings:q}"
            " --init {input.init:q} --data {input.data:q} {params.teacher:q} --out {params.out:q}"
            " --checkpoints {params.checkpoints:q} --signals {params.signals:q}"
            " --signals-mb {params.signals_mb:q}"
            " --manifest {output.manifest:q}",
        )
