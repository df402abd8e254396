#!/usr/bin/env python3
"""Writes a BERT sentence embedder (safetensors, as sentence-transformers keeps it) as a GGUF file.

    PYTHONPATH=<gguf> convert_minilm.py MODEL_DIR OUT.gguf

Needs numpy and the package gguf, and no torch. Matrices become F16; vectors, of which there are few,
stay F32. llama.cpp's WordPiece keeps `##x` as `x` and the start of a word as `\u2581x`.
"""
import json
import pathlib
import struct
import sys

import gguf
import numpy as np

SKIPPED = {"embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"}
DTYPES = {"F32": np.float32, "F16": np.float16}


def read_safetensors(path):
    """Yields (name, array): an 8-byte length, a JSON table of contents, then the bytes."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    table = json.loads(data[8 : 8 + length])
    for name, entry in table.items():
        if name == "__metadata__" or name in SKIPPED:
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[begin:end], dtype=DTYPES[entry["dtype"]])
        yield name, array.reshape(entry["shape"])


def add_tokenizer(writer, folder):
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    special = {t["id"]: t["content"] for t in tokenizer["added_tokens"] if t["special"]}
    by_id = sorted(tokenizer["model"]["vocab"].items(), key=lambda item: item[1])
    assert [i for _, i in by_id] == list(range(len(by_id))), "token ids have gaps"
    tokens, types = [], []
    for token, i in by_id:
        control = i in special
        types.append(gguf.TokenType.CONTROL if control else gguf.TokenType.NORMAL)
        tokens.append(token if control else token[2:] if token.startswith("##") else "\u2581" + token)
    ids = {content: i for i, content in special.items()}
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")  # llama.cpp's name for plain uncased WordPiece
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_unk_token_id(ids["[UNK]"])
    writer.add_sep_token_id(ids["[SEP]"])
    writer.add_pad_token_id(ids["[PAD]"])
    writer.add_bos_token_id(ids["[CLS]"])
    writer.add_mask_token_id(ids["[MASK]"])


def convert(folder, out):
    config = json.loads((folder / "config.json").read_text())
    layers = config["num_hidden_layers"]
    writer = gguf.GGUFWriter(str(out), "bert")
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_license("apache-2.0")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(layers)
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_token_type_count(config["type_vocab_size"])
    add_tokenizer(writer, folder)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, layers)
    for name, array in read_safetensors(folder / "model.safetensors"):
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert target, f"unknown tensor {name}"
        # As llama.cpp's own converter: positions and token types are added up, and stay F32.
        small = array.ndim < 2 or target in ("position_embd.weight", "token_types.weight")
        writer.add_tensor(target, array.astype(np.float32 if small else np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    convert(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
