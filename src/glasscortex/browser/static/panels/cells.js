// Cells that drive a unit, on their field of view and over all sessions.
"use strict";
(() => {
  const { el, rows, words, number, share, charts } = glasscortex;
  const { NOT_MEASURED, grouped, column, figure, none, table, sessionLink } = glasscortex.shared;
  const { COLOURS } = charts;

  function cells({ page, plane }, go) {
    const list = rows(page.cells);
    if (!page.cells) return { body: [none(NOT_MEASURED)] };
    if (!list.length)
      return {
        body: [none("It was active on none of the presentations that were traced back to cells.")],
      };
    const map = rows(page.map),
      times = grouped(rows(page.times), (row) => row.stimulus);
    const palette = [COLOURS.trained, "#00704f", COLOURS.warm, "#8C6D46", "#b0508a", "#555"];
    return {
      rows: list,
      body: [
        el(
          "div",
          { class: "figures" },
          figure(field(map, plane), [
            "field of view of session ",
            sessionLink(go, map[0].session_id),
            `, the one that drives it most (${words(map[0].stimulus)})`,
            plane ? null : ": its masks are not in the data",
          ]),
          el(
            "div",
            {
              class: "wide tall",
              tabindex: "0",
              role: "region",
              "aria-label": "Cells that drive the unit",
            },
            table(
              ["cell", "session", "stimulus", "attribution", "share"],
              list.map((row) =>
                el(
                  "tr",
                  {},
                  el("td", {}, row.cell.split("/").pop()),
                  el("td", { title: row.session_id }, sessionLink(go, row.session_id)),
                  el("td", {}, words(row.stimulus)),
                  el("td", { class: "number" }, number(row.attribution)),
                  el("td", { class: "number" }, share(row.share)),
                ),
              ),
              "cells of all sessions that drive it most",
            ),
          ),
          figure(
            charts.lines({
              series: [...times].map(([stimulus, own], i) => ({
                x: column(own, "time_s"),
                mean: column(own, "attribution"),
                colour: palette[i % palette.length],
                name: words(stimulus),
              })),
              xlabel: "seconds from onset",
              start: 0,
              ylabel: "attribution",
              width: 290,
              about: "attribution of all cells over the window",
            }),
            "when in the window cells drive it, mean over sessions",
          ),
        ),
        el(
          "p",
          { class: "note" },
          "Attribution: what a cell adds to the unit's response on its strongest presentations (integrated gradients from silence). Share: of the absolute attributions of all cells in that session.",
        ),
      ],
    };
  }

  // The cells of a session, shaded by what they add to the unit, the strongest first.
  function field(map, plane) {
    const most = Math.max(1e-9, ...map.map((row) => Math.abs(row.attribution)));
    const shade = (value) => ({
      fill: value < 0 ? COLOURS.warm : "#00704f",
      "fill-opacity": 0.12 + 0.88 * (Math.abs(value) / most),
    });
    const strongest = [...map].sort((a, b) => b.attribution - a.attribution);
    return charts.field({
      cells: new Map(
        strongest.map((row) => [
          row.cell,
          { shade: shade(row.attribution), title: `${row.cell}: ${number(row.attribution)}` },
        ]),
      ),
      plane,
      about: "cells of the field of view, shaded by what they add to the unit",
      outside: (cell) => `${cell}: not used`,
    });
  }

  Object.assign(glasscortex.panels, { cells });
})();
