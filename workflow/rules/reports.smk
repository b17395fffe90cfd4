# Tables, statistics, figures and files: a rule for each kind of them that the study has. What they are,
# and what they are made from, is in `internal_kd.study.reports`.
from internal_kd.study.contents import index_settings
from internal_kd.study.expectations import Expectations, Expected
from internal_kd.study.expectations import ExpectationFiles
from internal_kd.study.report_rules import by_rule, for_each, labels_in_report
from internal_kd.study.report_rules import (
    output_patterns,
    pattern_of_name,
    shown_in_report,
)
from internal_kd.study.reports import reports

REPORTS = reports(STUDY)
SHOWN = [f"{RESULTS}/{item.shown}" for item in REPORTS]
CONTENTS = index_settings(STUDY)
EXPECTATIONS = Expectations(STUDY, CODE.job, CODE.students, CODE.agnostic)
EXPECTED_FILES = ExpectationFiles(RESULTS, executes, is_dry_run)


def expected_of(item):
    """The file of what a table or figure should be made from."""
    job = {"settings": item.settings, "code": CODE.modules(*item.modules)}
    return EXPECTED_FILES.file(item.name, job, EXPECTATIONS.report(item.reads))


def expected_of_index(wildcards):
    """The file of what the index should be made from: the tables and figures as they were made."""
    job = {"settings": CONTENTS, "code": CODE.job("index")}
    records = (EXPECTED_FILES.record(item.name) for item in REPORTS)
    return EXPECTED_FILES.file("index", job, Expected(shown=tuple(records)))


def outputs_of(item):
    """Its files, of which Snakemake's report shows one; a picture has a wildcard for its name."""
    shown, labels = shown_in_report(item), labels_in_report(item)
    paths = output_patterns(item, RESULTS)
    return [report(paths[f], **labels) if f == shown else paths[f] for f in paths]


for rule_name, made in by_rule(REPORTS).items():
    example = next(iter(made.values()))

    rule:
        name:
            rule_name
        input:
            made_from=for_each(made, lambda item: PATHS.read_by(item.reads)),
            expected=for_each(made, expected_of),
        output:
            out=outputs_of(example)[0],
            more=outputs_of(example)[1:],
        log:
            f"{PATHS.logs}/{pattern_of_name(example)}.log",
        benchmark:
            f"{PATHS.benchmarks}/{pattern_of_name(example)}.tsv"
        wildcard_constraints:
            figure="|".join(map(re.escape, made)),
        localrule: example.resources != "statistics"
        conda:
            ANALYSIS
        threads: RESOURCES[example.resources].threads
        resources:
            **needs(RESOURCES[example.resources]),
        params:
            code=CODE.modules(*example.modules),
            settings=for_each(made, lambda item: as_json(item.settings)),
            function=example.function,
            inputs=for_each(made, lambda item: PATHS.read_options(item.reads)),
        message:
            example.message
        shell:
            command(
                "product",
                "--function {params.function:q} {params.inputs:q} --out {output.out:q}"
                " --expected {input.expected:q} --files {output:q}",
            )
