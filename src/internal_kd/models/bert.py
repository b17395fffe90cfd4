"""BERT as the losses need it, with the parameter names and files of Transformers.

What `BertForSequenceClassification` computes, cut to its use here: features of the layers come with
the pass, layers above the highest one that is requested are not run, and the last layer run
computes its output for [CLS] alone where nothing reads more of it. A process that trains
such a model imports torch only. Other families of encoders go through Transformers.

Dropout that does not wait for random numbers.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from internal_kd.models.features import FEATURES, Capture, CaptureRequest, Tokens
from internal_kd.models.stored import without_place

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel


STEPS = 1 << 16  # a probability is rounded to 1/65536, and kept values are scaled accordingly


def dropout(values: Tensor, probability: float, training: bool) -> Tensor:
    """Dropout as in `torch.nn.functional.dropout`; on the CPU from 16 random bits for each value.

    torch draws a whole uniform number for each value there, which takes longer than the matrix
    product before it. Four values share a 64-bit number of torch's own generator. Compiled passes
    draw as torch does.
    """
    dropped = round(probability * STEPS)
    if not training or not dropped:
        return values
    plain = values.device.type != "cpu" or torch.compiler.is_compiling()
    if plain or dropped >= STEPS:
        return nn.functional.dropout(values, probability)
    noise = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
    bits = noise.view(torch.int16)[: values.numel()].view(values.shape)
    kept = torch.empty(values.shape, dtype=values.dtype)
    torch.ge(bits, dropped - STEPS // 2, out=kept)
    return values * kept.mul_(STEPS / (STEPS - dropped))


UNNAMED = {"0": "LABEL_0", "1": "LABEL_1"}  # what Transformers takes for granted
CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
PREFIX = "bert."
# Settings with which Transformers computes something else than this module does.
PLAIN = {
    "model_type": ("bert",),
    "hidden_act": ("gelu",),
    "position_embedding_type": ("absolute", None),
    "is_decoder": (False, None),
    "add_cross_attention": (False, None),
    "per_layer_config": (None,),
}


Value = TypeVar("Value")


def _value(raw: Mapping[str, object], name: str, default: Value) -> Value:
    """A value of a config, or Transformers' default, which has the same type."""
    return cast(Value, raw.get(name, default))


@dataclass
class BertConfig:
    """The values of `config.json` that matter here; `raw` is all of it, as it is written back."""

    raw: Mapping[str, object]

    def __post_init__(self) -> None:
        raw = self.raw
        self.vocab_size = _value(raw, "vocab_size", 30522)
        self.hidden_size = _value(raw, "hidden_size", 768)
        self.num_hidden_layers = _value(raw, "num_hidden_layers", 12)
        self.num_attention_heads = _value(raw, "num_attention_heads", 12)
        self.intermediate_size = _value(raw, "intermediate_size", 3072)
        self.max_position_embeddings = _value(raw, "max_position_embeddings", 512)
        self.type_vocab_size = _value(raw, "type_vocab_size", 2)
        self.pad_token_id: int | None = _value(raw, "pad_token_id", 0)
        self.layer_norm_eps = _value(raw, "layer_norm_eps", 1e-12)
        self.initializer_range = _value(raw, "initializer_range", 0.02)
        self.hidden_dropout_prob = _value(raw, "hidden_dropout_prob", 0.1)
        self.attention_probs_dropout_prob = _value(raw, "attention_probs_dropout_prob", 0.1)
        own: float | None = _value(raw, "classifier_dropout", None)
        self.classifier_dropout = self.hidden_dropout_prob if own is None else own
        labels = cast("Mapping[str, object] | None", raw.get("id2label")) or UNNAMED
        self.id2label = {int(number): str(label) for number, label in labels.items()}

    def with_labels(self, labels: Iterable[str]) -> "BertConfig":
        """The same for a classifier of these classes."""
        named = {str(number): label for number, label in enumerate(labels)}
        numbers = {label: int(number) for number, label in named.items()}
        return BertConfig({**self.raw, "id2label": named, "label2id": numbers})


class Linear(nn.Linear):
    """Filled from a file, never drawn."""

    def reset_parameters(self) -> None:
        """Do nothing."""


class Embedding(nn.Embedding):
    """Filled from a file, never drawn."""

    def reset_parameters(self) -> None:
        """Do nothing."""


class SelfAttention(nn.Module):
    """Queries, keys, values and their scaled dot-product attention."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.query, self.key, self.value = (
            Linear(config.hidden_size, config.hidden_size) for _ in range(3)
        )
        self.head_size = config.hidden_size // config.num_attention_heads
        self.dropout = config.attention_probs_dropout_prob

    def forward(
        self, states: Tensor, bias: Tensor | None, only_cls: bool, all_rows: bool
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Attended values `[batch, rows, hidden size]` and the features named in `ATTENTION`.

        Rows are all tokens or [CLS] alone; features are those of all tokens if `all_rows`.
        """
        attending = states[:, :1] if only_cls and not all_rows else states
        query, key, value = self.query(attending), self.key(states), self.value(states)
        queries, keys, values = map(self._heads, (query * self.head_size**-0.5, key, value))
        scores = queries @ keys.transpose(2, 3)
        if bias is not None:
            scores = scores + bias
        weights = functional.softmax(scores[:, :, :1] if only_cls else scores, dim=-1)
        attended = dropout(weights, self.dropout, self.training) @ values
        return attended.transpose(1, 2).flatten(2), (scores, self._heads(query), keys, values)

    def _heads(self, projected: Tensor) -> Tensor:
        """From `[batch, tokens, hidden size]` to `[batch, heads, tokens, head size]`."""
        return projected.unflatten(-1, (-1, self.head_size)).transpose(1, 2)


class Projection(nn.Module):
    """A linear map, dropout, and the normalised sum with what it started from."""

    def __init__(self, inputs: int, config: BertConfig) -> None:
        super().__init__()
        self.dense = Linear(inputs, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = config.hidden_dropout_prob

    def forward(self, states: Tensor, residual: Tensor) -> Tensor:
        """States `[batch, rows, inputs]` to `[batch, rows, hidden size]`."""
        projected = dropout(self.dense(states), self.dropout, self.training)
        return self.LayerNorm(projected + residual)


class Layer(nn.Module):
    """A transformer layer."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = nn.ModuleDict(
            {"self": SelfAttention(config), "output": Projection(config.hidden_size, config)}
        )
        self.intermediate = nn.ModuleDict(
            {"dense": Linear(config.hidden_size, config.intermediate_size)}
        )
        self.output = Projection(config.intermediate_size, config)

    def forward(
        self, states: Tensor, bias: Tensor | None, only_cls: bool, all_rows: bool
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Hidden states `[batch, rows, hidden size]` and features, see `SelfAttention.forward`."""
        attended, features = self.attention["self"](states, bias, only_cls, all_rows)
        residual = states[:, :1] if only_cls else states
        states = self.attention["output"](attended, residual)
        inner = functional.gelu(self.intermediate["dense"](states))
        return self.output(inner, states), features


class Embeddings(nn.Module):
    """Words, positions and segments."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.word_embeddings = Embedding(config.vocab_size, width, config.pad_token_id)
        self.position_embeddings = Embedding(config.max_position_embeddings, width)
        self.token_type_embeddings = Embedding(config.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = config.hidden_dropout_prob

    def forward(self, tokens: Tokens) -> Tensor:
        """`[batch, tokens, hidden size]`."""
        words = self.word_embeddings(tokens.input_ids)
        segments = self.token_type_embeddings(tokens.token_type_ids)
        positions = self.position_embeddings.weight[: words.shape[1]]
        return dropout(self.LayerNorm(words + segments + positions), self.dropout, self.training)


class LayerStack(nn.Module):
    """All layers, the bottom one first."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))


class BertEncoder(nn.Module):
    """Embeddings, layers and pooler."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = LayerStack(config)
        self.pooler = nn.ModuleDict({"dense": Linear(config.hidden_size, config.hidden_size)})


class BertClassifier(nn.Module):
    """A BERT with a classification head on the pooled [CLS] vector (Devlin et al. 2018)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = BertEncoder(config)
        self.classifier = Linear(config.hidden_size, len(config.id2label))

    @property
    def base_model(self) -> BertEncoder:
        """All but the classification head."""
        return self.bert

    @property
    def device(self) -> torch.device:
        """Where the parameters lie."""
        return self.classifier.weight.device

    def forward(self, tokens: Tokens, request: CaptureRequest) -> Capture:
        """Pass through the layers that the request needs, and the head if logits are requested."""
        layers, depth = self.bert.encoder.layer, request.depth
        last = len(layers) if depth is None else depth
        states, bias = self.bert.embeddings(tokens), self._bias(tokens)
        features: dict[tuple[str, int], Tensor] = {}
        for number in range(1, last + 1):
            only_cls = number == last and not request.has("hidden", number)
            states, found = layers[number - 1](states, bias, only_cls, request.all_rows)
            given = zip(FEATURES, (states, states[:, 0], *found), strict=True)
            features |= {(name, number): v for name, v in given if request.has(name, number)}
        return Capture(self._head(states[:, 0]) if request.logits else None, features)

    def _bias(self, tokens: Tokens) -> Tensor | None:
        """What is added to scores: the lowest number at padding, `[batch, 1, 1, tokens]`."""
        if not tokens.padded:
            return None
        padding = tokens.attention_mask[:, None, None, :] == 0
        lowest = torch.finfo(torch.float32).min
        return torch.zeros_like(padding, dtype=torch.float32).masked_fill_(padding, lowest)

    def _head(self, cls: Tensor) -> Tensor:
        pooled = torch.tanh(self.bert.pooler["dense"](cls))
        return self.classifier(dropout(pooled, self.config.classifier_dropout, self.training))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the files that Transformers reads as `BertForSequenceClassification`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            **self.config.raw,
            "architectures": ["BertForSequenceClassification"],
            "dtype": "float32",
        }
        (folder / CONFIG_FILE).write_text(
            json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
        state = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        save_file(state, folder / WEIGHTS_FILE, metadata={"format": "pt"})


# The models that are trained and compared, and their configs: ours and those of Transformers, by
# name, because Transformers takes seconds to import.
Classifier: TypeAlias = "BertClassifier | PreTrainedModel"
ClassifierConfig: TypeAlias = "BertConfig | PreTrainedConfig"


def is_plain_bert(folder: str | Path, with_head: bool = False) -> bool:
    """Whether `folder` holds a whole BERT that this module computes as Transformers does.

    Args:
        folder: as `save_pretrained` writes it.
        with_head: whether the classification head has to be there too.
    """
    config, weights = Path(folder) / CONFIG_FILE, Path(folder) / WEIGHTS_FILE
    if not (config.is_file() and weights.is_file()):
        return False
    raw = json.loads(config.read_text(encoding="utf-8"))
    # Transformers omits what equals its own default.
    raw = {"hidden_act": "gelu", **raw}
    if not all(raw.get(key) in values for key, values in PLAIN.items()):
        return False
    expected = BertClassifier(BertConfig(raw)).state_dict()
    found = _shapes(weights)
    if without_place(found.keys() - expected.keys(), PREFIX):
        return False
    if not with_head:
        expected = {name: tensor for name, tensor in expected.items() if name.startswith(PREFIX)}
    return all(found.get(name) == list(tensor.shape) for name, tensor in expected.items())


def _shapes(weights: Path) -> dict[str, list[int]]:
    """Shapes of the parameters in a file under a classifier's names."""
    with safe_open(weights, "pt") as file:
        names = list(file.keys())
        return {_full_name(name): file.get_slice(name).get_shape() for name in names}


def _full_name(name: str) -> str:
    """The name in a classifier; an encoder's own files omit the prefix."""
    return name if name.startswith(("classifier.", PREFIX)) else PREFIX + name


def new_bert(folder: str | Path, labels: Iterable[str]) -> BertClassifier:
    """The encoder in `folder` with a new head, drawn as Transformers does."""
    config = read_bert_config(folder).with_labels(labels)
    shape = (len(config.id2label), config.hidden_size)
    head = {
        "classifier.weight": torch.empty(shape).normal_(std=config.initializer_range),
        "classifier.bias": torch.zeros(shape[0]),
    }
    return _filled(config, _read_weights(folder) | head)


def load_bert(folder: str | Path) -> BertClassifier:
    """The classifier in `folder`."""
    return _filled(read_bert_config(folder), _read_weights(folder))


def read_bert_config(folder: str | Path) -> BertConfig:
    """The config in a folder of a plain BERT."""
    return BertConfig(json.loads((Path(folder) / CONFIG_FILE).read_text(encoding="utf-8")))


def _read_weights(folder: str | Path) -> dict[str, Tensor]:
    """Parameters in fp32 under a classifier's names."""
    state = load_file(Path(folder) / WEIGHTS_FILE)
    return {_full_name(name): tensor.float() for name, tensor in state.items()}


def _filled(config: BertConfig, state: dict[str, Tensor]) -> BertClassifier:
    model = BertClassifier(config)
    model.load_state_dict({name: state[name] for name in model.state_dict()})
    return model
