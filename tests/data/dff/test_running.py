"""Running ranks and modes against SciPy and a literal transcription of AllenSDK."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import median_filter, rank_filter

from glasscortex.data.dff.running import Sorted, running_mean, running_mode


def allen_mode(x, window):
    """AllenSDK's `movingmode_fast`."""
    lowest = min(x.min(), 0)
    x = np.array([round(value - lowest) for value in x])
    half, counts = window // 2, np.zeros(x.max() + 2, int)
    np.add.at(counts, x[:half], 1)
    mode, result = counts.argmax(), np.empty(len(x))
    for i in range(len(x)):
        if i >= half:
            counts[x[i - half]] -= 1
            if x[i - half] == mode:
                mode = counts.argmax()
        if i < len(x) - half:
            counts[x[i + half]] += 1
            if counts[x[i + half]] > counts[mode]:
                mode = x[i + half]
        result[i] = mode
    return result + lowest


def allen_mean(x, window):
    """AllenSDK's `movingaverage`."""
    half, n = window // 2, len(x)
    early = [x[: i + half + 1].sum() / (half + i) for i in range(half)]
    middle = [x[i - half + 1 : i + half + 1].mean() for i in range(half, n - half)]
    return np.array(early + middle + [x[i - half + 1 :].mean() for i in range(n - half, n)])


def trace(seed, frames, levels):
    """Noise with a drift; few levels make many ties."""
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(0, 1, frames) * levels + np.linspace(0, 3 * levels, frames))


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 400), st.integers(0, 200), st.sampled_from([1, 50])
)
def test_a_running_median_is_that_of_scipy_with_zeros_beyond_the_ends(seed, frames, half, levels):
    half = min(half, (frames - 1) // 2)
    x = trace(seed, frames, levels)
    expected = median_filter(x, 2 * half + 1, mode="constant")
    np.testing.assert_array_equal(Sorted(x, 2 * half + 1).median(2 * half + 1), expected)


@given(st.integers(0, 2**32 - 1), st.integers(3, 400), st.data())
def test_a_running_rank_of_a_mirrored_trace_is_that_of_scipy(seed, frames, data):
    half = data.draw(st.integers(1, (frames - 1) // 2))
    place = data.draw(st.integers(0, 2 * half))
    x = trace(seed, frames, 20)
    expected = rank_filter(x, place, 2 * half + 1, mode="reflect")
    result = Sorted(x, 2 * half + 1, "symmetric").rank(2 * half + 1, place)
    np.testing.assert_array_equal(result, expected)


def test_windows_that_are_sparse_among_many_ranks():
    rng = np.random.default_rng(0)
    x = rng.normal(size=20_000) * 10.0 ** rng.integers(-3, 4, 20_000)
    ordered = Sorted(x, 5401)
    for window in (1, 3, 31, 101, 5401):
        np.testing.assert_array_equal(
            ordered.median(window), median_filter(x, window, mode="constant")
        )


@given(
    st.integers(0, 2**32 - 1),
    st.integers(10, 300),
    st.integers(1, 100),
    st.sampled_from([1, 6]),
    st.sampled_from([0.0, 0.25, 40.0]),
)
def test_a_running_mode_is_that_of_allensdk(seed, frames, half, levels, offset):
    half = min(half, (frames - 1) // 2)
    x = trace(seed, frames, levels) + offset
    np.testing.assert_array_equal(running_mode(x, 2 * half), allen_mode(x, 2 * half))


def test_a_mode_stays_until_it_leaves_and_gives_way_to_the_smallest():
    x = np.array([5.0, 5, 9, 7, 9, 7, 3, 1])
    mode = running_mode(x, 4)
    assert mode[3] == 9  # of 9, 7, 9, 7: it was there before
    assert mode[5] == 3  # a 7 has left 9, 7, 3; then 1 comes, and is not more frequent


@given(st.integers(0, 2**32 - 1), st.integers(4, 300), st.integers(1, 100))
def test_a_running_mean_is_that_of_allensdk(seed, frames, half):
    half = min(half, (frames - 1) // 2)
    x = trace(seed, frames, 10)
    np.testing.assert_allclose(running_mean(x, 2 * half), allen_mean(x, 2 * half), atol=1e-9)


@pytest.mark.parametrize("window", [4, 40])
def test_a_constant_is_its_own_mode(window):
    np.testing.assert_array_equal(running_mode(np.full(100, 7.0), window), 7.0)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_order_statistics_rise_with_their_place(seed):
    x = trace(seed, 200, 5)
    ordered = Sorted(x, 21)
    ranks = np.stack([ordered.rank(21, place) for place in range(21)])
    assert (np.diff(ranks, axis=0) >= 0).all()
