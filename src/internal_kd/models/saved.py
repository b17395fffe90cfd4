"""Whether a folder holds the model that was saved in it: the same parameters, the same outputs."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel

from internal_kd.errors import UserError, reason
from internal_kd.models.bert import is_plain_bert, new_bert
from internal_kd.models.features import CaptureRequest, Tokens
from internal_kd.models.limits import limits_of
from internal_kd.models.pretrained import inputs_of, load_encoder

# Longer than the windows of local attention, shorter than what a large model takes seconds for.
LONGEST = 512
TOLERANCE = 1e-3


@dataclass(frozen=True)
class _Text:
    input_ids: Tensor
    token_type_ids: Tensor
    attention_mask: Tensor
    padded: bool = False


def difference(model: PreTrainedModel, folder: str | Path) -> str | None:
    """How the encoder in `folder` differs from `model`, as the end of a sentence, or None.

    Args:
        model: an encoder, as it was when it was saved.
        folder: where `save_pretrained` wrote it.
    """
    try:
        again = load_encoder(folder)
    except UserError:
        return "has unused or missing weights after reloading"
    except Exception as error:  # whatever a config with settings of other layers leads to
        return f"cannot be loaded again ({type(error).__name__}: {reason(error)})"
    expected, found = model.state_dict(), again.state_dict()
    odd = sorted(expected.keys() ^ found.keys())
    odd += [
        name for name in found if name not in odd and not torch.equal(expected[name], found[name])
    ]
    if odd:
        return f"has another {odd[0]} after reloading"
    text = _long_text(model)
    states = _states(model, text)
    computed = [_states(again, text)[:, 0], *_by_ourselves(folder, text)]
    if not all(torch.allclose(states[:, 0], cls, TOLERANCE, TOLERANCE) for cls in computed):
        return "gives other outputs after reloading"
    return None


def _long_text(model: PreTrainedModel) -> _Text:
    """Arbitrary tokens, the second half of them in the second segment if the model has one."""
    limits = limits_of(model)
    length = min(LONGEST, limits.positions or LONGEST)
    numbers = torch.arange(length)[None]
    segments = (numbers >= length // 2).long() * (limits.segments > 1)
    return _Text(numbers % model.config.vocab_size, segments, torch.ones_like(numbers))


@torch.no_grad()
def _states(model: PreTrainedModel, text: Tokens) -> Tensor:
    """The states of the last layer, `[1, tokens, hidden size]`."""
    training = model.training
    states: Tensor = model.eval()(**inputs_of(model, text))[0]
    model.train(training)
    return states


@torch.no_grad()
def _by_ourselves(folder: str | Path, text: Tokens) -> list[Tensor]:
    """The last layer's [CLS] vector of the BERT that trains without Transformers, if it is one."""
    if not is_plain_bert(folder):
        return []
    with torch.random.fork_rng(devices=[]):  # for a head that is not used
        model = new_bert(folder, ("0", "1")).eval()
    last = model.config.num_hidden_layers
    return [model(text, CaptureRequest.of(["cls"], [last])).of_layer("cls", last)]
