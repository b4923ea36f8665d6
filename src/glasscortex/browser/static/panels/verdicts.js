// What a unit is selective for, each effect against its null.
"use strict";
(() => {
  const { el, svg, rows, number, sign, label } = glasscortex;
  const { key, titled, table } = glasscortex.shared;
  const { COLOURS, GRID } = glasscortex.charts;

  // The effect as a dot, over what 95 % of its null stay below; a logarithmic scale up to 1.
  const LEAST = 1e-4;
  function effectBar(row) {
    const width = 150,
      x = (v) =>
        (Math.log10(Math.min(1, Math.max(LEAST, v ?? 0)) / LEAST) / -Math.log10(LEAST)) *
          (width - 10) +
        5;
    return svg(
      "svg",
      {
        width,
        height: 14,
        viewBox: `0 0 ${width} 14`,
        role: "img",
        "aria-label": `effect ${number(row.effect)}, 95 % of the null below ${number(row.null_high)}`,
      },
      [LEAST, 0.001, 0.01, 0.1, 1].map((v) =>
        svg("line", { x1: x(v), x2: x(v), y1: 0, y2: 14, stroke: GRID }),
      ),
      svg("rect", { x: x(0), y: 3, width: x(row.null_high) - x(0), height: 8, fill: "#bdbdbd" }),
      svg("circle", {
        cx: x(row.effect),
        cy: 7,
        r: 4,
        fill: row.significant ? COLOURS.trained : "#fff",
        stroke: row.significant ? COLOURS.trained : "#555",
      }),
    );
  }

  function verdicts({ page }) {
    const list = rows(page.selectivity);
    const heads = [
      "variable",
      "effect",
      "10⁻⁴ … null … 1",
      "p",
      "q",
      "n",
      "preferred",
      "AUROC",
      "purity",
      "verdict",
    ];
    const sorted = [...list].sort(
      (a, b) => b.significant - a.significant || (b.effect ?? 0) - (a.effect ?? 0),
    );
    return {
      rows: list,
      body: [
        el(
          "div",
          { class: "wide" },
          table(
            heads,
            sorted.map((row) =>
              el(
                "tr",
                { "data-key": key(row) },
                el("th", { scope: "row" }, titled(row)),
                el("td", { "data-name": "effect" }, `${number(row.effect)} ${sign(row.index)}`),
                el("td", {}, effectBar(row)),
                el("td", { "data-name": "p" }, number(row.p)),
                el("td", { "data-name": "q" }, number(row.q)),
                el(
                  "td",
                  {},
                  `${number(row.n)} ${row.replicate === "mouse" ? "mice" : row.replicate + "s"}`,
                ),
                el("td", {}, label(row.variable, row.preferred)),
                el("td", {}, number(row.auroc)),
                el("td", {}, number(row.purity)),
                el(
                  "td",
                  { class: row.significant && row.selected ? "yes" : row.significant ? "" : "no" },
                  row.verdict,
                ),
              ),
            ),
          ),
        ),
        el(
          "p",
          { class: "note" },
          "Dot: the effect on test, on a logarithmic scale from 10⁻⁴ to 1 (filled where significant); grey: what 95 % of permutations stay below. Selective: selected on validation, significant on test.",
        ),
      ],
    };
  }

  Object.assign(glasscortex.panels, { verdicts });
})();
