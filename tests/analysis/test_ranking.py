"""Which units are a task's, from what each costs every task."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.analysis.ranking import ENOUGH, fewest, ranked, specific

TASKS = ["direction", "orientation", "phase", "running_speed"]


def test_units_that_cost_others_as_much_are_no_tasks_own():
    costs = np.array(
        [
            [0.10, 0.1, 0.00, 0.00],  # direction, and orientation, which names the same
            [0.30, 0.0, 0.40, 0.40],  # everybody's
            [0.20, 0.0, -0.10, 0.10],  # direction, with side effects of either sign
            [0.00, 0.0, 0.50, 0.00],
        ]
    )
    np.testing.assert_allclose(specific(costs, TASKS, "direction"), [0.1, -0.1, 0.1, -0.25])
    np.testing.assert_array_equal(ranked(costs, TASKS, "direction"), [0, 2])
    np.testing.assert_array_equal(ranked(costs, TASKS, "phase"), [3, 1])


def test_a_task_that_the_decoder_does_not_know_has_no_units_and_spoils_no_others():
    costs = np.array([[0.2, np.nan, 0.1, 0.0]])
    assert len(ranked(costs, TASKS, "orientation")) == 0
    np.testing.assert_allclose(specific(costs, TASKS, "direction"), [0.15])


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6))
def test_fewer_units_than_suffice_cost_less(worth):
    numbers = [4 * 2**i for i in range(len(worth))]
    number = fewest(numbers, np.array(worth))
    at = numbers.index(number)
    assert worth[at] >= ENOUGH * max(worth)
    assert all(of_n < ENOUGH * max(worth) for of_n in worth[:at])
