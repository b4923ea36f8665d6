// The two tables: units of a dictionary, and sessions.
"use strict";
(() => {
  const { rows } = glasscortex;
  const { UNITS, SESSIONS, taskColumns } = glasscortex.columns;
  const { toUnit, toSession } = glasscortex.shared;

  const units = (fit) => ({
    rows: rows(fit.table),
    columns: UNITS,
    id: "unit",
    open: (row) => toUnit(row.unit),
    title: "Units",
    noun: "unit",
    nouns: "units",
    called: "alive units",
    first: { sort: "-effect", x: "rate", y: "effect" },
    prefix: "",
    file: `units-${fit.model}-seed${fit.seed}-${fit.sae}`,
  });

  // What is known of the recordings, and how the chosen decoder reads them.
  function sessions({ about, scores }, fit) {
    const read = new Map(
      rows(scores)
        .filter((row) => row.model === fit.model && row.seed === fit.seed)
        .map((row) => [row.session_id, row]),
    );
    return {
      rows: rows(about).map((row) => ({ ...row, ...read.get(row.session_id) })),
      columns: [...SESSIONS, ...taskColumns(glasscortex.catalogue().tasks)],
      id: "session_id",
      open: (row) => toSession(row.session_id),
      title: "Sessions",
      noun: "session",
      nouns: "sessions",
      called: "sessions",
      first: { sort: "session_id", x: "snr", y: "accuracy" },
      prefix: "s.",
      file: `sessions-${fit.model}-seed${fit.seed}`,
    };
  }

  Object.assign(glasscortex, { tables: { units, sessions } });
})();
