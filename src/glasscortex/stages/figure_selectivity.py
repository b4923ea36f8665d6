"""Draw what the most selective units stand for."""

from glasscortex.figures.selectivity import selectivity_figure
from glasscortex.figures.style import save
from glasscortex.stages.arguments import Folder, Input, Output


def figure_selectivity(
    *,
    selectivity: Input,
    folder: Folder,
    activations: Input,
    manifest: Input,
    trials: Input,
    sessions: Input,
    svg: Output,
    png: Output,
) -> None:
    """Draw what the most selective units stand for."""
    drawn = selectivity_figure(
        selectivity=selectivity,
        sae_folder=folder,
        activations=activations,
        manifest=manifest,
        trials=trials,
        sessions=sessions,
    )
    save(drawn, svg, png)
