import pandas as pd
import torch

from glasscortex.config import SpliceConfig
from glasscortex.dictionaries import TopK
from glasscortex.stages.splice import splice
from glasscortex.tables import write_table


def test_the_table_names_its_rows_and_is_written_alike_twice(world, decoder, tmp_path):
    (tmp_path / "decoder").mkdir()
    decoder.save(tmp_path / "decoder")
    sae = TopK(width=16, k=16, hook="latents.1").build(16).requires_grad_(False)
    sae.W_dec.copy_(torch.eye(16))
    sae.W_enc.copy_(torch.eye(16))
    sae.save(tmp_path / "sae")
    names = sorted(set(world[0]["session_id"]))
    mice = pd.DataFrame({"session_id": names, "mouse": names})
    write_table(mice, tmp_path / "sessions.csv")
    for file in ("a.csv", "b.csv"):
        splice(
            decoder=tmp_path / "decoder",
            folder=tmp_path / "sae",
            trials=world[1],
            sessions=tmp_path / "sessions.csv",
            windows=world[2],
            table=tmp_path / file,
            model="trained",
            seed=3,
            sae="identity",
            config=SpliceConfig(),
        )
    table = pd.read_csv(tmp_path / "a.csv")
    assert list(table)[:5] == ["model", "seed", "sae", "task", "condition"]
    assert (table[["model", "seed", "sae"]] == ["trained", 3, "identity"]).all(axis=None)
    assert set(table["task"]) == set(decoder.vocabulary.tasks)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
