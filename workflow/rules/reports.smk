# Tables, statistics, figures and files: a rule for each kind of them that the study has. What they are,
# and what they are made from, is in `internal_kd.study.reports`.
from collections import defaultdict

BY_RULE = defaultdict(dict)
for item in REPORTS:
    BY_RULE[item.rule][item.name.removeprefix("figures/")] = item


def for_each(rule_name, get):
    """What `get` gives for the table or figure that a job makes, as a function of wildcards."""
    made = BY_RULE[rule_name]

    def value(wildcards):
        name = wildcards.get("figure")
        return get(made[name] if name else next(iter(made.values())))

    return value


def inputs_of(item):
    """All files that a table or figure is made from."""
    reads = item.reads
    maps = (
        [MAPS.format(task=reads.maps[0], example=reads.maps[1])] if reads.maps else []
    )
    return [
        *files_of(reads.runs, *reads.run_files),
        *distances_of(reads.distances),
        *examples_of(reads.tasks),
        *maps,
    ]


def options_of(item):
    """The arguments that name them."""
    reads = item.reads
    named = {
        "--runs": folders(reads.runs),
        "--distances": distances_of(reads.distances),
        "--examples": examples_of(reads.tasks),
        "--maps": (
            [MAPS.format(task=reads.maps[0], example=reads.maps[1])]
            if reads.maps
            else []
        ),
    }
    return [
        word for option, files in named.items() if files for word in (option, *files)
    ]


def outputs_of(item):
    """Its files, of which Snakemake's report shows one; a picture has a wildcard for its name."""
    shown = {f"{RESULTS}/{item.shown}"} if item.kind != "file" else set()
    label = (
        "{figure}"
        if item.kind == "figure"
        else f"{item.title.partition(':')[0]}, data (CSV)"
    )
    caption = {
        "caption": f"../report/{item.caption}.rst",
        "category": item.section,
        "subcategory": item.subcategory or None,
        "labels": {"figure" if item.kind == "figure" else "table": label},
    }
    paths = {
        path: pattern_of(item, path) for path in (f"{RESULTS}/{f}" for f in item.files)
    }
    marked = {path: report(paths[path], **caption) for path in shown}
    return list((paths | marked).values())


def pattern_of(item, path):
    """A path, with a wildcard for the name of a figure."""
    stem = f"{RESULTS}/{item.name}"
    figure = f"{RESULTS}/figures/{{figure}}"
    return figure + path.removeprefix(stem) if item.kind == "figure" else path


def name_of(item):
    """Paths of log and benchmark."""
    return "figures/{figure}" if item.kind == "figure" else item.name


for rule_name, made in BY_RULE.items():
    example = next(iter(made.values()))

    rule:
        name:
            rule_name
        input:
            made_from=for_each(rule_name, inputs_of),
            expected=for_each(rule_name, expected_of),
        output:
            out=outputs_of(example)[0],
            more=outputs_of(example)[1:],
        log:
            f"{LOGS}/{name_of(example)}.log",
        benchmark:
            f"{BENCHMARKS}/{name_of(example)}.tsv"
        wildcard_constraints:
            figure="|".join(map(re.escape, made)),
        localrule: example.resources != "statistics"
        conda:
            environment("../../envs/analysis.yaml")
        threads: RESOURCES[example.resources]["threads"]
        resources:
            **needs(RESOURCES[example.resources]),
        params:
            code=code_of_modules(*example.modules),
            settings=for_each(rule_name, lambda item: settings.as_json(item.settings)),
            function=example.function,
            inputs=for_each(rule_name, options_of),
        message:
            example.message
        shell:
            command(
                "product",
                "{params.function:q} --log {log:q} --code {params.code:q}"
                " --settings {params.settings:q} {params.inputs:q} --out {output.out:q}"
                " --expected {input.expected:q} --files {output:q}",
            )
