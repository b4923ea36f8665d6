// The page of one unit.
"use strict";
(() => {
  const { el, words, number, share, rows, page } = glasscortex;
  const { NAMES, UNITS, toUnit } = glasscortex.shared;

  const PANELS = [
    ["verdicts", "What it is selective for", "Selectivity"],
    ["tuning", "Tuning, and the best rivals", "Tuning"],
    ["presentations", "Presentations", "Presentations"],
    ["cells", "Cells that drive it", "Cells"],
    ["background", "Mice and sessions", "Mice"],
    ["behaviour", "Running, pupil and other values", "Values"],
    ["outputs", "What it does to the decoder's outputs", "Outputs"],
    ["ablation", "What is lost without it", "Ablation"],
    ["neighbours", "Neighbours", "Neighbours"],
  ];

  function draw(main, given, go) {
    const { unit, fit, order } = given;
    const row = rows(fit.table).find((r) => r.unit === unit) ?? {},
      described = rows(given.page.description)[0];
    const score =
      described && described.r2 !== null
        ? el(
            "small",
            {},
            ` ${described.r2 > 0 ? "Predicts" : "Predicts nothing:"} ${share(described.r2)} of the variance within stimuli on ${number(described.n)} held-out presentations.`,
          )
        : null;
    const about = {
      file: `unit-${unit}-${fit.model}-seed${fit.seed}-${fit.sae}`,
      name: unit,
      nouns: "Units",
      order,
      open: toUnit,
      table: UNITS,
      title: `Unit ${unit}`,
      small: ` of ${fit.sae} on ${NAMES[fit.model] ?? fit.model}, seed ${fit.seed}`,
      lead: el("p", { class: "description" }, described?.description ?? "", score),
      facts: [
        ["active on", share(row.rate)],
        ["share of L0", share(row.l0_share)],
        ["mean response", number(row.mean)],
        [
          "significant for",
          `${number(row.n_significant)} variable${row.n_significant === 1 ? "" : "s"}`,
        ],
        ["purity", number(row.purity)],
        row.stability === undefined ? null : ["stability", number(row.stability)],
        row.output
          ? ["most effect on", `${words(row.output)} (${number(row.output_effect)} SD)`]
          : null,
      ],
      panels: PANELS,
    };
    return page.draw(main, about, given, go);
  }

  Object.assign(glasscortex, { unit: { draw } });
})();
