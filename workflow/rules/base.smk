# The general pre-trained model, and the students that are cut from it or from a teacher.


rule base_model:
    input:
        files=lambda wildcards: as_inputs(
            files.base_model_files(STUDY.base_model(wildcards.base))
        ),
        like=lambda wildcards: PATHS.base_option(wildcards.base)[1:],
    output:
        model=directory(PATHS.bases),
    log:
        f"{PATHS.logs}/{{base}}_model.log",
    benchmark:
        f"{PATHS.benchmarks}/{{base}}_model.tsv"
    # Copying takes seconds, and only the login node may reach the hub.
    localrule: STUDY.config.base_model.source != "pretrain"
    conda:
        TRAIN
    threads: RESOURCES["base_model"].threads
    resources:
        **needs(RESOURCES["base_model"]),
    params:
        job=lambda wildcards: settings.base_model_job(STUDY, wildcards.base),
        code=lambda wildcards: CODE.job(settings.base_model_job(STUDY, wildcards.base)),
        settings=lambda wildcards: as_json(
            settings.base_model_settings(STUDY, wildcards.base)
        ),
        like=lambda wildcards: PATHS.base_option(wildcards.base),
        manifest=lambda wildcards, output: f"{output.model}/{manifests.NAME}",
    message:
        "{wildcards.base} model"
    shell:
        command(
            "{params.job:q}",
            "{params.like:q} --out {output.model:q} --manifest {params.manifest:q}",
        )


rule student_init:
    input:
        base=lambda wildcards: PATHS.init_origin(wildcards.init),
    output:
        model=directory(PATHS.init),
    log:
        f"{PATHS.logs}/student_init/{{init}}-layers{{layers}}.log",
    benchmark:
        f"{PATHS.benchmarks}/student_init/{{init}}-layers{{layers}}.tsv"
    conda:
        TRAIN
    threads: RESOURCES["student_init"].threads
    resources:
        **needs(RESOURCES["student_init"]),
    params:
        code=CODE.job("student"),
        settings=lambda wildcards: as_json(
            settings.student_init_settings(wildcards.init, int(wildcards.layers))
        ),
        manifest=lambda wildcards, output: f"{output.model}/{manifests.NAME}",
    message:
        "student of {wildcards.layers} layers, start {wildcards.init}"
    shell:
        command(
            "student",
            "--base {input.base:q} --out {output.model:q} --manifest {params.manifest:q}",
        )
