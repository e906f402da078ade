"""Checkpoints in the formats of the paper's encoders, random and far smaller."""

import json

import open_clip
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    PreTrainedTokenizerFast,
    Wav2Vec2Config,
    Wav2Vec2Model,
)


def write_clip(parent):
    """A random CLIP in the published format, as deep, far narrower."""
    model_cfg = {
        "embed_dim": 12,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 32, "layers": 12, "width": 64, "patch_size": 16},
        "text_cfg": {
            **{"context_length": 8, "vocab_size": 20},
            **{"width": 64, "heads": 1, "layers": 1},
        },
    }
    preprocess = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]}
    folder = parent / "clip_vit_b32"
    folder.mkdir()
    config = {"model_cfg": model_cfg, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    model = open_clip.CLIP(**model_cfg)
    state = {k: v.contiguous() for k, v in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")
    return model.eval()


def write_wav2vec2(parent):
    """A random regression model in the published checkpoint's layout, far smaller.

    That is the transformer below ``wav2vec2.``, a head below ``classifier.``, and the
    parts of a weight norm by their names of before 2023.
    """
    folder = parent / "wav2vec2_emotion"
    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8, 8, 8, 8, 8, 8),
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        do_stable_layer_norm=True,
        feat_extract_norm="layer",
        architectures=["Wav2Vec2ForSpeechClassification"],
    )
    torch.manual_seed(0)
    model = Wav2Vec2Model(config).eval()
    norm = "encoder.pos_conv_embed.conv."
    old = {
        norm + "parametrizations.weight.original0": norm + "weight_g",
        norm + "parametrizations.weight.original1": norm + "weight_v",
    }
    state = {
        f"wav2vec2.{old.get(name, name)}": value.contiguous()
        for name, value in model.state_dict().items()
    }
    state["classifier.dense.weight"] = torch.randn(16, 16)
    state["classifier.dense.bias"] = torch.randn(16)
    state["classifier.out_proj.weight"] = torch.randn(3, 16)
    state["classifier.out_proj.bias"] = torch.randn(3)
    config.save_pretrained(folder)
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    processing = {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "sampling_rate": 16000,
        "padding_value": 0.0,
        "do_normalize": True,
        "return_attention_mask": True,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processing))
    return model


def write_bge(parent):
    """A random BERT in the published format, far smaller."""
    folder = parent / "bge_small_en"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello", "world"]
    vocabulary = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=6,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=16,
    )
    torch.manual_seed(0)
    model = BertModel(config).eval()
    model.save_pretrained(folder)
    return model
