"""A single check whether the Hugging Face hub can be reached."""

from typing import Literal

PROBE_SECONDS = 10.0


def go_offline_if_unreachable(
    kind: Literal["model", "dataset"], name: str, revision: str | None
) -> None:
    """Without a network let the hub's libraries use the local cache at once.

    They would otherwise repeat each request for half a minute before they give up.
    """
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE:
        return
    try:
        HfApi().repo_info(name, repo_type=kind, revision=revision, timeout=PROBE_SECONDS)
    except (OSError, ValueError):  # the hub answered: loading will say what is wrong
        return
    except Exception:  # whatever the hub's HTTP client raises when there is no connection
        constants.HF_HUB_OFFLINE = True
