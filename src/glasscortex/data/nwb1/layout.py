"""Where the NWB 1.0 layout of the Allen Brain Observatory keeps what is read."""

PIPELINE = "processing/brain_observatory_pipeline"
STORED_DFF = f"{PIPELINE}/DfOverF/imaging_plane_1"
FLUORESCENCE = f"{PIPELINE}/Fluorescence/imaging_plane_1"
DEMIXED = f"{PIPELINE}/Fluorescence/imaging_plane_1_demixed_signal"
NEUROPIL = f"{PIPELINE}/Fluorescence/imaging_plane_1_neuropil_response"
TRACES = (STORED_DFF, FLUORESCENCE, DEMIXED, NEUROPIL)
SEGMENTATION = f"{PIPELINE}/ImageSegmentation"
PLANE = f"{SEGMENTATION}/imaging_plane_1"
CELL_SPECIMEN_IDS = f"{SEGMENTATION}/cell_specimen_ids"
RUNNING_SPEED = f"{PIPELINE}/BehavioralTimeSeries/running_speed"
PUPIL = (f"{PIPELINE}/PupilTracking/pupil_size", f"{PIPELINE}/EyeTracking/pupil_size")
MOTION = f"{PIPELINE}/MotionCorrection/2p_image_series/xy_translation"
PRESENTATIONS = "stimulus/presentation"
TEMPLATES = "stimulus/templates"
