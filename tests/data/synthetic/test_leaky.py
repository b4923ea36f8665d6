import numpy as np
import pytest
from scipy.signal import lfilter

from glasscortex.data.synthetic.leaky import fluctuation, leaky_sum


@pytest.mark.parametrize("shape", [(1,), (500,), (3, 500)])
@pytest.mark.parametrize("kind", ["float64", "int64"])
def test_sum_is_the_first_order_filter_of_scipy_to_the_bit(shape, kind):
    trace = np.random.default_rng(0).poisson(3.0, shape).astype(kind)
    before = trace.copy()
    expected = lfilter([1.0], [1.0, -np.exp(-1 / 7.0)], trace)
    np.testing.assert_array_equal(leaky_sum(trace, 7.0), expected, strict=True)
    np.testing.assert_array_equal(trace, before)


def test_fluctuation_has_unit_variance_and_forgets_at_its_rate():
    trace = fluctuation((40, 5000), 5.0, np.random.default_rng(0))
    assert trace.std() == pytest.approx(1, abs=0.02)
    lagged = np.mean(trace[:, 5:] * trace[:, :-5])
    assert lagged == pytest.approx(np.exp(-1), abs=0.02)
