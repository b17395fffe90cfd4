# What attention and [CLS] vectors of students and teachers have in common.
rule attention:
    input:
        data=TOKENS,
        student=f"{RUN}/model",
        metrics=f"{RUN}/metrics.json",
        teacher=teacher_of,
    output:
        distances=DISTANCES,
        manifest=DISTANCES_MANIFEST,
    log:
        f"{LOGS}/attention/{RUN_NAME}.log",
    benchmark:
        f"{BENCHMARKS}/attention/{RUN_NAME}.tsv"
    group:
        packed
    conda:
        environment("../../envs/train.yaml")
    threads: RESOURCES["attention"].threads
    resources:
        **needs(RESOURCES["attention"]),
    params:
        code=stage_code("attention"),
        settings=lambda wildcards: settings.as_json(
            settings.attention_settings(run_of(wildcards))
        ),
        student=lambda wildcards: run_of(wildcards).path(RESULTS),
        teacher=lambda wildcards: STUDY.teacher_of(run_of(wildcards)).path(RESULTS),
    message:
        "{wildcards.experiment} on {wildcards.task}, seed {wildcards.seed}: distances from the teacher"
    shell:
        command(
            "attention",
            "--log {log:q} --code {params.code:q} --settings {params.settings:q}"
            " --teacher {params.teacher:q} --student {params.student:q} --data {input.data:q} --out {output.distances:q}"
            " --manifest {output.manifest:q}",
        )


rule attention_maps:
    input:
        data=TOKENS,
        models=lambda wildcards: files_of(shown(wildcards), "model", "metrics.json"),
    output:
        maps=MAPS,
        manifest=MAPS_MANIFEST,
    log:
        f"{LOGS}/attention_maps/{{task}}-example{{example}}.log",
    benchmark:
        f"{BENCHMARKS}/attention_maps/{{task}}-example{{example}}.tsv"
    conda:
        environment("../../envs/train.yaml")
    threads: RESOURCES["attention"].threads
    resources:
        **needs(RESOURCES["attention"]),
    params:
        code=stage_code("attention_maps"),
        settings=lambda wildcards: settings.as_json(
            settings.attention_maps_settings(wildcards.task, int(wildcards.example))
        ),
        runs=lambda wildcards: folders(shown(wildcards)),
    message:
        "attention of example {wildcards.example} of {wildcards.task}"
    shell:
        command(
            "attention_maps",
            "--log {log:q} --code {params.code:q} --settings {params.settings:q}"
            " --teacher {params.runs[0]:q} --standard {params.runs[1]:q} --internal {params.runs[2]:q}"
            " --data {input.data:q} --out {output.maps:q}"
            " --manifest {output.manifest:q}",
        )
