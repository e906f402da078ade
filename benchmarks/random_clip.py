"""CLIP ViT-B/32 with random weights: it takes as long as the published one."""

import json
from pathlib import Path

import open_clip
from safetensors.torch import save_file

NAME = "ViT-B-32-quickgelu"


def write(folder: Path) -> None:
    """Into a folder of `folder`, in the published format, as `checkpoint_dir` wants it.

    The weights are torch's next random numbers.
    """
    clip = folder / "clip_vit_b32"
    clip.mkdir(parents=True)
    model = open_clip.create_model(NAME)
    save_file(model.state_dict(), clip / "open_clip_model.safetensors")
    preprocess = open_clip.get_model_preprocess_cfg(model)
    settings = {
        "model_cfg": open_clip.get_model_config(NAME),
        "preprocess_cfg": {key: preprocess[key] for key in ("size", "mean", "std")},
    }
    (clip / "open_clip_config.json").write_text(json.dumps(settings))
