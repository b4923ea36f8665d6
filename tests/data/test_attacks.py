"""A recording in which any key is broken in any way; `python -m benchmarks.attack` counts."""

from tests.data.attacks import outcomes

FINE = {"clear", "warned", "same", "silent"}
OUTSIDE = {
    "an external link",
    "a soft link to nowhere",
    "a soft link to itself",
    "stored elsewhere",
    "virtual",
    "terabytes",
}


def test_every_key_broken_in_every_way(tmp_path):
    """Refused in one line or read; nothing outside is followed, nor more read than there is."""
    found = list(outcomes(tmp_path))
    assert [line for line in found if line[2] not in FINE] == []
    assert {what for _, way, what in found if way in OUTSIDE} == {"clear", "same"}
    assert len(found) > 700
