// Which labels of a session are taken for which.
"use strict";
(() => {
  const { el, svg, rows, words, number, label, share, charts } = glasscortex;
  const { NAMES, grouped, axis, figure, none } = glasscortex.shared;
  const { COLOURS, FAINT, GRID, text, sheet } = charts;
  const SIZE = 210,
    LEFT = 62,
    BOTTOM = 44,
    SPELLED = 8; // classes whose numbers stand in the squares

  // A row a label and a column a predicted one, shaded by the share of the label's presentations.
  function matrix(task, list) {
    const variable = glasscortex.catalogue().tasks[task]?.variable ?? task;
    const classes = [...new Set(list.flatMap((row) => [row.label, row.predicted]))].sort(
      (a, b) => a - b,
    );
    const place = new Map(classes.map((value, i) => [value, i])),
      side = SIZE / classes.length,
      total = new Map();
    for (const row of list) total.set(row.label, (total.get(row.label) ?? 0) + row.n);
    const right = list.reduce((sum, row) => sum + (row.label === row.predicted ? row.n : 0), 0),
      all = list.reduce((sum, row) => sum + row.n, 0);
    const root = sheet(
      LEFT + SIZE + 8,
      SIZE + BOTTOM,
      `${words(task)}: ${right} of ${all} named right, a row a label and a column what it was taken for`,
    );
    root.append(
      svg("rect", { x: LEFT, y: 1, width: SIZE, height: SIZE, fill: "#fff", stroke: GRID }),
    );
    for (const row of list) {
      const part = row.n / total.get(row.label),
        x = LEFT + side * place.get(row.predicted),
        y = 1 + side * place.get(row.label);
      root.append(
        svg(
          "rect",
          {
            ...{ x, y, width: side, height: side },
            fill: COLOURS.trained,
            "fill-opacity": (0.06 + 0.94 * part).toFixed(3),
          },
          svg(
            "title",
            {},
            `${label(variable, row.label)} as ${label(variable, row.predicted)}: ${row.n} of ${total.get(row.label)}`,
          ),
        ),
      );
      if (classes.length <= SPELLED)
        root.append(
          text(x + side / 2, y + side / 2 + 4, row.n, {
            anchor: "middle",
            fill: part > 0.45 ? "#fff" : undefined,
          }),
        );
    }
    const every = Math.ceil(classes.length / SPELLED);
    classes.forEach((value, i) => {
      if (i % every) return;
      const middle = (i + 0.5) * side;
      root.append(
        text(LEFT - 5, Math.max(10, 5 + middle), number(value), { anchor: "end", fill: FAINT }),
        text(LEFT + middle, SIZE + 15, number(value), { anchor: "middle", fill: FAINT }),
      );
    });
    root.append(
      text(LEFT + SIZE / 2, SIZE + 34, "taken for", { anchor: "middle" }),
      text(11, SIZE / 2, axis(variable), { anchor: "middle", turn: -90 }),
    );
    const made = figure(
      root,
      `${words(task)}: ${right} of ${all} named right (${share(right / all)})`,
    );
    made.dataset.task = task;
    return made;
  }

  function confusions({ page, fit }) {
    const own = rows(page.confusion).filter(
      (row) => row.model === fit.model && row.seed === fit.seed,
    );
    if (!own.length)
      return { body: [none("No classification has labels on its test presentations.")] };
    return {
      rows: own,
      body: [
        el(
          "div",
          { class: "figures" },
          [...grouped(own, (row) => row.task)].map(([task, list]) => matrix(task, list)),
        ),
        el(
          "p",
          { class: "note" },
          `Test presentations as ${NAMES[fit.model] ?? fit.model} decodes them. Each row sums to the presentations of a label; the shade is the share of them.`,
        ),
      ],
    };
  }

  Object.assign(glasscortex.panels, { confusions });
})();
