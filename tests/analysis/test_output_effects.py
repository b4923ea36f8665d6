"""What units do to outputs: against what happens when a unit is changed by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.analysis.output_effects import COLUMNS, effects, reuse
from glasscortex.decoder.hooks import replacing
from tests.analysis.linear import Constant, Linear, disturbed

UNITS = 5


@pytest.fixture
def decoder(decoder):
    return disturbed(decoder, 0.3)


@pytest.fixture
def dictionary():
    return Linear(torch.randn(UNITS, 16, generator=torch.Generator().manual_seed(1)))


@pytest.fixture
def mask(world):
    """Gratings of one session, in one batch."""
    return ((world[0]["session_id"] == "a") & (world[0].index < 20)).to_numpy()


@pytest.fixture
def batch(batches, mask):
    return next(batches.ordered(mask))


def outputs(decoder, hook, batch, edit) -> dict[str, np.ndarray]:
    """Mean outputs, centred over the classes."""
    with torch.no_grad(), replacing(decoder, hook, edit):
        means = {task: output.mean(0).numpy() for task, output in decoder(batch).items()}
    classes = decoder.vocabulary.tasks
    return {t: mean - mean.mean() if classes[t].classes else mean for t, mean in means.items()}


def moved(decoder, hook, batch, move) -> dict[str, np.ndarray]:
    """Slope of the mean outputs as activations x go to x + δ move(x)."""
    up, down = (
        outputs(decoder, hook, batch, lambda x, d=delta: x + d * move(x))
        for delta in (0.002, -0.002)
    )
    return {task: (up[task] - down[task]) / 0.004 for task in up}


def of_unit(table, column, task, unit) -> np.ndarray:
    return table.loc[(table["task"] == task) & (table["unit"] == unit), column].to_numpy()


@pytest.mark.parametrize("hook", ["readout", "latents.2"])
def test_a_rise_of_a_unit_moves_outputs_by_the_direct_effect(
    decoder, dictionary, batches, batch, mask, hook
):
    """By any amount, where what follows is linear."""
    table = effects(decoder, dictionary, hook, batches, mask)
    before = outputs(decoder, hook, batch, lambda x: x)
    for unit, rise in ((0, 3.0), (4, -0.5)):
        after = outputs(
            decoder, hook, batch, lambda x, u=unit, r=rise: x + r * dictionary.directions[u]
        )
        for task in before:
            expected = (after[task] - before[task]) / rise
            np.testing.assert_allclose(
                of_unit(table, "direct", task, unit), expected, rtol=1e-3, atol=1e-4
            )


@pytest.mark.parametrize("hook", ["latents.0", "mlp.0", "readout"])
def test_attribution_is_the_slope_as_a_unit_fades(decoder, dictionary, batches, batch, mask, hook):
    table = effects(decoder, dictionary, hook, batches, mask)
    for unit in range(UNITS):
        atom = dictionary.directions[unit]
        slopes = moved(decoder, hook, batch, lambda x, a=atom: (x @ a)[..., None] * a)
        for task, slope in slopes.items():
            np.testing.assert_allclose(
                of_unit(table, "attribution", task, unit), slope, rtol=0.01, atol=0.01
            )


def test_the_direct_way_leaves_out_the_blocks(decoder, dictionary, batches, mask):
    early, late = (
        effects(decoder, dictionary, h, batches, mask) for h in ("latents.0", "latents.2")
    )
    np.testing.assert_allclose(early["direct"], late["direct"], atol=1e-5)
    assert not np.allclose(early["attribution"], late["attribution"], atol=1e-2)


def test_a_unit_that_never_changes_adds_what_its_activation_says(
    decoder, dictionary, batches, mask
):
    table = effects(decoder, Constant(dictionary.directions), "latents.2", batches, mask)
    np.testing.assert_allclose(table["attribution"], table["unit"] * table["direct"], atol=1e-4)
    np.testing.assert_allclose(table["sd"], 0, atol=1e-4)


def test_outputs_are_those_of_all_sessions(decoder, dictionary, batches, mask):
    """Neither a session's gain nor the classes that it was not shown change a unit's effect."""
    table = effects(decoder, dictionary, "latents.1", batches, mask)
    decoder.own.hidden[:, :3] = True
    decoder.own.gain.fill_(7.0)
    batch = next(batches.ordered(mask))
    assert torch.isinf(torch.cat(list(decoder(batch).values()), 1)).any()
    pd.testing.assert_frame_equal(effects(decoder, dictionary, "latents.1", batches, mask), table)


def test_a_row_an_output_and_unit(decoder, dictionary, batches, mask, vocabulary):
    table = effects(decoder, dictionary, "latents.2", batches, mask)
    assert list(table) == COLUMNS
    assert set(table["task"]) == {"direction", "orientation", "running_speed"}
    for task, rows in table.groupby("task"):
        head = vocabulary.tasks[task]
        assert len(rows) == head.outputs * UNITS
        assert rows["label"].dropna().unique().tolist() == list(head.classes or ())
    centred = table.dropna(subset="label").groupby(["task", "unit"])["direct"].sum()
    np.testing.assert_allclose(centred, 0, atol=1e-4)


@given(
    st.lists(
        st.lists(st.floats(0, 10).map(lambda x: round(x, 3)), min_size=3, max_size=3), min_size=1
    )
)
def test_shares_are_of_one_and_tasks_are_counted(sizes):
    table = pd.DataFrame(
        [(task, unit, sd) for unit, row in enumerate(sizes) for task, sd in zip("abc", row)],
        columns=["task", "unit", "sd"],
    )
    for unit, rows in reuse(table).groupby("unit"):
        if not any(sizes[unit]):
            assert rows[["share", "tasks"]].isna().all(axis=None)
            continue
        assert rows["share"].sum() == pytest.approx(1)
        assert 1 - 1e-9 <= rows["tasks"].iloc[0] <= 3 + 1e-9
        used = np.array(sizes[unit]) > 0
        assert rows["tasks"].iloc[0] <= used.sum() + 1e-9


def test_units_of_one_task_and_of_all():
    table = pd.DataFrame({"task": list("aabb") * 2, "unit": np.repeat([0, 1], 4)})
    table["sd"] = [0.3, 0.4, 0, 0, 0.2, 0.2, 0.2, 0.2]
    found = reuse(table)
    np.testing.assert_allclose(found["size"], [0.125**0.5, 0, 0.2, 0.2])
    np.testing.assert_allclose(found["tasks"], [1, 1, 2, 2])
