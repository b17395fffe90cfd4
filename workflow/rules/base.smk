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
        inputs=lambda wildcards: PATHS.base_option(wildcards.base),
        manifest=lambda wildcards, output: f"{output.model}/{manifests.NAME}",
    message:
        "{wildcards.base} model"
    shell:
        command(
            "{params.job:q}",
            "{params.inputs:q} --out {output.model:q} --manifest {params.manifest:q}",
        )


use rule base_model as student_init with:
    input:
        base=lambda wildcards: PATHS.init_origin(wildcards.init),
    output:
        model=directory(PATHS.init),
    log:
        f"{PATHS.logs}/student_init/{{init}}-layers{{layers}}.log",
    benchmark:
        f"{PATHS.benchmarks}/student_init/{{init}}-layers{{layers}}.tsv"
    threads: RESOURCES["student_init"].threads
    resources:
        **needs(RESOURCES["student_init"]),
    params:
        job="student",
        inputs=lambda wildcards, input: as_options(input),
        code=CODE.job("student"),
        settings=lambda wildcards: as_json(
            settings.student_init_settings(wildcards.init, int(wildcards.layers))
        ),
    message:
        "student of {wildcards.layers} layers, start {wildcards.init}"


# Unlabelled text, tokenised once for all general students.
use rule base_model as corpus with:
    input:
        base=PATHS.base,
        files=as_inputs(files.corpus_files(STUDY.config.corpus)),
    output:
        model=directory(PATHS.corpus),
    log:
        f"{PATHS.logs}/corpus.log",
    benchmark:
        f"{PATHS.benchmarks}/corpus.tsv"
    localrule: files.is_on_hub(STUDY.config.corpus)
    threads: RESOURCES["corpus"].threads
    resources:
        **needs(RESOURCES["corpus"]),
    params:
        job="corpus",
        inputs=["--base", PATHS.base],
        code=CODE.job("corpus"),
        settings=lambda wildcards: as_json(settings.corpus_settings(STUDY)),
    message:
        "tokens of unlabelled text"
