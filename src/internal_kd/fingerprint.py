"""A fingerprint of the code a job consists of, for reruns after edits.

Snakemake does not inspect the package its rules call. Each rule therefore carries, as a
parameter, a hash of exactly the modules of ``internal_kd`` that its job imports, directly or
through other modules. The hash is taken over the syntax tree without docstrings: comments,
docstrings and layout do not count. A module that depends on a data file beside it declares it in a
constant::

    FINGERPRINT_DATA = ("paper_table1.csv",)

and the bytes of the file count as code.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from internal_kd.known_sources import KnownSources, SourceFacts

PACKAGE = "internal_kd"
DATA_CONSTANT = "FINGERPRINT_DATA"
DIGITS = 16

_SOURCE_ROOT = Path(__file__).resolve().parent.parent
_known = KnownSources(reader=hashlib.sha256(Path(__file__).read_bytes()).hexdigest())
_Documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_fingerprint(*modules: str, without: str = "") -> str:
    """Return the fingerprint of modules and all they import of this package, as 16 hex digits.

    Args:
        modules: their full names, or names of files outside of the package, which end in .py.
        without: a subpackage, such as ``embedded``, that the job at hand does not use although the
            module can import it. Its name is appended after a dash.

    Raises:
        ModuleNotFoundError: one of them is not part of the package.
    """
    digest = hashlib.sha256()
    for name in sorted(set().union(*(closure(module, without) for module in modules))):
        digest.update(f"{name}={_module_hash(name)}\n".encode())
    _known.keep()
    return "-".join(filter(None, [digest.hexdigest()[:DIGITS], without]))


def current_fingerprint(*modules: str, planned: str) -> str:
    """Return today's fingerprint of modules, without what an earlier one excluded."""
    return code_fingerprint(*modules, without=planned.partition("-")[2])


def closure(module: str, without: str = "") -> set[str]:
    """Return the names of the package's modules that ``module`` can reach, itself included.

    Imports inside functions count, and so do the ``__init__`` modules of the packages on the way.

    Args:
        module: full name of the module.
        without: a subpackage that is excluded, with what only it imports.

    Raises:
        ModuleNotFoundError: the module is not part of the package.
    """
    if _source_file(module) is None:
        raise ModuleNotFoundError(f"no module {module} below {_SOURCE_ROOT}", name=module)
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen and not _belongs_to(name, without):
            seen.add(name)
            waiting.extend(_imports(name))
    return seen


def _belongs_to(module: str, subpackage: str) -> bool:
    name = f"{PACKAGE}.{subpackage}"
    return bool(subpackage) and (module == name or module.startswith(f"{name}."))


@cache
def _source_file(module: str) -> Path | None:
    """The file of a module, or None where the name is neither of the package nor of a file."""
    if module.endswith(".py"):
        return Path(module) if Path(module).is_file() else None
    if module.split(".")[0] != PACKAGE:
        return None
    path = _SOURCE_ROOT.joinpath(*module.split("."))
    for candidate in (path / "__init__.py", path.with_name(path.name + ".py")):
        if candidate.is_file():
            return candidate
    return None


@cache
def _facts(module: str) -> SourceFacts:
    path = _source_file(module)
    assert path is not None
    text = path.read_bytes()
    key = hashlib.sha256(f"{module} in {path.name}\n".encode() + text).hexdigest()
    facts = _known.get(key)
    if facts is None:
        tree = _tree(text, path)
        digest = hashlib.sha256(_canonical(tree).encode()).hexdigest()
        facts = SourceFacts(digest, _named_in(tree, module), tuple(_data_files(tree)))
        _known.add(key, facts)
    return facts


def _tree(text: bytes, path: Path) -> ast.Module:
    """The syntax tree of a module, without docstrings."""
    tree = ast.parse(text, filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, _Documented) and ast.get_docstring(node, clean=False) is not None:
            rest = node.body[1:]
            # Only a module may be empty; elsewhere a lone docstring is the same code as `pass`.
            node.body = rest if rest or isinstance(node, ast.Module) else [ast.Pass()]
    return tree


@cache
def _imports(module: str) -> frozenset[str]:
    """Modules of the package that this one imports, with the packages that contain them."""
    names = _facts(module).imports
    own = set() if module.endswith(".py") else {module}
    parents = {parent for name in {*names, *own} for parent in _packages_of(name)}
    return frozenset(name for name in parents.union(names) if _source_file(name) is not None)


def _named_in(tree: ast.Module, module: str) -> tuple[str, ...]:
    """Dotted names of this package that import statements may load."""
    named = {name for node in ast.walk(tree) for name in _named_by(node, module)}
    return tuple(sorted(name for name in named if name.split(".")[0] == PACKAGE))


def _named_by(node: ast.AST, module: str) -> Iterator[str]:
    """Dotted names that an import statement may load; a name after ``import`` may be a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, module)
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _absolute(node: ast.ImportFrom, module: str) -> str:
    """Resolve the dots of ``from ..x import y`` against the importing module."""
    if node.level == 0:
        return node.module or ""
    path = _source_file(module)
    is_package = path is not None and path.name == "__init__.py"
    parts = module.split(".")
    kept = parts[: len(parts) - node.level + int(is_package)]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _packages_of(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


@cache
def _module_hash(module: str) -> str:
    facts, path = _facts(module), _source_file(module)
    assert path is not None
    digest = hashlib.sha256(facts.digest.encode())
    for name in facts.data:
        digest.update(_file_hash(path.parent / name))
    return digest.hexdigest()


def _file_hash(path: Path) -> bytes:
    """Hash of a data file; one that is not there (yet) has an empty one."""
    return hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""


def _canonical(node: object) -> str:
    """Write a syntax tree as text; unlike ``ast.dump`` the same in every version of Python.

    Empty fields are omitted, because newer versions add such fields to old constructs.
    """
    if isinstance(node, ast.AST):
        kept = (
            f"{name}={_canonical(value)}"
            for name, value in ast.iter_fields(node)
            if value is not None and value != []
        )
        return f"{type(node).__name__}({','.join(kept)})"
    if isinstance(node, list):
        return f"[{','.join(map(_canonical, node))}]"
    return repr(node)


def _data_files(tree: ast.Module) -> list[str]:
    """Files named by the module's FINGERPRINT_DATA constant, relative to the module's folder."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(name, ast.Name) and name.id == DATA_CONSTANT for name in targets):
                return list(ast.literal_eval(node.value))
    return []
