// Tuning of a unit, the best units of rivals, and when in the window it is active.
"use strict";
(() => {
  const { el, rows, words, number, sign, label, charts } = glasscortex;
  const { NAMES, key, titled, axis, grouped, column, figure, none } = glasscortex.shared;
  const { COLOURS, FAINT } = charts;

  // A label as text: of a mouse, or a number, which is that of 32 bits.
  const written = (text) => (Number.isNaN(Number(text)) ? String(text) : number(Number(text)));

  // A row of charts for each variable: this unit, the best units of rivals, and when in the window.
  function tuning({ page, fit, rivals }) {
    const found = new Map(rows(page.selectivity).map((row) => [key(row), row]));
    const curves = grouped(rows(page.tuning), key),
      courses = grouped(rows(page.courses), key);
    const shown = (name) =>
      glasscortex.catalogue().variables[found.get(name).variable].level === "stimulus";
    const order = [...curves.keys()].sort(
      (a, b) =>
        shown(b) - shown(a) ||
        found.get(b).significant - found.get(a).significant ||
        found.get(b).effect - found.get(a).effect,
    );
    const bestOf = rivals.map((rival) => [rival, grouped(rows(rival.best), key)]);
    const chart = (list, colour, ylabel) =>
      charts.tuning({
        labels: list.map((row) => written(row.label)),
        mean: column(list, "mean"),
        error: column(list, "error"),
        low: column(list, "low"),
        high: column(list, "high"),
        xlabel: axis(list[0].variable),
        ylabel,
        colour,
        width: 290,
        joined:
          list.length <= 40 &&
          glasscortex.catalogue().variables[list[0].variable]?.kind !== "categorical",
        about: `mean response by ${words(list[0].variable)}`,
      });
    const block = (name) => {
      const row = found.get(name),
        list = curves.get(name);
      const parts = [figure(chart(list, COLOURS[fit.model], "response"), "this unit")];
      for (const [rival, best] of bestOf) {
        const other = best.get(name);
        if (other)
          parts.push(
            figure(chart(other, COLOURS[rival.model], ""), [
              `best unit of ${NAMES[rival.model]}: `,
              el("b", {}, String(other[0].unit)),
              `, ${number(other[0].effect)} ${sign(row.index)}${other[0].significant ? "" : " (n.s.)"}`,
            ]),
          );
      }
      const course = courses.get(name);
      if (course && course.some((r) => r.step > 0))
        parts.push(figure(timecourse(course, fit), "in the window, mean ± s.e."));
      return el(
        "div",
        { class: "variable", "data-key": name },
        el(
          "h3",
          {},
          titled(row),
          el("small", {}, ` ${number(row.effect)} ${sign(row.index)}, q ${number(row.q)}`),
        ),
        el("div", { class: "figures" }, parts),
      );
    };
    const strong = order.filter((name) => found.get(name).significant),
      weak = order.filter((name) => !found.get(name).significant);
    return {
      rows: rows(page.tuning),
      body: [
        order.length ? null : none("No variable of a stimulus was tested on it."),
        strong.map(block),
        weak.length
          ? el(
              "details",
              { open: !strong.length },
              el(
                "summary",
                {},
                `${weak.length} without a significant effect: ${weak.map((n) => titled(found.get(n))).join("; ")}`,
              ),
              weak.map(block),
            )
          : null,
        el(
          "p",
          { class: "note" },
          "Points: mean response ± standard error on test; grey: middle 95 % of means when labels are permuted within session and block (none of what the animal itself did: its runs and drifts are no permutation's). Scales differ between units. Rivals: the unit of another decoder's dictionary that validation says is best for this variable.",
        ),
      ],
    };
  }

  function timecourse(list, fit) {
    const series = [true, false].map((preferred) => {
      const own = list.filter((row) => row.preferred === preferred).sort((a, b) => a.step - b.step);
      return {
        x: own.map((row) => (row.step + 0.5) * fit.step_s),
        mean: column(own, "mean").map((v) => v ?? 0),
        error: column(own, "error"),
        colour: preferred ? COLOURS.trained : FAINT,
        name: preferred ? "preferred label" : "other labels",
        dash: preferred ? null : "5 3",
      };
    });
    return charts.lines({
      series,
      xlabel: "seconds from onset",
      start: 0,
      ylabel: "activation",
      width: 290,
      about: "activation over the window on the preferred label and on others",
    });
  }

  Object.assign(glasscortex.panels, { tuning });
})();
