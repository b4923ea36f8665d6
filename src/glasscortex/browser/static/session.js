// The page of one session.
"use strict";
(() => {
  const { el, words, number, page } = glasscortex;
  const { NAMES, SESSIONS, toSession } = glasscortex.shared;

  const PANELS = [
    ["decoding", "What is decoded, beside simpler decoders", "Decoding"],
    ["confusions", "What is taken for what", "Confusions"],
    ["driven", "Units that it drives", "Units"],
    ["quality", "Its cells", "Cells"],
  ];

  function draw(main, given, go) {
    const { row, fit, order, all } = given;
    const kin = all.filter((r) => r.mouse === row.mouse && r.session_id !== row.session_id);
    const known = (value, unit = "") =>
      value === null || value === undefined || value === "" ? "unknown" : `${value}${unit}`;
    const about = {
      file: `session-${row.session_id}-${fit.model}-seed${fit.seed}-${fit.sae}`,
      name: row.session_id,
      nouns: "Sessions",
      order,
      open: toSession,
      table: SESSIONS,
      title: `Session ${row.session_id}`,
      small: ` decoder: ${NAMES[fit.model] ?? fit.model}, seed ${fit.seed}`,
      lead: kin.length
        ? el(
            "p",
            { class: "description kin" },
            "Other sessions of the mouse: ",
            kin.map((r, i) => [
              i ? ", " : "",
              el("a", { href: go.address(toSession(r.session_id)) }, r.session_id),
            ]),
          )
        : null,
      facts: [
        ["mouse", known(row.mouse)],
        ["Cre line", known(row.cre_line)],
        ["area", known(row.area)],
        ["depth", known(row.depth_um, " µm")],
        row.session_type ? ["type", words(row.session_type)] : null,
        row.sex && row.sex !== "unknown" ? ["sex", row.sex] : null,
        row.age_days ? ["age", `${number(row.age_days)} days`] : null,
        ["container", known(row.container_id)],
        ["cells used", `${number(row.used)} of ${number(row.cells)}`],
        ["signal to noise", number(row.snr)],
        ["accuracy", number(row.accuracy)],
        row.linear === undefined ? null : ["best linear", number(row.linear)],
      ],
      panels: PANELS,
    };
    return page.draw(main, about, given, go);
  }

  Object.assign(glasscortex, { session: { draw } });
})();
