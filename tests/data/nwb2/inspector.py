"""What nwbinspector and the schema's validation say of a file."""

from pathlib import Path

from nwbinspector import Importance, inspect_nwbfile


def faults(path: Path) -> set[str]:
    """All of importance BEST_PRACTICE_VIOLATION or more."""
    return {
        f"{fault.check_function_name} at {fault.location}: {fault.message}"
        for fault in inspect_nwbfile(nwbfile_path=path, skip_validate=False)
        if fault.importance.value >= Importance.BEST_PRACTICE_VIOLATION.value
    }
