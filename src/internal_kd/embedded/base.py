"""The base model that ships with the project: its files, its tokenizer, and how it grew."""

import shutil
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import BertForPreTraining, BertTokenizer, PreTrainedTokenizerFast
from transformers.models.bert.modeling_bert import BertLayer

ASSETS = Path(__file__).parent / "assets"
WEIGHTS = "model.safetensors"
PROVENANCE = "provenance.json"
COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json")
FINGERPRINT_DATA = (
    "assets/model.safetensors",
    "assets/config.json",
    "assets/tokenizer.json",
    "assets/tokenizer_config.json",
)


def export(out: Path) -> None:
    """Write the shipped base in fp32 to the folder `out`, as `save_pretrained` would."""
    out.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        shutil.copyfile(ASSETS / name, out / name)
    _convert(ASSETS / WEIGHTS, out / WEIGHTS, torch.float32)


def pack(pretrained: Path, assets: Path = ASSETS) -> None:
    """Make the shipped files from a folder that `pretraining.pretrain` wrote."""
    assets.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        shutil.copyfile(pretrained / name, assets / name)
    shutil.copyfile(pretrained / "pretraining.json", assets / PROVENANCE)
    _convert(pretrained / WEIGHTS, assets / WEIGHTS, torch.float16)


def _convert(source: Path, target: Path, dtype: torch.dtype) -> None:
    tensors = {name: tensor.to(dtype) for name, tensor in load_file(source).items()}
    save_file(tensors, target, metadata={"format": "pt"})


SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def train_tokenizer(
    texts: Iterable[str], vocabulary_size: int, max_length: int
) -> PreTrainedTokenizerFast:
    """A BERT tokenizer (lower case, WordPiece) with at most `vocabulary_size` pieces.

    The pieces are the letters, with which any word can be spelt, and the most frequent words. With
    some two hundred regular words there is nothing to gain from pieces in between, and the trainer
    of `tokenizers`, which would search for them, gives another vocabulary in each process.
    """
    counts = Counter(word for text in texts for word in text.split())
    letters = sorted({letter for word in counts for letter in word})
    spelling = [*letters, *(f"##{letter}" for letter in letters)]
    words = sorted(counts, key=lambda word: (-counts[word], word))
    pieces = list(dict.fromkeys([*SPECIAL_TOKENS, *spelling, *words]))[:vocabulary_size]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return BertTokenizer(vocab=vocabulary, model_max_length=max_length)


def start_mimetic(model: BertForPreTraining, common: float, own: float) -> None:
    """Draw W_Q and W_K of each layer as one common matrix plus a little noise of each.

    Tokens then attend to tokens like themselves from the start, which is what comparing two texts
    needs. `common` and `own` are standard deviations.
    """
    with torch.no_grad():
        for layer in layers_of(model):
            query, key = layer.attention.self.query.weight, layer.attention.self.key.weight
            shared = torch.randn_like(query) * common
            query.copy_(shared + torch.randn_like(query) * own)
            key.copy_(shared + torch.randn_like(key) * own)


def start_sinusoidal(model: BertForPreTraining, deviation: float) -> None:
    """Start the position embeddings as sines and cosines of geometric wave lengths.

    Neighbours then have similar embeddings, so that attention can find them from the start;
    `deviation` is the root mean square.
    """
    table = model.bert.embeddings.position_embeddings.weight
    length, width = table.shape
    rates = 100.0 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length)[:, None] * rates
    waves = torch.stack([angles.sin(), angles.cos()], dim=2).reshape(length, width)
    with torch.no_grad():
        table.copy_(waves * deviation * 2**0.5)


def layers_of(model: BertForPreTraining) -> list[BertLayer]:
    """The encoder layers from the first to the last."""
    return [layer for layer in model.bert.encoder.layer if isinstance(layer, BertLayer)]


def stack(model: BertForPreTraining) -> None:
    """Double the depth by a copy of the whole stack on top of it."""
    layers = layers_of(model)
    set_layers(model, [*layers, *(deepcopy(layer) for layer in layers)])


def interleave(model: BertForPreTraining, scale: float) -> None:
    """Double the depth by a nearly ineffective copy below each layer.

    Both output projections of a copy are multiplied by `scale`, and its layer normalisations
    start as (1, 0): at `scale` 0 the copy only normalises again what is normalised already.
    Every second layer, from the second on, is then a layer of the model as it was.
    """
    layers = [new for layer in layers_of(model) for new in (_faint_copy(layer, scale), layer)]
    set_layers(model, layers)


def set_layers(model: BertForPreTraining, layers: list[BertLayer]) -> None:
    """Give the model these layers and note their number in its config."""
    model.bert.encoder.layer = nn.ModuleList(layers)
    model.config.num_hidden_layers = len(layers)


def _faint_copy(layer: BertLayer, scale: float) -> BertLayer:
    copy = deepcopy(layer)
    with torch.no_grad():
        for output in (copy.attention.output, copy.output):
            output.dense.weight.mul_(scale)
            output.dense.bias.mul_(scale)
            output.LayerNorm.weight.fill_(1.0)
            output.LayerNorm.bias.zero_()
    return copy
