# The general pre-trained model, and the students that are cut from it.
BASE_STAGE = settings.base_model_stage(STUDY)


rule base_model:
    input:
        files=as_inputs(files.base_model_files(STUDY.config.base_model)),
    output:
        model=directory(BASE_MODEL),
    log:
        f"{LOGS}/base_model.log",
    benchmark:
        f"{BENCHMARKS}/base_model.tsv"
    # Copying takes seconds, and only the login node may reach the hub.
    localrule: BASE_STAGE != "pretrain"
    conda:
        environment("../../envs/train.yaml")
    threads: RESOURCES["base_model"].threads
    resources:
        **needs(RESOURCES["base_model"]),
    params:
        stage=BASE_STAGE,
        code=stage_code(BASE_STAGE),
        settings=lambda wildcards: settings.as_json(settings.base_model_settings(STUDY)),
        manifest=lambda wildcards, output: f"{output.model}/{manifests.NAME}",
    message:
        "base model"
    shell:
        command(
            "{params.stage:q}",
            "--log {log:q} --code {params.code:q} --settings {params.settings:q} --out {output.model:q}"
            " --manifest {params.manifest:q}",
        )


rule student_init:
    input:
        base=BASE_MODEL,
    output:
        model=directory(STUDENT_INIT),
    log:
        f"{LOGS}/student_init/{{init}}-layers{{layers}}.log",
    benchmark:
        f"{BENCHMARKS}/student_init/{{init}}-layers{{layers}}.tsv"
    conda:
        environment("../../envs/train.yaml")
    threads: RESOURCES["student_init"].threads
    resources:
        **needs(RESOURCES["student_init"]),
    params:
        code=stage_code("student"),
        settings=student_init_settings,
        manifest=lambda wildcards, output: f"{output.model}/{manifests.NAME}",
    message:
        "student of {wildcards.layers} layers, start {wildcards.init}"
    shell:
        command(
            "student",
            "--log {log:q} --code {params.code:q} --settings {params.settings:q}"
            " --base {input.base:q} --out {output.model:q}"
            " --manifest {params.manifest:q}",
        )
