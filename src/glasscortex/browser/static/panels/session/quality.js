// The cells of a session on their field of view, and how well they were recorded.
"use strict";
(() => {
  const { el, rows, number, share, charts } = glasscortex;
  const { figure, table, column } = glasscortex.shared;
  const { COLOURS, extent, field } = charts;
  const BINS = 20;
  const MEASURES = {
    snr: "signal to noise",
    noise: "noise, ΔF/F",
    baseline_drift: "drift of the baseline",
    r: "neuropil contamination r",
  };

  const histogram = (name, values) =>
    figure(
      charts.histogram({
        parts: [{ values, fill: COLOURS.trained }],
        bins: BINS,
        width: 215,
        height: 130,
        xlabel: MEASURES[name],
        ylabel: "cells",
        about: `Histogram of ${MEASURES[name]} over ${values.length} cells`,
      }).root,
    );

  function quality({ page, row, asked }, go) {
    const cells = rows(page.quality).sort((a, b) => b.used - a.used || b.snr - a.snr),
      used = cells.filter((cell) => cell.used);
    const measured = Object.keys(MEASURES).filter((name) => used.some((c) => c[name] !== null));
    const by = measured.includes(asked.shade) ? asked.shade : (measured[0] ?? "snr");
    const values = (name) => column(used, name).filter((v) => v !== null);
    const [low, high] = extent(values(by), { pad: 0 });
    const shade = (cell) =>
      cell.used && cell[by] !== null
        ? {
            fill: COLOURS.trained,
            "fill-opacity": (0.12 + 0.88 * ((cell[by] - low) / (high - low))).toFixed(3),
          }
        : { fill: COLOURS.warm, "fill-opacity": 0.6 };
    const why = (cell) => (cell.used ? "used" : `left out: ${cell.reason ?? "unknown"}`);
    const view = field({
      cells: new Map(
        cells.map((cell) => [
          `${row.container_id}/${cell.cell_specimen_id}`,
          {
            shade: shade(cell),
            title: `${cell.cell_specimen_id}, ${why(cell)}: ${MEASURES[by]} ${number(cell[by])}`,
          },
        ]),
      ),
      plane: page.plane,
      about: `cells of the field of view, shaded by ${MEASURES[by]}`,
      outside: (cell) => `${cell.split("/").pop()}: not in the table of quality`,
      size: 300,
    });
    const choice = el(
      "label",
      {},
      "shade by ",
      el(
        "select",
        { id: "shade", onchange: (event) => go({ shade: event.target.value }) },
        measured.map((name) =>
          el("option", { value: name, selected: name === by }, MEASURES[name]),
        ),
      ),
    );
    const left = cells.length - used.length;
    return {
      rows: cells,
      body: [
        el(
          "div",
          { class: "figures" },
          el(
            "div",
            {},
            choice,
            figure(
              view,
              page.plane
                ? `${number(low)} (light) to ${number(high)} (dark); orange: left out`
                : "The recording holds no masks: a square a cell, the best first; orange: left out",
            ),
          ),
          el(
            "div",
            { class: "figures histograms" },
            measured.map((name) => histogram(name, values(name))),
          ),
          el(
            "div",
            { class: "wide tall", tabindex: "0", role: "region", "aria-label": "Cells" },
            table(
              ["cell", "used", "SNR", "noise", "drift", "below noise", "r"],
              cells.map((cell) =>
                el(
                  "tr",
                  {},
                  el("td", {}, String(cell.cell_specimen_id)),
                  el("td", {}, why(cell)),
                  ["snr", "noise", "baseline_drift"].map((name) =>
                    el("td", { class: "number", "data-name": name }, number(cell[name])),
                  ),
                  el("td", { class: "number" }, share(cell.low_baseline_fraction)),
                  el("td", { class: "number" }, number(cell.r)),
                ),
              ),
              `${used.length} of ${cells.length} cells used` + (left ? `, ${left} left out` : ""),
            ),
          ),
        ),
        el(
          "p",
          { class: "note" },
          "Histograms: cells that are used. Below noise: share of frames whose baseline is not above the noise of the fluorescence. Traces of its best, median and worst cells: snakemake --cores 1 ",
          el("code", {}, `<results>/figures/quality/${row.session_id}.png`),
        ),
      ],
    };
  }

  Object.assign(glasscortex.panels, { quality });
})();
