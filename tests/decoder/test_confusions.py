"""Which labels are taken for which, counted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.data.labels import task_labels
from glasscortex.decoder.confusions import confusions
from glasscortex.decoder.predictions import predictions, unpredicted
from glasscortex.decoder.scores import session_scores
from glasscortex.tasks import ALLEN

SHOWN = st.tuples(
    st.sampled_from("ab"),
    st.sampled_from(["train", "test"]),
    st.sampled_from([0.0, 90.0, 180.0]),
    st.sampled_from([0.0, 90.0, 180.0, np.nan]),
)


LEARNT = [(session, "train", label, np.nan) for session in "ab" for label in (0.0, 90.0)]
"""What a session has to be trained on for its presentations to have labels."""


def world(shown):
    columns = ["session_id", "split", "direction", "said"]
    trials = pd.DataFrame([*LEARNT, *shown], columns=columns).assign(stimulus="drifting_gratings")
    trials["label_direction"] = task_labels(trials, ALLEN.tasks["direction"])
    return trials, predictions(trials["said"].to_numpy())


def test_pairs_are_counted_by_session_on_test_alone():
    shown = [("a", "test", 0.0, 90.0)] * 3 + [("a", "train", 0.0, 90.0), ("b", "test", 90.0, 90.0)]
    trials, said = world([*shown, ("b", "test", 90.0, np.nan)])
    found = confusions(trials, {"direction": said, "running_speed": unpredicted(len(trials))})
    assert found.to_numpy().tolist() == [
        ["a", "direction", 0.0, 90.0, 3],
        ["b", "direction", 90.0, 90.0, 1],
    ]
    assert list(found) == ["session_id", "task", "label", "predicted", "n"]


@given(st.lists(SHOWN, min_size=1, max_size=40))
def test_what_is_named_right_is_the_accuracy(shown):
    trials, said = world(shown)
    found = confusions(trials, {"direction": said})
    test = np.where(trials["split"] == "test", said, unpredicted(len(trials)))
    scores = session_scores("direction", trials, test).set_index("session_id")
    right = found["n"].where(found["label"] == found["predicted"], 0)
    sums = found.assign(right=right).groupby("session_id")[["right", "n"]].sum()
    assert sums["n"].to_dict() == scores["n"].to_dict()
    assert (sums["right"] / sums["n"]).to_dict() == pytest.approx(scores["value"].to_dict())


def test_without_a_prediction_there_is_a_table_without_rows():
    trials, _ = world([("a", "test", 0.0, 0.0)])
    found = confusions(trials, {"direction": unpredicted(len(trials))})
    assert found.empty and list(found) == ["session_id", "task", "label", "predicted", "n"]
