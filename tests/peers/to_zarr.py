# /// script
# requires-python = ">=3.11"
# dependencies = ["hdmf-zarr==0.13.0", "pynwb==4.2.0"]
# ///
"""hdmf-zarr, whose zarr-python is another than ours, makes a Zarr folder of each NWB 2 file."""

import sys
from pathlib import Path

from hdmf_zarr.nwb import NWBZarrIO
from pynwb import NWBHDF5IO

for path in sorted(Path(sys.argv[1]).glob("*/2.nwb")):
    with (
        NWBHDF5IO(path, "r") as source,
        NWBZarrIO(str(path.with_name("3.nwb.zarr")), mode="w") as target,
    ):
        target.export(src_io=source, write_args={"link_data": False})
