"""Files of users that register objectives of their own.

Such a file is Python that imports the registry and adds entries to `OBJECTIVES`, `TARGETS` or
`OUTPUT_OBJECTIVES`. It counts as code of the runs that use them.
"""

import sys
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path

from internal_kd.errors import UserError, reason
from internal_kd.objectives import registry

PREFIX = "internal_kd_extension_"


def load_extensions(files: Iterable[str]) -> None:
    """Run these files, each once in a process.

    Raises:
        UserError: one of them is missing, fails, or registers a name that is taken.
    """
    for file in files:
        if file not in registry.EXTENSIONS.values():
            _load(file)


def _load(file: str) -> None:
    if not Path(file).is_file():
        raise UserError(f"extensions: {file!r} does not exist; write the path of a Python file")
    name = f"{PREFIX}{len(registry.EXTENSIONS)}_{Path(file).stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UserError(f"extensions: {file!r} is not a Python file; its name must end in .py")
    module = module_from_spec(spec)
    tables: tuple[dict, ...] = (
        registry.OBJECTIVES,
        registry.TARGETS,
        registry.OUTPUT_OBJECTIVES,
    )
    before = [dict(table) for table in tables]
    sys.modules[name], registry.EXTENSIONS[name] = module, file
    try:
        spec.loader.exec_module(module)
        _check_names(file, tables, before)
        _check_kinds(file)
    except BaseException as error:
        del sys.modules[name], registry.EXTENSIONS[name]
        for table, entries in zip(tables, before, strict=True):
            table.clear()
            table.update(entries)
        if isinstance(error, UserError) or not isinstance(error, Exception):
            raise
        raise UserError(
            f"extensions: {file!r} could not be loaded ({reason(error)}); fix the file"
        ) from error


def _check_kinds(file: str) -> None:
    kinds = (
        (registry.OBJECTIVES, registry.Objective),
        (registry.TARGETS, registry.Target),
        (registry.OUTPUT_OBJECTIVES, registry.OutputObjective),
    )
    for table, kind in kinds:
        for name, entry in table.items():
            if not isinstance(entry, kind):
                raise UserError(
                    f"extensions: {file!r} registers {name!r} as a {type(entry).__name__}; "
                    f"write {kind.__name__}(...)"
                )
    for name, output in registry.OUTPUT_OBJECTIVES.items():
        _check_arguments(file, name, output)


def _check_arguments(file: str, name: str, output: registry.OutputObjective) -> None:
    if isinstance(output.function, str):
        return
    arguments = signature(output.function).parameters
    declared = {"teacher_logits": "reads_teacher", "temperature": "reads_temperature"}
    for argument, field in declared.items():
        if (argument in arguments) != getattr(output, field):
            raise UserError(
                f"extensions: {file!r} registers {name!r} with {field}={getattr(output, field)}, "
                f"but {argument!r} is {'one' if argument in arguments else 'none'} of its "
                f"function's arguments; write {field}={argument in arguments}"
            )


def _check_names(file: str, tables: Iterable[dict], before: Iterable[dict]) -> None:
    for table, entries in zip(tables, before, strict=True):
        for name, entry in entries.items():
            if table.get(name) is not entry:
                raise UserError(
                    f"extensions: {file!r} replaces {name!r}, which is registered already; "
                    "use another name"
                )
    for name in (name for table in tables for name in table):
        if not name.isidentifier():
            raise UserError(
                f"extensions: {file!r} registers {name!r}; use a name of letters, digits and _"
            )
    for name, objective in registry.OBJECTIVES.items():
        if objective.target not in registry.TARGETS:
            raise UserError(
                f"extensions: {file!r} registers {name!r} with the target {objective.target!r}, "
                f"which does not exist; known: {', '.join(registry.TARGETS)}"
            )
