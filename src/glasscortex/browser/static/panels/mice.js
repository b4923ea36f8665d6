// Mice and sessions as dots; running, pupil and other values in bins.
"use strict";
(() => {
  const { el, rows, words, number, sign, charts } = glasscortex;
  const { axis, grouped, column, figure, none } = glasscortex.shared;
  const { COLOURS } = charts;

  function background({ page, fit }) {
    const about = glasscortex.sessions();
    const sessions = fit.session_id.name.map((name, i) => ({
      name: `session ${name}`,
      value: page.session_id[i],
      n: fit.session_id.n[i],
      ...about.get(name),
    }));
    const line = new Map([...about.values()].map((row) => [row.mouse, row.cre_line]));
    const mice = fit.mouse.name.map((name, i) => ({
      name: `mouse ${name}`,
      value: page.mouse[i],
      n: fit.mouse.n[i],
      cre_line: line.get(name),
    }));
    const found = new Map(rows(page.selectivity).map((row) => [row.variable, row]));
    const by = (values, name) =>
      [
        ...grouped(
          values.filter((v) => v.value !== null),
          (v) => String(v[name] ?? "unknown"),
        ),
      ]
        .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
        .map(([group, own]) => ({ name: group, values: own }));
    const parts = [
      ["cre_line", mice, "mice"],
      ["area", sessions, "sessions"],
      ["depth_um", sessions, "sessions"],
    ].map(([name, values, what]) => {
      const groups = by(values, name),
        row = found.get(name);
      if (groups.length < 2) return null;
      return figure(
        charts.dots({
          groups,
          ylabel: "mean response",
          width: 290,
          xlabel: axis(name),
          about: `mean response by ${words(name)}, a dot a ${what === "mice" ? "mouse" : "session"}`,
        }),
        [
          `dots: ${what}`,
          row
            ? `; ${number(row.effect)} ${sign(row.index)}, p ${number(row.p)}, q ${number(row.q)} over ${row.n} mice`
            : "",
        ],
      );
    });
    return {
      rows: sessions.map(({ name, ...rest }) => rest),
      body: [
        el("div", { class: "figures" }, parts),
        parts.some(Boolean) ? null : none("All sessions are of one Cre line, area and depth."),
        el(
          "p",
          { class: "note" },
          `Mean response on the test presentations of ${words(fit.background)}, which most mice were shown.`,
        ),
      ],
    };
  }

  function behaviour({ page }) {
    const list = grouped(rows(page.behaviour), (row) => row.variable),
      found = new Map(rows(page.selectivity).map((row) => [row.variable, row]));
    const parts = [...list].map(([name, own]) => {
      const row = found.get(name);
      return figure(
        charts.lines({
          series: [
            {
              x: column(own, "value"),
              mean: column(own, "mean"),
              error: column(own, "error"),
              colour: COLOURS.trained,
            },
          ],
          points: true,
          xlabel: name === "pupil" ? "pupil (as recorded)" : axis(name),
          ylabel: "mean response",
          width: 290,
          about: `mean response by ${words(name)}`,
        }),
        row
          ? `${number(row.effect)} ${sign(row.index)}, q ${number(row.q)} over ${row.n} ${row.replicate}s`
          : "",
      );
    });
    return {
      rows: rows(page.behaviour),
      body: [
        parts.length
          ? el("div", { class: "figures" }, parts)
          : none("Neither running nor pupil was measured, and no other variable is continuous."),
        parts.length
          ? el(
              "p",
              { class: "note" },
              "Eight bins of equally many test presentations of all sessions on which there is a value, mean ± s.e. of presentations. The test of what an animal does is against other mice's values, that of a stimulus against another order.",
            )
          : null,
      ],
    };
  }

  Object.assign(glasscortex.panels, { background, behaviour });
})();
