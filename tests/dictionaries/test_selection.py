import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.dictionaries.selection import _nominate, _scratch, largest


def nominated(values, k):
    unit = np.empty(k, np.int64)
    _nominate(values.view(np.int32), k, unit, _scratch(len(values), k))
    return unit


@given(
    values=st.lists(st.floats(-3, 3, width=16), min_size=1, max_size=300),
    share=st.floats(0, 1),
)
def test_nominated_are_the_largest_whatever_is_equal(values, share):
    values = np.array(values, np.float32) + np.float32(0)  # no negative zeros
    k = max(1, int(share * len(values)))
    unit = nominated(values, k)
    assert len(set(unit)) == k
    np.testing.assert_array_equal(np.sort(values[unit]), np.sort(values)[-k:])


def test_infinite_values_keep_their_order():
    values = np.array([0, -np.inf, np.inf, 2, -1], np.float32)
    assert sorted(nominated(values, 2)) == [2, 3]


@given(k=st.integers(1, 40), seed=st.integers(0, 20))
def test_largest_are_those_of_a_full_product(tokens, k, seed):
    inputs, encoder = tokens(300, 12, seed), tokens(40, 12, seed + 1).contiguous()
    bias = tokens(1, 40, seed + 2)[0]
    values, units = largest(inputs, encoder, bias, k)
    everything = inputs @ encoder.T + bias
    expected = everything.topk(k).values
    torch.testing.assert_close(values.sort(1, descending=True).values, expected)
    torch.testing.assert_close(values, everything.gather(1, units))


def test_choosing_leaves_the_precision_of_products_as_it_was(tokens):
    a, before = tokens(64, 64), torch.backends.mkldnn.matmul.fp32_precision
    largest(a, a, a[0], 3)
    assert torch.backends.mkldnn.matmul.fp32_precision == before
