# Exp1.0: the base model fine-tuned on a task, the teacher of all its students.
rule teacher:
    input:
        base=BASE_MODEL,
        data=TOKENS,
    output:
        model=directory(f"{RUN}/model"),
        history=f"{RUN}/history.csv",
        metrics=f"{RUN}/metrics.json",
        predictions=f"{RUN}/predictions.parquet",
        manifest=f"{RUN}/{manifests.NAME}",
    log:
        f"{LOGS}/teacher/{RUN_NAME}.log",
    benchmark:
        f"{BENCHMARKS}/teacher/{RUN_NAME}.tsv"
    wildcard_constraints:
        experiment=TEACHER,
    conda:
        environment("../../envs/train.yaml")
    threads: RESOURCES["teacher"].threads
    resources:
        **needs(RESOURCES["teacher"]),
    params:
        code=stage_code("teacher"),
        settings=teacher_settings,
        out=RUN,
        checkpoints=CHECKPOINTS,
    message:
        "teacher {wildcards.experiment} on {wildcards.task}"
    shell:
        command(
            "teacher",
            "--log {log:q} --code {params.code:q} --settings {params.settings:q}"
            " --base {input.base:q} --data {input.data:q} --out {params.out:q}"
            " --checkpoints {params.checkpoints:q}"
            " --manifest {output.manifest:q}",
        )
