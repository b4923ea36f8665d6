"""Who responds to what: the tuning of every cell, nested in mice, nested in Cre lines.

Every parameter is normal on a scale of its own (log, log2, logit or plain):
cell = line's mean + mouse's effect + cell's effect. The mouse's effect makes the mouse, not the
cell or the window, the unit of replication.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit


@dataclass(frozen=True)
class Parameter:
    """A distributed property of cells.

    Attributes
    ----------
    mean : float
        Of an excitatory cell of layer 2/3, on the parameter's own scale.
    cell_sd, mouse_sd : float
        Spread of cells within a mouse, and of mice within a line, on that scale.
    inverse : callable
        From the parameter's own scale to its unit.
    """

    mean: float
    cell_sd: float
    mouse_sd: float
    inverse: Callable[[np.ndarray], np.ndarray]


PARAMETERS = {
    # Spikes per second in grey, at rest: some tenths (Niell & Stryker 2008, 2010).
    "baseline_hz": Parameter(np.log(0.4), 0.5, 0.25, np.exp),
    # Spikes per second that the best grating adds. Choice, tuned (see below); long-tailed.
    "grating_hz": Parameter(np.log(6.5), 0.7, 0.25, np.exp),
    # Spikes per second that a picture adds, per unit of `responses.image_drive`. Choice, tuned.
    "image_hz": Parameter(np.log(5.0), 0.7, 0.25, np.exp),
    # Probability to respond to gratings, and to pictures: 77 % of cells respond to at least one
    # stimulus, about half to any one of them (de Vries et al. 2020).
    "grating_responsive": Parameter(0.4, 0.0, 0.4, expit),
    "image_responsive": Parameter(0.4, 0.0, 0.4, expit),
    # Von Mises concentration on twice the angle: 1.8 is a half width at half height of 26
    # degrees, about the median of mouse V1 (Niell & Stryker 2008).
    "orientation_kappa": Parameter(np.log(1.8), 0.4, 0.2, np.exp),
    # (preferred - opposite) / (preferred + opposite): broadly spread (de Vries et al. 2020).
    "direction_index": Parameter(-0.3, 1.0, 0.3, expit),
    # Preferred temporal frequency, mostly 1-4 Hz (Marshel et al. 2011), and the standard deviation
    # of its tuning in octaves. Spread and width are choices, tuned.
    "temporal_frequency_hz": Parameter(1.2, 1.5, 0.3, np.exp2),
    "temporal_octaves": Parameter(np.log(0.7), 0.2, 0.1, np.exp),
    # Preferred spatial frequency, about .04-.08 cycles a degree, and the standard deviation of its
    # tuning in octaves (Niell & Stryker 2008; Marshel et al. 2011).
    "spatial_frequency_cpd": Parameter(np.log2(0.05), 0.7, 0.25, np.exp2),
    "spatial_octaves": Parameter(np.log(1.3), 0.2, 0.1, np.exp),
    # 1: simple, follows the phase; 0: complex. V1 has both (Niell & Stryker 2008).
    "simplicity": Parameter(0.0, 1.2, 0.3, expit),
    # Log gain of fast running, and of one standard deviation of the pupil: most cells fire more,
    # up to about twice as much, some less (Niell & Stryker 2010; Vinck et al. 2015).
    "running_gain": Parameter(0.8, 0.8, 0.2, np.positive),
    "pupil_gain": Parameter(0.15, 0.15, 0.08, np.positive),
    # Log gain that the population shares beside that, and the standard deviation of the cell's
    # own (Goris et al. 2014 show both; sizes are choices, tuned).
    "shared_gain": Parameter(0.3, 0.1, 0.06, np.positive),
    "private_gain": Parameter(np.log(0.3), 0.2, 0.15, np.exp),
    # Fraction of the baseline that any grating takes away. Choice.
    "grating_suppression": Parameter(-3.0, 0.5, 0.5, expit),
    # Peak ΔF/F of one spike: 19 % in GCaMP6f (Chen et al. 2013); the spread is a choice.
    "spike_dff": Parameter(np.log(0.19), 0.3, 0.1, np.exp),
    # Resting fluorescence in counts. Choice.
    "resting_counts": Parameter(np.log(400.0), 0.4, 0.2, np.exp),
    # Contamination: F_measured = F_cell + r F_neuropil; .7 in Kerlin et al. 2010.
    "neuropil_r": Parameter(0.7, 0.12, 0.03, np.positive),
}
"""Choices called tuned were set so that decoding is about as hard as the literature reports of real
sessions. Measured over 24 mice, half-length sessions of about 42 cells, on a window's mean ΔF/F:
logistic regression finds direction in .40 of cases (sd over sessions .15), temporal frequency .63,
static orientation .38, spatial frequency .35, phase .38, scene .07; ridge regression explains .2-.4
of the variance of running speed."""

UNIFORM = {
    # No cardinal bias, receptive fields in the middle of the screen. Choice.
    "preferred_direction_deg": (0.0, 360.0),
    "preferred_phase": (0.0, 1.0),
    "receptive_field_y": (0.25, 0.75),
    "receptive_field_x": (0.25, 0.75),
}
"""Parameters that are uniform between two limits; receptive fields in fractions of the screen."""


@dataclass(frozen=True)
class Line:
    """A Cre line: how it is written in files, where it is imaged, and how it differs.

    Attributes
    ----------
    shifts : dict of str to float
        Parameter -> difference of the line's mean from `PARAMETERS`, on that scale.
    """

    genotype: str
    depth_um: int
    shifts: dict[str, float]


def _camk2(line):
    return f"{line}/wt;Camk2a-tTA/wt;Ai93(TITL-GCaMP6f)/wt"


def _ai148(line):
    return f"{line}/wt;Ai148(TIT2L-GC6f-ICL-tTA2)/wt"


_DEEP = {"baseline_hz": 0.5, "orientation_kappa": -0.4, "shared_gain": 0.15}
"""Layer 5 and 6 excitatory cells fire more and are more broadly tuned (Niell & Stryker 2008)."""

_LAYER_5 = {
    **_DEEP,
    "temporal_frequency_hz": 0.8,
    "direction_index": 0.6,
    "running_gain": 0.3,
}

LINES = {
    "Cux2-CreERT2": Line(_camk2("Cux2-CreERT2"), 175, {}),
    "Rorb-IRES2-Cre": Line(_camk2("Rorb-IRES2-Cre"), 275, {"grating_hz": 0.3}),
    "Scnn1a-Tg3-Cre": Line(_camk2("Scnn1a-Tg3-Cre"), 275, {"spatial_frequency_cpd": 0.3}),
    "Nr5a1-Cre": Line(_camk2("Nr5a1-Cre"), 350, {"simplicity": 0.6}),
    "Rbp4-Cre_KL100": Line(_camk2("Rbp4-Cre_KL100"), 375, _LAYER_5),
    "Fezf2-CreER": Line(_ai148("Fezf2-CreER"), 375, {**_LAYER_5, "grating_hz": 0.2}),
    "Tlx3-Cre_PL56": Line(_ai148("Tlx3-Cre_PL56"), 375, {**_DEEP, "grating_hz": 0.3}),
    "Ntsr1-Cre_GN220": Line(
        _ai148("Ntsr1-Cre_GN220"), 550, {**_DEEP, "grating_hz": -0.4, "image_hz": -0.4}
    ),
    "Emx1-IRES-Cre": Line(_camk2("Emx1-IRES-Cre"), 175, {"shared_gain": 0.05}),
    "Slc17a7-IRES2-Cre": Line(_camk2("Slc17a7-IRES2-Cre"), 175, {}),
    # Reliable and strong, broad, driven by gratings of high temporal frequency.
    "Sst-IRES-Cre": Line(
        _ai148("Sst-IRES-Cre"),
        275,
        {
            "baseline_hz": 0.8,
            "grating_hz": 0.2,
            "grating_responsive": 0.8,
            "orientation_kappa": -0.5,
            "direction_index": -0.6,
            "temporal_octaves": 0.3,
            "private_gain": -0.5,
            "running_gain": 0.1,
        },
    ),
    # Driven by running and arousal together, suppressed by gratings, few tuned.
    "Vip-IRES-Cre": Line(
        _ai148("Vip-IRES-Cre"),
        175,
        {
            "baseline_hz": 1.2,
            "grating_hz": -0.2,
            "grating_responsive": -0.6,
            "orientation_kappa": -0.6,
            "running_gain": 0.6,
            "pupil_gain": 0.2,
            "shared_gain": 0.15,
            "grating_suppression": 2.2,
        },
    ),
    # Fast-spiking: high rates, hardly tuned.
    "Pvalb-IRES-Cre": Line(
        _ai148("Pvalb-IRES-Cre"),
        275,
        {
            "baseline_hz": 1.8,
            "grating_hz": 0.6,
            "grating_responsive": 1.2,
            "orientation_kappa": -1.3,
            "direction_index": -1.0,
            "temporal_octaves": 0.5,
            "private_gain": -0.3,
        },
    ),
}
"""The lines of the data set. Directions of the shifts follow de Vries et al. 2020 (Vip: suppressed
by gratings and driven by running; Sst: reliable, responds to gratings; Pvalb: broad) and Niell &
Stryker 2008 for the deep layers. Their sizes, and what tells the other lines apart, are choices,
tuned so that a good summary of a mouse's responses tells four lines apart with six mice each
(p = .001 by permutation of mice) and hardly with three (p = .002 to .2)."""

CELLS_SD = 0.15
"""Spread over mice of the logarithm of the number of cells. Its mean is the same for all lines
(choice: real Sst and Vip sessions have far fewer), so that it tells nothing about the line."""


def draw(cre_line: str, mean_cells: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw the cells of one mouse.

    Returns
    -------
    dict of str to numpy.ndarray
        (cells,) by parameter, in its unit. `grating_hz` and `image_hz` are 0 in cells that do not
        respond.
    """
    mouse_effect = {name: rng.standard_normal() for name in PARAMETERS}
    count = max(2, round(mean_cells * np.exp(CELLS_SD * rng.standard_normal())))
    shifts = LINES[cre_line].shifts
    cells = {}
    for name, parameter in PARAMETERS.items():
        mean = parameter.mean + shifts.get(name, 0.0) + parameter.mouse_sd * mouse_effect[name]
        cells[name] = parameter.inverse(mean + parameter.cell_sd * rng.standard_normal(count))
    for name, limits in UNIFORM.items():
        cells[name] = rng.uniform(*limits, count)
    for kind in ("grating", "image"):
        responds = rng.random(count) < cells.pop(f"{kind}_responsive")
        cells[f"{kind}_hz"] *= responds
    return cells
