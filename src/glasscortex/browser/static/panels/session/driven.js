// The units that a session drives, and those that are more active in it than in others.
"use strict";
(() => {
  const { el, rows, words, number, share, label } = glasscortex;
  const { NOT_MEASURED, none, table, unitLink } = glasscortex.shared;

  function driven({ drives, fit }, go) {
    const known = new Map(rows(fit.table).map((row) => [row.unit, row]));
    const stands = (unit) => {
      const row = known.get(unit);
      if (!row) return "–";
      const what = `${words(row.variable)}${row.significant ? "" : " (n.s.)"}`;
      return `${what}: ${label(row.variable, row.preferred)}`;
    };
    const line = (row, cells) =>
      el(
        "tr",
        { "data-unit": row.unit },
        el("td", {}, unitLink(go, row.unit)),
        el("td", {}, stands(row.unit)),
        cells.map((value) =>
          typeof value === "number"
            ? el("td", { class: "number" }, number(value))
            : el("td", {}, value),
        ),
      );
    const own = rows(drives?.driven),
      above = rows(drives?.above);
    const most = own.length
      ? table(
          ["unit", "stands for", "stimulus", "attribution", "strongest cell"],
          own.map((row) =>
            line(row, [
              words(row.stimulus),
              row.attribution,
              `${row.cell.split("/").pop()} (${share(row.share)})`,
            ]),
          ),
          "driven most by its cells",
        )
      : none(
          drives?.driven
            ? "None of its presentations was traced back to cells."
            : `What its cells drive: ${NOT_MEASURED.toLowerCase()}`,
        );
    const more = above.length
      ? table(
          ["unit", "stands for", "mean here", "elsewhere", "deviations"],
          above.map((row) => line(row, [row.mean, row.others, row.deviations])),
          "more active than in other sessions",
        )
      : none(
          `No unit is more active here than elsewhere: compared are sessions that were shown ${words(fit.background)}, three at least.`,
        );
    const side = (name, part) =>
      el(
        "div",
        { id: name, class: "wide tall", tabindex: "0", role: "region", "aria-label": name },
        part,
      );
    return {
      rows: [...own.map((row) => ({ kind: "driven", ...row })), ...above],
      body: [
        el("div", { class: "halves" }, side("driven-most", most), side("more-active", more)),
        el(
          "p",
          { class: "note" },
          "Attribution: what all cells of the session add to a unit's response on its strongest presentations there (integrated gradients from silence), beside the cell that adds or takes most, with its share; units with the largest absolute sums. ",
          `Mean here: mean response on the test presentations of ${words(fit.background)}; deviations: by how many standard deviations of the other sessions' means it lies above theirs.`,
        ),
      ],
    };
  }

  Object.assign(glasscortex.panels, { driven });
})();
