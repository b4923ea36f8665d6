"""What each figure shows, in words: for the report of a run and for Snakemake's."""

CAPTIONS = {
    "quality": (
        "How good the recordings are: share of cells used, signal to noise, drift of the "
        "baseline and neuropil contamination, a point a session with the middle half of its "
        "cells. Sessions outside the grey band are named."
    ),
    "training": (
        "Loss of each decoder on training and validation, epoch by epoch; a dot marks the "
        "epoch whose weights are kept. The control with shuffled labels has nothing to learn."
    ),
    "decoding": (
        "Decoding of every task by the transformer, intact and with the autoencoder spliced "
        "in, by the baselines of each session, and by the controls; chance is dashed, what no "
        "decoder of simulated sessions passes is dotted, and a blue line carries the "
        "transformer's mean past the baselines. A point is a session."
    ),
    "dictionaries": (
        "What each dictionary keeps of the decoding, how pure the best unit of a class is, "
        "and how well one unit tells a class from the rest, against the number of active "
        "units; beside the transformer, its start and the untrained one. Hollow: bases, which "
        "lie at the same number and are drawn apart. A line is the interval over sessions; "
        "dashed: the intact decoder, or chance; grey: one cell, chosen session by session, and one "
        "unit of an autoencoder of the session's cells (dotted). "
        "What is kept of decoding hardly above chance may lie at the edge."
    ),
    "selectivity": (
        "The most selective units, chosen on validation and drawn on test: tuning curves, "
        "response by Cre line with a point a mouse, and all effects. Grey: what permuted "
        "labels give."
    ),
    "ablation": (
        "What each task loses when the units of each variable are removed (A); the loss of the "
        "own task beside that with random sets of like totals, with exchanges of as many "
        "directions of the same ‖Δx‖, and with everything but the units exchanged (B); "
        "presentations that an added unit turns to its label (C); and how the loss grows with "
        "the number of units (D)."
    ),
    "controls": (
        "Selective units of the trained decoder, its start, and the untrained and the "
        "shuffled decoder side by side."
    ),
    "recognition": (
        "Whether what units are like in a mouse tells its Cre line or depth: the mouse is left "
        "out and compared with the others, by all statistics of its units, by each kind alone, "
        "and with mice made equal in how they run and how well units are tuned. Filled: p of "
        "permuted mice up to .05, of single kinds corrected for all of them; a line is the "
        "interval over mice; chance is dashed."
    ),
    "adaptation": (
        "Decoding of sessions that no decoder was trained on, by the repeats of each class "
        "that were learnt from: the transformer with only its embeddings of cells and session "
        "learnt, the same architecture trained on the session alone, and regression; chance "
        "is dashed. A line is the interval over sessions."
    ),
}
"""By the name of the figure's module."""
