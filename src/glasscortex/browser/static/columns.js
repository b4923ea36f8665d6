// The columns of the table of units: their titles, what they mean, how they are written.
"use strict";
(() => {
  const { number, share, words, sign, label } = glasscortex;
  const COLUMNS = [
    {
      name: "unit",
      title: "unit",
      kind: "number",
      about: "number in the dictionary",
      show: (v) => String(v),
    },
    {
      name: "variable",
      title: "variable",
      kind: "text",
      about:
        "of the variables that validation selected it for, the one that explains most of its responses there",
      show: (v, row) => words(v) + (row.significant ? "" : " (n.s.)"),
    },
    {
      name: "stimulus",
      title: "stimulus",
      kind: "text",
      about: "the presentations that the variable was tested on",
      show: words,
    },
    {
      name: "preferred",
      title: "preferred",
      kind: "text",
      about: "label with the largest mean response on validation",
      show: (v, row) => label(row.variable, v),
    },
    {
      name: "effect",
      title: "effect",
      kind: "number",
      about:
        "on test: η², the share of variance that goes with the variable; or |ρ|, the rank correlation",
      show: (v, row) => `${number(v)} ${sign(row.index)}`,
    },
    {
      name: "q",
      title: "q",
      kind: "number",
      about:
        "false discovery rate at which the effect is significant (Benjamini–Hochberg over the units)",
    },
    {
      name: "purity",
      title: "purity",
      kind: "number",
      about: "share of the preferred label among its strongest 2 % of responses on test",
    },
    {
      name: "rate",
      title: "rate",
      kind: "number",
      about: "share of test presentations on which it is active",
    },
    {
      name: "stability",
      title: "stability",
      kind: "number",
      about: "mean correlation on test with its matches in the other seeds",
    },
    {
      name: "output_effect",
      title: "effect on output",
      kind: "number",
      about:
        "standard deviation of what it adds to the task that it adds most to, in that of the task's outputs",
      show: (v, row) => (v === null || v === undefined ? "–" : `${number(v)} ${words(row.output)}`),
    },
    {
      name: "ablation_loss",
      title: "ablation",
      kind: "number",
      about: "what the set of units that it is removed with costs the set's own task (score lost)",
      show: (v, row) =>
        v === null || v === undefined ? "–" : `${number(v)} ${words(row.ablation)}`,
    },
    {
      name: "r2",
      title: "described",
      kind: "number",
      about: "share of the variance within stimuli that its sentence predicts on test",
    },
    {
      name: "cre_line",
      title: "Cre line",
      kind: "number",
      about:
        "η² of the Cre line: share of the variance between mice, on test (an asterisk: significant)",
      show: (v, row) => number(v) + (row.cre_line_significant ? "*" : ""),
    },
    {
      name: "n_significant",
      title: "variables",
      kind: "number",
      about: "number of variables that the unit is significant for",
    },
    {
      name: "l0_share",
      title: "L0 share",
      kind: "number",
      about: "its rate over the sum of all units' rates",
    },
    {
      name: "mean",
      title: "mean",
      kind: "number",
      about: "mean response over test presentations",
      hidden: true,
    },
    {
      name: "description",
      title: "description",
      kind: "text",
      about: "what validation says of it, in a sentence",
      hidden: true,
    },
  ];
  for (const column of COLUMNS)
    column.show ??= column.kind === "number" ? (v) => number(v) : (v) => String(v ?? "–");

  const known = (table) =>
    COLUMNS.filter(({ name }) => table[name] && table[name].some((v) => v !== null));

  // A filter as it is typed: part of a text; or of numbers >a, <a, a..b, or the number itself.
  function matcher(column, typed) {
    const wanted = typed.trim().toLowerCase();
    if (!wanted) return null;
    if (column.kind === "text")
      return (row) =>
        `${words(row[column.name]).toLowerCase()} ${column.show(row[column.name], row).toLowerCase()}`.includes(
          wanted,
        );
    const compared = wanted
      .replaceAll("−", "-")
      .match(/^(>=|<=|>|<|=)?\s*(-?[\d.]+(?:e-?\d+)?)(?:\s*\.\.\s*(-?[\d.]+(?:e-?\d+)?))?$/);
    if (!compared)
      return (row) => column.show(row[column.name], row).toLowerCase().includes(wanted);
    const [, how, first, last] = compared,
      a = Number(first),
      b = Number(last);
    const tests = {
      ">": (v) => v > a,
      "<": (v) => v < a,
      ">=": (v) => v >= a,
      "<=": (v) => v <= a,
    };
    const test = last !== undefined ? (v) => v >= a && v <= b : (tests[how] ?? ((v) => v === a));
    return (row) => row[column.name] !== null && test(row[column.name]);
  }

  Object.assign(glasscortex, { columns: { COLUMNS, known, matcher, share } });
})();
