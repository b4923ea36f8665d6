import pytest
import torch
import torch.nn.functional as F

from glasscortex.decoder.dropout import Dropout
from glasscortex.decoder.poyo_plus.dropped_attention import _DroppedAttention, dropped_attention
from glasscortex.decoder.poyo_plus.token_attention import token_attention


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def parts():
    """Queries, keys and values in double precision."""
    shapes = (2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4)
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.9])
def test_the_share_that_is_dropped_is_the_rate(rate):
    out = Dropout(rate).train()(torch.ones(200_000))
    assert (out == 0).float().mean().item() == pytest.approx(rate, abs=0.005)
    assert out.mean().item() == pytest.approx(1, abs=0.05)
    assert len(out.unique()) == 2


def test_neighbours_are_dropped_independently():
    out = Dropout(0.5).train()(torch.ones(200_000)) == 0
    for lag in range(1, 9):
        assert (out[lag:] & out[:-lag]).float().mean().item() == pytest.approx(0.25, abs=0.005)


def test_nothing_is_dropped_in_evaluation():
    x = torch.randn(5, 7)
    assert torch.equal(Dropout(0.5).eval()(x), x)


def test_the_same_seed_drops_the_same():
    x = torch.ones(100)
    dropout = Dropout(0.3).train()
    drawn = [dropout(x) for _ in range(2) if torch.manual_seed(3)]
    assert torch.equal(*drawn)
    assert not torch.equal(drawn[0], dropout(x))


def test_attention_that_drops_nothing_is_attention(parts):
    ours = _DroppedAttention.apply(*parts, 0.0)
    expected = F.scaled_dot_product_attention(*parts)
    torch.testing.assert_close(ours, expected)
    direction = torch.randn_like(ours)
    for got, wanted in zip(
        torch.autograd.grad(ours, parts, direction), torch.autograd.grad(expected, parts, direction)
    ):
        torch.testing.assert_close(got, wanted)


def test_gradients_with_dropped_weights_are_those_of_differences(parts):
    def seeded_attention(*parts):
        torch.manual_seed(1)
        return dropped_attention(*parts, 0.3)

    assert torch.autograd.gradcheck(seeded_attention, parts)


def test_dropped_attention_is_attention_on_average(parts):
    parts = [part.detach() for part in parts]
    mean = torch.stack([dropped_attention(*parts, 0.2) for _ in range(2000)]).mean(0)
    expected = F.scaled_dot_product_attention(*parts)
    torch.testing.assert_close(mean, expected, atol=0.05, rtol=0)
    assert not torch.allclose(dropped_attention(*parts, 0.2), expected)


def test_gradients_of_token_attention_are_those_of_differences():
    shapes = (2, 2, 3), (2, 2, 3), (2, 3, 2, 5), (2, 2, 2, 5)
    given = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]

    def seeded_attention(*given):
        torch.manual_seed(1)
        return token_attention(*given, 0.3)

    assert torch.autograd.gradcheck(seeded_attention, given)
