"""Our side of `make check-saelens`: write dictionaries for SAELens, and compare one of its own."""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from glasscortex.dictionaries import BatchTopK, TopK
from glasscortex.dictionaries.saelens import read_saelens, write_saelens

SETTINGS = {"width": 64, "k": 4, "steps": 100, "batch": 256}


def write(folder: Path) -> None:
    """Dictionaries in SAELens's layout, activations, and our codes and reconstructions."""
    generator = torch.Generator().manual_seed(0)
    x = 3 * torch.randn(2000, 16, generator=generator).exp() + 5
    for kind in (TopK, BatchTopK):
        sae = kind(**SETTINGS).fit(x)
        place = folder / kind.architecture
        place.mkdir()
        write_saelens(sae, place)
        codes = sae.scale * sae.encode(x)
        save_file({"x": x, "codes": codes, "spliced": sae.splice(x)}, place / "ours.safetensors")


def compare(folder: Path) -> None:
    """What SAELens trained gives the same codes here."""
    place = folder / "trained"
    theirs, sae = load_file(place / "theirs.safetensors"), read_saelens(place)
    for name, ours in (("codes", sae.encode(theirs["x"])), ("spliced", sae.splice(theirs["x"]))):
        torch.testing.assert_close(ours, theirs[name], atol=1e-5, rtol=1e-5)
        print(f"trained by SAELens, {name}: {(ours - theirs[name]).abs().max():.1e}")


if __name__ == "__main__":
    {"write": write, "compare": compare}[sys.argv[1]](Path(sys.argv[2]))
