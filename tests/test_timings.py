import os

from glasscortex.timings import timings


def test_sums_jobs_of_this_run(tmp_path):
    header = "s\tmax_rss\tcpu_time\n"
    (tmp_path / "train").mkdir()
    (tmp_path / "train/a.tsv").write_text(f"{header}10.5\t300\t9\n")
    (tmp_path / "train/b.tsv").write_text(f"{header}4.5\t500\t4\n")
    (tmp_path / "claims.tsv").write_text(f"{header}0.1\t-\t-\n")
    (tmp_path / "old.tsv").write_text(f"{header}99\t9\t9\n")
    os.utime(tmp_path / "old.tsv", (1000, 1000))
    lines = timings(benchmarks=tmp_path, since=2000.0, now=2020.0).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["claims", "1", "0.1", "0.0", "0"],
        ["train", "2", "15.0", "13.0", "500"],
        ["all", "stages", "15.1", "s,", "wall", "20.0", "s"],
    ]
