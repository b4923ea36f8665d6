// What a unit does to the decoder's outputs, and what is lost without its set.
"use strict";
(() => {
  const { el, rows, words, number, label, charts } = glasscortex;
  const { NOT_MEASURED, grouped, column, figure, none } = glasscortex.shared;
  const { COLOURS, FAINT } = charts;

  function outputs({ page }) {
    if (!page.reuse) return { body: [none(NOT_MEASURED)] };
    const sizes = rows(page.reuse).sort((a, b) => b.size - a.size),
      effects = grouped(rows(page.effects), (row) => row.task);
    const variable = (task) => glasscortex.catalogue().tasks[task]?.variable ?? task;
    const strongest = effects.get(sizes[0]?.task) ?? [];
    const most = [...strongest]
      .sort((a, b) => Math.abs(b.direct) - Math.abs(a.direct))
      .slice(0, 12)
      .sort((a, b) => (a.label ?? 0) - (b.label ?? 0));
    return {
      rows: rows(page.effects),
      body: [
        el(
          "div",
          { class: "figures" },
          figure(
            charts.bars({
              rows: sizes.map((row) => ({ name: words(row.task), value: row.size })),
              xlabel: "effect (SD of the outputs)",
              width: 300,
              left: 122,
              about: "size of the unit's effect on each task",
            }),
            `serves ${number(sizes[0]?.tasks)} of ${sizes.length} tasks (participation ratio)`,
          ),
          figure(
            charts.bars({
              rows: most.map((row) => ({
                name: row.label === null ? "value" : label(variable(row.task), number(row.label)),
                value: row.direct,
                title: `attribution ${number(row.attribution)}`,
              })),
              xlabel: `direct effect on ${words(sizes[0]?.task)}`,
              width: 280,
              left: 66,
              about: "direct effect on each output",
            }),
            strongest.length > most.length
              ? `its ${most.length} largest of ${strongest.length} outputs`
              : "change of each output when the activation rises by one",
          ),
        ),
      ],
    };
  }

  function ablation({ page, fit }) {
    if (!fit.ablation) return { body: [none(NOT_MEASURED)] };
    const sets = rows(page.removed),
      all = rows(fit.ablation);
    if (!sets.length)
      return {
        body: [
          none(
            "No set of units that was removed holds it: it is none of the most selective units of a task's variable.",
          ),
        ],
      };
    return {
      rows: all.filter((row) => sets.some((s) => s.task === row.variable)),
      body: [
        sets.map((set) => {
          const own = all.filter((row) => row.variable === set.task),
            method = own[0]?.method;
          const whole = own.filter((row) => row.method === method && row.n_units === set.n_units);
          const doses = own
            .filter((row) => row.method === method && row.task === set.task)
            .sort((a, b) => a.n_units - b.n_units);
          return [
            el(
              "h3",
              {},
              `${words(set.task)}: number ${set.rank} of ${set.n_units} units removed together`,
            ),
            el(
              "div",
              { class: "figures" },
              figure(
                charts.bars({
                  rows: whole.map((row) => ({
                    name: words(row.task),
                    value: row.delta,
                    low: row.ci_low,
                    high: row.ci_high,
                    mark: row.matched,
                    title: `${words(row.task)}: ${number(row.delta)} [${number(row.ci_low)}, ${number(row.ci_high)}], matched ${number(row.matched)}, p ${number(row.p)}`,
                  })),
                  xlabel: "score lost",
                  width: 300,
                  left: 122,
                  about: `score lost by each task without the units of ${words(set.task)}`,
                }),
                `${method} ablation of the whole set, 95 % interval over mice; grey mark: mean of matched random sets`,
              ),
              doses.length > 1
                ? figure(
                    charts.lines({
                      series: [
                        {
                          x: column(doses, "n_units"),
                          mean: column(doses, "delta"),
                          colour: COLOURS.trained,
                          name: "selective units",
                        },
                        {
                          x: column(doses, "n_units"),
                          mean: column(doses, "matched"),
                          colour: FAINT,
                          name: "matched random",
                          dash: "5 3",
                        },
                      ],
                      points: true,
                      xlabel: "units removed",
                      ylabel: `${words(set.task)} lost`,
                      width: 280,
                      about: "score lost against the number of units removed",
                    }),
                    "dose curve",
                  )
                : null,
            ),
          ];
        }),
      ],
    };
  }

  Object.assign(glasscortex.panels, { outputs, ablation });
})();
