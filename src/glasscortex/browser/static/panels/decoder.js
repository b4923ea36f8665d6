// What a unit does to the decoder's outputs, and what is lost without its set.
"use strict";
(() => {
  const { el, rows, words, number, label, charts } = glasscortex;
  const { NOT_MEASURED, grouped, column, figure, none } = glasscortex.shared;
  const { COLOURS, FAINT } = charts;

  const MOST = 12; // outputs of one task

  // The direct effect on the outputs of a task that it moves most.
  function onTask(task, effects) {
    const variable = glasscortex.catalogue().tasks[task]?.variable ?? task;
    const most = [...effects]
      .sort((a, b) => Math.abs(b.direct) - Math.abs(a.direct))
      .slice(0, MOST)
      .sort((a, b) => (a.label ?? 0) - (b.label ?? 0));
    const name = (row) => (row.label === null ? "value" : label(variable, number(row.label)));
    const drawing = charts.bars({
      rows: most.map((row) => ({
        name: name(row),
        value: row.direct,
        title: `${name(row)}: ${number(row.direct)}, attribution ${number(row.attribution)}`,
      })),
      xlabel: `direct effect on ${words(task)}`,
      width: 280,
      left: 66,
      about: `direct effect on each output of ${words(task)}`,
    });
    return figure(
      drawing,
      effects.length > MOST ? `its ${MOST} largest of ${effects.length} outputs` : null,
    );
  }

  function outputs({ page }) {
    if (!page.reuse) return { body: [none(NOT_MEASURED)] };
    const sizes = rows(page.reuse).sort((a, b) => b.size - a.size);
    const effects = grouped(rows(page.effects), (row) => row.task);
    const [first, ...others] = sizes.map(({ task }) => onTask(task, effects.get(task) ?? []));
    const drawing = charts.bars({
      rows: sizes.map((row) => ({ name: words(row.task), value: row.size })),
      xlabel: "effect (SD of the outputs)",
      width: 300,
      left: 122,
      about: "size of the unit's effect on each task",
    });
    const served = `serves ${number(sizes[0]?.tasks)} of ${sizes.length} tasks (participation ratio)`;
    return {
      rows: rows(page.effects),
      body: [
        el("div", { class: "figures" }, figure(drawing, served), first),
        others.length
          ? el(
              "details",
              {},
              el("summary", {}, "direct effects on the other tasks"),
              el("div", { class: "figures" }, others),
            )
          : null,
        el(
          "p",
          { class: "note" },
          "Direct effect: change of an output when the unit's activation rises by one, along the residual stream, the readout and the head.",
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
          none("No set of units that was removed holds it: no task needs it more than others do."),
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
                `${method} ablation of the set that validation chose, 95 % interval over mice; grey mark: mean of random sets of like totals`,
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
                          name: "random sets of like totals",
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
