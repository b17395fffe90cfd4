# What attention and [CLS] vectors of students and teachers have in common.
rule attention:
    input:
        data=PATHS.tokens,
        student=f"{PATHS.run}/model",
        metrics=f"{PATHS.run}/metrics.json",
        teacher=teacher_files,
    output:
        distances=f"{PATHS.distances}.parquet",
        manifest=f"{PATHS.distances}.{manifests.NAME}",
    log:
        f"{PATHS.logs}/attention/{RUN_NAME}.log",
    benchmark:
        f"{PATHS.benchmarks}/attention/{RUN_NAME}.tsv"
    group:
        packed
    conda:
        TRAIN
    threads: RESOURCES["attention"].threads
    resources:
        **needs(RESOURCES["attention"]),
    params:
        code=CODE.job("attention"),
        settings=lambda wildcards: as_json(
            settings.attention_settings(run_of(wildcards))
        ),
        student=lambda wildcards: run_of(wildcards).path(RESULTS),
        teacher=lambda wildcards: PATHS.teacher(run_of(wildcards)),
    message:
        "{wildcards.experiment} on {wildcards.task}, seed {wildcards.seed}: distances from the teacher"
    shell:
        command(
            "attention",
            "--teacher {params.teacher:q} --student {params.student:q} --data {input.data:q}"
            " --out {output.distances:q} --manifest {output.manifest:q}",
        )


rule attention_maps:
    input:
        data=PATHS.tokens,
        models=lambda wildcards: PATHS.files(shown(wildcards), "model", "metrics.json"),
    output:
        maps=f"{PATHS.maps}.npz",
        manifest=f"{PATHS.maps}.{manifests.NAME}",
    log:
        f"{PATHS.logs}/attention_maps/{{task}}-example{{example}}.log",
    benchmark:
        f"{PATHS.benchmarks}/attention_maps/{{task}}-example{{example}}.tsv"
    conda:
        TRAIN
    threads: RESOURCES["attention"].threads
    resources:
        **needs(RESOURCES["attention"]),
    params:
        code=CODE.job("attention_maps"),
        settings=lambda wildcards: as_json(
            settings.attention_maps_settings(wildcards.task, int(wildcards.example))
        ),
        runs=lambda wildcards: PATHS.folders(shown(wildcards)),
    message:
        "attention of example {wildcards.example} of {wildcards.task}"
    shell:
        command(
            "attention_maps",
            "--teacher {params.runs[0]:q} --standard {params.runs[1]:q} --internal {params.runs[2]:q}"
            " --data {input.data:q} --out {output.maps:q} --manifest {output.manifest:q}",
        )
