"""Files that a config names: whether they exist, which they are, and hashes of their content.

A file is read again only if its size, its times or its place on the disk have changed. The hashes
are in Snakemake's folder of the working directory, like all that can be rebuilt.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from internal_kd.data.parts import ENDINGS, files_of_split, form_of, text_files
from internal_kd.manifests import file_hash
from internal_kd.models.families import reason_for_refusal
from internal_kd.models.positions import positions_in
from internal_kd.specs.agnostic import Corpus
from internal_kd.specs.config import BaseModel, Data, StudyConfig
from internal_kd.specs.sizes import Sizes, sizes_in
from internal_kd.specs.task_definitions import TaskDefinition
from internal_kd.specs.tasks import SPLITS
from internal_kd.study import problems
from internal_kd.study.file_integrity import damage, missing_weights, odd_type
from internal_kd.study.glue import GLUE
from internal_kd.study.problems import Problem

EMBEDDED = Path(__file__).parents[1] / "embedded" / "assets"
REQUIRED_SPLITS = ("train", "validation")

Found = Iterator[Problem]


def data_problems(data: Data, tasks: list[str]) -> Found:
    """Missing folders and splits of ``data.source: folder``, relative to the working directory."""
    if data.source != "folder" or data.path is None:
        return
    folder = Path(data.path)
    if not folder.is_dir():
        yield Problem(
            ("data", "path"),
            f"the folder '{folder}' does not exist; it should hold {tasks[0]}/train.parquet",
        )
        return
    for task in filter(GLUE.__contains__, tasks):
        yield from _task_problems(folder / task, task)


def _task_problems(folder: Path, task: str) -> Found:
    if not folder.is_dir():
        yield Problem(
            ("data", "path"),
            f"the folder '{folder}' does not exist; put train.parquet and "
            f"validation.parquet there or remove {task} from tasks and sweeps",
        )
        return
    for split in SPLITS:
        found = files_of_split(folder, split)
        if found.fault is not None:
            yield Problem(("data", "path"), found.fault)
        yield from _damaged(("data", "path"), found.files)
        if not found.files and split in REQUIRED_SPLITS:
            yield Problem(
                ("data", "path"),
                f"'{folder / split}.parquet' (or .arrow) is missing; put the {split} split of "
                f"{task} there or remove {task} from tasks and sweeps",
            )


def _damaged(key: problems.Path, found: Iterable[Path]) -> Found:
    for file in found:
        what = damage(file)
        if what:
            yield Problem(key, f"'{file}' {what}; copy or download it again")


def data_files(data: Data, task: str) -> list[str]:
    """Local files that a task is read from; none where its source is not a folder."""
    if data.source != "folder" or data.path is None:
        return []
    folder = Path(data.path) / task
    return [str(file) for split in SPLITS for file in files_of_split(folder, split).files]


def definition_problems(name: str, definition: TaskDefinition) -> Found:
    """Files of a task that are missing, damaged or of an unknown form."""
    for split, path in definition.files.paths.items():
        key, place = ("task_definitions", name, "files", split), Path(path)
        if not place.exists():
            yield Problem(key, f"'{path}' does not exist; name a file or folder")
        elif place.is_dir() and not files_below(path):
            yield Problem(key, f"the folder '{path}' holds no .parquet or .arrow files")
        elif place.is_file() and form_of(place) is None:
            yield Problem(
                key, f"the form of '{path}' is unknown; its name must end in {', '.join(ENDINGS)}"
            )
        else:
            yield from _damaged(key, map(Path, files_below(path)))


def files_below(path: str) -> list[str]:
    """A file itself, or the files in a folder that hold rows, or say what is in it."""
    place = Path(path)
    if not place.is_dir():
        return [path]
    ends = (".parquet", ".arrow", ".json")
    return sorted(str(file) for file in place.rglob("*") if file.suffix in ends)


def task_files(study_data: Data, definition: TaskDefinition | None, task: str) -> list[str]:
    """Local files that a task is read from, of a task that the config defines or of GLUE."""
    if definition is None:
        return data_files(study_data, task)
    return [file for path in definition.files.paths.values() for file in files_below(path)]


def base_model_files(base: BaseModel) -> list[str]:
    """Local files of the base model; none where its source is not a folder."""
    if base.source != "folder" or base.path is None:
        return []
    return sorted(str(file) for file in Path(base.path).iterdir() if file.is_file())


def sizes_of(config: StudyConfig, base: BaseModel) -> Sizes | None:
    """Heads and width of a base model, as far as they can be known before it is there."""
    if base.source == "pretrain":
        return Sizes(config.pretraining.model.heads, config.pretraining.model.hidden_size)
    folder = local_folder(base)
    return None if folder is None else sizes_in(_read(folder / "config.json"))


def local_folder(base: BaseModel) -> Path | None:
    """The folder that a base model comes from; None where there is none before the workflow."""
    if base.source == "embedded":
        return EMBEDDED
    return Path(base.path) if base.source == "folder" and base.path is not None else None


def vocabulary_in(folder: Path) -> dict[str, int] | None:
    """The numbers of tokens in a folder's `tokenizer.json`; None where that is not readable."""
    with suppress(KeyError, TypeError, ValueError):
        tokenizer = _read(folder / "tokenizer.json")
        vocabulary, added = tokenizer["model"]["vocab"], tokenizer.get("added_tokens", [])
        numbered = vocabulary if isinstance(vocabulary, dict) else _numbered(vocabulary)
        return {**numbered, **{token["content"]: token["id"] for token in added}}
    return None


def _numbered(pieces: list[list[str]]) -> dict[str, int]:
    """Pieces of words, each with its score, in the order of their numbers."""
    return {piece[0]: number for number, piece in enumerate(pieces)}


def _read(file: Path) -> dict:
    """A JSON object; an empty one where there is none."""
    with suppress(OSError, ValueError):
        found = json.loads(file.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def corpus_problems(corpus: Corpus) -> Found:
    """A corpus of text files that are not there, or a folder that holds no data set."""
    path = corpus.path
    if path is None:
        return
    if corpus.source == "files" and not text_files(path):
        yield Problem(
            ("corpus", "path"),
            f"'{path}' is no file, no folder with .txt or .txt.gz files, and no pattern of files; "
            "correct it",
        )
    is_name = path.count("/") <= 1 and not path.startswith(("/", "."))
    if corpus.source == "dataset" and not (Path(path).is_dir() or is_name):
        yield Problem(
            ("corpus", "path"),
            f"the folder '{path}' does not exist; give one that was written by save_to_disk, or a "
            "name on the hub",
        )


def is_on_hub(corpus: Corpus) -> bool:
    """Whether the text comes from the hub, which only a cluster's login node may reach."""
    return corpus.source == "dataset" and not Path(str(corpus.path)).is_dir()


def corpus_files(corpus: Corpus) -> list[str]:
    """Local files of unlabelled text; none where it is generated or comes from the hub."""
    if corpus.source == "embedded" or corpus.path is None:
        return []
    if corpus.source == "files":
        return [str(file) for file in text_files(corpus.path)]
    written = (file for file in Path(corpus.path).rglob("*") if file.is_file())
    return sorted(str(file) for file in written if not file.name.startswith("cache-"))


def positions_of(base: BaseModel) -> int | None:
    """Tokens of the longest text for a base model in a folder; None if that is not known."""
    return positions_in(_read(Path(base.path) / "config.json")) if base.path else None


def base_model_problems(base: BaseModel, max_length: int) -> Found:
    """A missing model folder, or one whose ``config.json`` disagrees with the config."""
    if base.source != "folder" or base.path is None:
        return
    file = Path(base.path) / "config.json"
    if not file.is_file():
        yield Problem(
            ("base_model", "path"),
            f"'{file}' does not exist; give a folder that was written by save_pretrained",
        )
        return
    try:
        model = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        yield Problem(("base_model", "path"), f"'{file}' is not JSON; save the model again")
        return
    if not isinstance(model, dict):
        yield Problem(
            ("base_model", "path"), f"'{file}' is not the config of a model; save the model again"
        )
        return
    yield from _weights_problems(file.parent)
    yield from _form_problems(file.parent, model)
    yield from _shape_problems(base, model, max_length)


def _weights_problems(folder: Path) -> Found:
    for name in missing_weights(folder):
        yield Problem(
            ("base_model", "path"), f"'{folder}' has no {name}; copy or download the model again"
        )
    yield from _damaged(("base_model", "path"), sorted(folder.glob("*.safetensors")))


def _form_problems(folder: Path, model: Mapping[str, object]) -> Found:
    """Weights that are not all there is to a model, or not numbers as they are."""
    if model.get("quantization_config"):
        yield Problem(
            ("base_model", "path"),
            f"the weights in '{folder}' are quantized (quantization_config in its config.json); "
            "give the model in full or half precision",
        )
    for file in sorted(folder.glob("model*.safetensors")):
        kind = odd_type(file)
        if kind is not None:
            yield Problem(
                ("base_model", "path"),
                f"'{file}' holds weights of type {kind}; give the model in full or half precision",
            )
    if _is_twice(folder):
        yield Problem(
            ("base_model", "path"),
            f"'{folder}' holds model.safetensors and an index of parts beside it; keep the newer "
            "download alone",
        )
    if (folder / "adapter_config.json").is_file():
        yield Problem(
            ("base_model", "path"),
            f"an adapter belongs to the model in '{folder}' (adapter_config.json); merge it into "
            "the weights and save the plain model, or remove the file",
        )


def _is_twice(folder: Path) -> bool:
    return all((folder / f"model.safetensors{end}").is_file() for end in ("", ".index.json"))


def base_model_family(base: BaseModel) -> str | None:
    """The `model_type` of a local base model; None where none can be read."""
    if base.source != "folder" or base.path is None:
        return None
    with suppress(OSError, ValueError, AttributeError):
        model = json.loads((Path(base.path) / "config.json").read_text(encoding="utf-8"))
        return str(model.get("model_type"))
    return None


def _shape_problems(base: BaseModel, model: Mapping[str, object], max_length: int) -> Found:
    known = reason_for_refusal(model.get("model_type"))
    if known is not None:
        yield Problem(
            ("base_model", "path"),
            f"the model in '{base.path}' is of the family {model['model_type']}, which cannot be "
            f"distilled: {known}; give one such as BERT, RoBERTa, ELECTRA or DistilBERT",
        )
        return
    for key in ("is_decoder", "is_encoder_decoder"):
        if model.get(key):
            yield Problem(
                ("base_model", "path"),
                f"the model in '{base.path}' is not an encoder ({key} in its config.json); "
                "give one such as BERT, RoBERTa, ELECTRA or DistilBERT",
            )
    layers = model.get("num_hidden_layers", model.get("n_layers", base.layers))
    if layers != base.layers:
        yield Problem(
            ("base_model", "layers"),
            f"is {base.layers}, but the model in '{base.path}' has {layers}; write {layers}",
        )
    positions = positions_in(model)
    if positions is not None and positions < max_length:
        yield Problem(
            ("data", "max_length"),
            f"is {max_length}, but the model in '{base.path}' has {positions} positions; "
            f"write at most {positions}",
        )


FOLDER = Path(".snakemake")
CACHE = FOLDER / "internal_kd" / "files.json"


@cache
def content_hashes(paths: tuple[str, ...]) -> dict[str, str]:
    """Hash of the content of each file, by its name; by its path where others have the same."""
    cached = _cached()
    found = {path: _key(Path(path)) for path in paths}
    new = {key: file_hash(Path(path)) for path, key in found.items() if key not in cached}
    if new:
        _keep(cached | new)
    names = Counter(Path(path).name for path in found)
    return {
        Path(path).name if names[Path(path).name] == 1 else path: (cached | new)[key]
        for path, key in found.items()
    }


def _key(path: Path) -> str:
    """What changes whenever somebody writes to a file."""
    there = path.stat()
    numbers = (there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns)
    return f"{path.absolute()} {' '.join(map(str, numbers))}"


def _cached() -> dict[str, str]:
    with suppress(OSError, ValueError, AttributeError):
        stored = json.loads(CACHE.read_text(encoding="utf-8"))
        return {str(key): str(value) for key, value in stored.items()}
    return {}


def _keep(hashes: dict[str, str]) -> None:
    """Note hashes, if Snakemake has a folder here that can be written to."""
    if not FOLDER.is_dir():
        return
    partial = CACHE.with_name(f"{CACHE.name}.{os.getpid()}")
    with suppress(OSError):
        CACHE.parent.mkdir(exist_ok=True)
        partial.write_text(json.dumps(hashes), encoding="utf-8")
        partial.replace(CACHE)
