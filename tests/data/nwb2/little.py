"""A recording of NWB 2 that is there for its session's sake."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from glasscortex.data.nwb2.contents import PIXEL, Contents, PlaneContents, Session
from glasscortex.data.nwb2.write import write


def little(path: Path, session: str) -> Path:
    """Two cells and one thing that was shown."""
    about = Session(
        session=session,
        start=datetime(2024, 3, 1, tzinfo=UTC),
        mouse="ann",
        age="unknown",
        area="VISp",
        indicator="GCaMP6f",
    )
    plane = PlaneContents(
        name="plane00",
        ids=np.arange(2),
        signals={"dff": np.ones((2, 100), np.float32)},
        pixels=[np.ones(1, PIXEL)] * 2,
    )
    shown = pd.DataFrame({"start_time": [1.0], "stop_time": [2.0]})
    write(path, Contents(about, [plane], np.arange(100) / 10, {"spontaneous": shown}))
    return path
