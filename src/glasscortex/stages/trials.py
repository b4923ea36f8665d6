"""List the presentations of one session and cut their windows of ΔF/F."""

from glasscortex.config import TrialsConfig
from glasscortex.data.store import StoredSession, verify
from glasscortex.data.trials import schema, tabulate
from glasscortex.data.windows import frames_of, write_windows
from glasscortex.files import sealed_write
from glasscortex.stages.arguments import Input, Output


def trials(
    *,
    store: Input,
    manifest: Input,
    trials: Output,
    windows: Output,
    config: TrialsConfig,
) -> None:
    """List the presentations of one session and cut their windows of ΔF/F."""
    verify(store, manifest)
    session = StoredSession(store)
    table, definitions = tabulate(session, config)
    with sealed_write(windows) as temporary:
        write_windows(
            temporary,
            session_id=session.session_id,
            cells=session.cells,
            dff=getattr(session, config.signal),
            trials=table,
            samples={s: frames_of(w, config.sample_rate_hz) for s, w in config.window_s.items()},
            sample_rate_hz=config.sample_rate_hz,
        )
    with sealed_write(trials) as temporary:
        table.to_parquet(temporary, index=False, schema=schema(definitions))
