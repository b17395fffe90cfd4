"""Configs as Snakemake hands them over: the default with overlays and changes merged in."""

from collections.abc import Mapping
from typing import Any

import yaml

from internal_kd.specs.schema import config_schema
from internal_kd.study.config import Study, load
from tests.conftest import ROOT

SCHEMA = config_schema()


def merged(config: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested mappings as Snakemake does."""
    config = dict(config) if isinstance(config, Mapping) else {}
    for key, value in changes.items():
        config[key] = merged(config.get(key), value) if isinstance(value, Mapping) else value
    return config


def read_config(*overlays: str, **changes: Any) -> dict[str, Any]:
    """The default config with the overlays of studies/ and changes merged over it."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    for overlay in overlays:
        config = merged(config, yaml.safe_load((ROOT / "studies" / f"{overlay}.yaml").read_text()))
    return merged(config, changes)


def read_study(*overlays: str, **changes: Any) -> Study:
    """The study of such a config."""
    return load(read_config(*overlays, **changes))
