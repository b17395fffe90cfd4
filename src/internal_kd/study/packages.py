"""Packages that the jobs of a study import."""

from importlib.util import find_spec

from internal_kd.errors import UserError

PACKAGES = (
    "datasets",
    "huggingface_hub",
    "jsonschema",
    "markdown_it",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "safetensors",
    "scipy",
    "seaborn",
    "tokenizers",
    "torch",
    "tqdm",
    "transformers",
    "yaml",
)


def require_packages() -> None:
    """Check that this Python has them all, without importing any.

    Raises:
        UserError: naming those that are missing.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UserError(
            f"environment: this Python has no {', '.join(missing)}; install all packages with "
            "'pip install -r requirements.lock', or let Snakemake do it with --sdm conda"
        )
