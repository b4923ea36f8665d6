"""The peers' side of `make check-saelens`, in their environment: see `.ci/check-saelens`."""

import sys
import warnings
from pathlib import Path

import torch
from dictionary_learning.trainers.batch_top_k import BatchTopKSAE
from dictionary_learning.trainers.top_k import AutoEncoderTopK
from sae_lens import SAE, TopKTrainingSAE, TopKTrainingSAEConfig
from sae_lens.config import SAETrainerConfig
from sae_lens.training.sae_trainer import SAETrainer
from safetensors.torch import load_file, save_file

BATCH, STEPS = 256, 200


def expect_alike(what: str, found: torch.Tensor, ours: torch.Tensor) -> None:
    torch.testing.assert_close(found, ours, atol=1e-5, rtol=1e-5, msg=lambda m: f"{what}: {m}")
    print(f"{what}: {(found - ours).abs().max():.1e}")


def dictionary_learning(sae: SAE) -> torch.nn.Module:
    """The same weights in dictionary_learning."""
    if sae.cfg.architecture() == "topk":
        other = AutoEncoderTopK(sae.cfg.d_in, sae.cfg.d_sae, sae.cfg.k)
    else:
        other = BatchTopKSAE(sae.cfg.d_in, sae.cfg.d_sae, 1)
        other.threshold.fill_(sae.threshold[0].item())
    with torch.no_grad():
        other.encoder.weight.copy_(sae.W_enc.T)
        other.encoder.bias.copy_(sae.b_enc)
        other.decoder.weight.copy_(sae.W_dec.T)
        other.b_dec.copy_(sae.b_dec)
    return other


def train(x: torch.Tensor, folder: Path) -> None:
    """A TopK of SAELens's own, and its codes."""
    torch.manual_seed(0)
    sae = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=x.shape[1], d_sae=64, k=4, device="cpu"))
    trainer = SAETrainer(
        SAETrainerConfig(
            total_training_samples=STEPS * BATCH,
            train_batch_size_samples=BATCH,
            lr=1e-3,
            lr_end=1e-4,
        ),
        sae,
        iter(()),
    )
    for _ in range(STEPS):
        trainer.step(x[torch.randint(len(x), (BATCH,))])
        trainer.n_training_steps += 1
    folder.mkdir()
    sae.save_inference_model(folder)
    loaded = SAE.load_from_disk(folder)
    codes = loaded.encode(x)
    save_file(
        {"x": x, "codes": codes, "spliced": loaded.decode(codes)}, folder / "theirs.safetensors"
    )


@torch.no_grad()
def main(folder: Path) -> None:
    for architecture in ("topk", "batch_topk"):
        ours = load_file(folder / architecture / "ours.safetensors")
        sae = SAE.load_from_disk(folder / architecture)
        codes = sae.encode(ours["x"])
        expect_alike(f"SAELens, {architecture}, codes", codes, ours["codes"])
        expect_alike(f"SAELens, {architecture}, spliced", sae.decode(codes), ours["spliced"])
        other = dictionary_learning(sae)
        codes = other.encode(ours["x"])
        expect_alike(f"dictionary_learning, {architecture}, codes", codes, ours["codes"])
        spliced = other.decode(codes)
        expect_alike(f"dictionary_learning, {architecture}, spliced", spliced, ours["spliced"])
    with torch.enable_grad():
        train((ours["x"] - ours["x"].mean(0)) / ours["x"].std(), folder / "trained")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
