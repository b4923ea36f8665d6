import os

import pytest

from glasscortex.run.timings import mean_seconds, timings

HEADER = "s\tmax_rss\tcpu_time\n"


@pytest.fixture
def benchmarks(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train/a.tsv").write_text(f"{HEADER}10.5\t300\t9\n")
    (tmp_path / "train/b.tsv").write_text(f"{HEADER}4.5\t500\t4\n")
    (tmp_path / "claims.tsv").write_text(f"{HEADER}0.1\t-\t-\n")
    (tmp_path / "old.tsv").write_text(f"{HEADER}99\t9\t9\n")
    os.utime(tmp_path / "old.tsv", (1000, 1000))
    return tmp_path


def test_sums_jobs_of_this_run(benchmarks):
    lines = timings(benchmarks, since=2000.0, now=2020.0).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["claims", "1", "0.1", "0.0", "0"],
        ["train", "2", "15.0", "13.0", "500"],
        ["all", "3", "15.1", "13.0"],
        ["from", "start", "to", "end", "20", "s"],
    ]


def test_nothing_where_no_job_ran(tmp_path):
    assert timings(tmp_path, since=0.0, now=1.0) == ""


def test_mean_of_a_stage(benchmarks):
    assert mean_seconds(benchmarks, "train") == 7.5
    assert mean_seconds(benchmarks, "old") == 99
    assert mean_seconds(benchmarks, "evaluate") is None
