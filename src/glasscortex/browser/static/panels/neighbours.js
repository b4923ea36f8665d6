// Units beside a unit, in its dictionary and in those of other seeds.
"use strict";
(() => {
  const { el, rows, number } = glasscortex;
  const { grouped, none, table, unitLink } = glasscortex.shared;

  function neighbours({ page, about }, go) {
    const list = grouped(rows(page.neighbours), (row) => row.kind),
      others = rows(page.consensus);
    const link = (unit, changes) => unitLink(go, unit, changes);
    const names = {
      cosine: ["closest atoms", "cosine"],
      coactivation: ["most alike responses", "correlation"],
    };
    return {
      rows: rows(page.neighbours),
      body: [
        el(
          "div",
          { class: "figures" },
          Object.entries(names).map(([kind, [title, what]]) =>
            table(
              ["unit", what],
              (list.get(kind) ?? []).map((row) =>
                el(
                  "tr",
                  {},
                  el("td", {}, link(row.neighbour)),
                  el("td", { class: "number" }, number(row.value)),
                ),
              ),
              title,
            ),
          ),
          page.consensus
            ? table(
                ["seed", "unit", "correlation"],
                others.map((row) =>
                  el(
                    "tr",
                    {},
                    el("td", {}, String(row.other_seed)),
                    el(
                      "td",
                      {},
                      row.other_unit === null
                        ? "none"
                        : link(row.other_unit, { seed: row.other_seed }),
                    ),
                    el("td", { class: "number" }, number(row.correlation)),
                  ),
                ),
                `the same unit in other seeds${others[0]?.consensus ? " (consensus)" : ""}`,
              )
            : none("With several seeds, its matches in the others stand here."),
        ),
      ],
    };
  }

  Object.assign(glasscortex.panels, { neighbours });
})();
