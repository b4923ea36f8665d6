// What is decoded of a session: each task by every decoder.
"use strict";
(() => {
  const { el, rows, words, number, charts } = glasscortex;
  const { NAMES, grouped, figure, none } = glasscortex.shared;
  const { COLOURS } = charts;
  const BASELINE = "#6b6b6b";

  // Decoders in order: the transformer and its controls with the chosen seed, then the baselines.
  const decoders = (seed) => [
    ...Object.entries(NAMES).map(([model, name]) => ({
      model,
      seed,
      name: model === "trained" ? "transformer" : name,
      colour: COLOURS[model],
    })),
    ...Object.entries(glasscortex.catalogue().baselines).map(([model, name]) => ({
      model,
      seed: 0,
      name,
      colour: BASELINE,
    })),
  ];

  // A negative estimate of the error is one that cannot be told from none.
  const calibrated = (error) =>
    error > 0 ? `calibration error ${number(error)}` : "calibration error not told from 0";

  function decoding({ page, fit }) {
    const list = rows(page.decoding),
      tasks = grouped(list, (row) => row.task);
    if (!list.length) return { body: [none("No task has labels on its test presentations.")] };
    const one = ([task, own]) => {
      const metric = own.some((row) => row.metric === "r2") ? "r2" : "accuracy";
      const shown = decoders(fit.seed).flatMap((decoder) => {
        const row = own.find(
          (r) => r.model === decoder.model && r.seed === decoder.seed && r.metric === metric,
        );
        return row ? [{ ...decoder, row }] : [];
      });
      if (!shown.length) return null;
      const { chance, n } = shown[0].row;
      const off = own.find(
        (r) => r.model === fit.model && r.seed === fit.seed && r.metric === "ece",
      );
      const drawing = charts.bars({
        rows: shown.map(({ name, colour, row }) => ({
          name,
          colour,
          value: row.value,
          low: row.ci_low,
          high: row.ci_high,
          mark: row.over_sessions,
          title: `${name}: ${number(row.value)} [${number(row.ci_low)}, ${number(row.ci_high)}], over all sessions ${number(row.over_sessions)}`,
        })),
        level: metric === "r2" ? null : chance,
        xlabel: metric === "r2" ? `${words(task)}, r²` : `${words(task)}, accuracy`,
        width: 380,
        about: `score of ${words(task)} by decoder`,
      });
      const caption = [
        `${number(n)} presentations`,
        metric === "r2" ? "" : `, chance ${number(chance)}`,
        off ? `, ${calibrated(off.value)}` : "",
      ];
      const made = figure(drawing, caption);
      made.dataset.task = task;
      return made;
    };
    return {
      rows: list,
      body: [
        el("div", { class: "figures" }, [...tasks].map(one)),
        el(
          "p",
          { class: "note" },
          "Test split of this session, 95 % interval over its presentations; grey mark: the decoder's mean over all sessions; dashed: chance. Grey bars are simpler decoders of this session alone. Calibration error: of the probabilities that the chosen decoder gives.",
        ),
      ],
    };
  }

  Object.assign(glasscortex.panels, { decoding });
})();
