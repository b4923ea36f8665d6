// The columns of the tables of units and of sessions: titles, what they mean, how they are written.
"use strict";
(() => {
  const { number, words, sign, label } = glasscortex;
  const UNITS = [
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

  const SESSIONS = [
    { name: "session_id", title: "session", kind: "text", about: "the recording" },
    { name: "mouse", title: "mouse", kind: "text", about: "the donor" },
    {
      name: "container_id",
      title: "container",
      kind: "text",
      about: "the field of view, which several sessions share",
      hidden: true,
    },
    { name: "cre_line", title: "Cre line", kind: "text", about: "genetic background of the mouse" },
    { name: "area", title: "area", kind: "text", about: "visual area" },
    { name: "depth_um", title: "depth", kind: "number", about: "imaging depth, µm" },
    {
      name: "session_type",
      title: "type",
      kind: "text",
      about: "which set of stimuli was shown: three_session_A, B, C or C2",
      show: (v) => words(v).replace("three session ", ""),
    },
    { name: "sex", title: "sex", kind: "text", about: "of the mouse", hidden: true },
    {
      name: "age_days",
      title: "age",
      kind: "number",
      about: "of the mouse, days",
      hidden: true,
    },
    { name: "cells", title: "imaged", kind: "number", about: "cells imaged", hidden: true },
    { name: "used", title: "cells", kind: "number", about: "cells that decoders read" },
    {
      name: "snr",
      title: "SNR",
      kind: "number",
      about: "signal to noise of these cells, the median (3.1 for noise alone)",
    },
    {
      name: "accuracy",
      title: "accuracy",
      kind: "number",
      about: "of the chosen decoder on test, mean over the session's classification tasks",
    },
    {
      name: "linear",
      title: "linear",
      kind: "number",
      about: "the same of the best linear decoder of the session alone",
    },
    { name: "lead", title: "lead", kind: "number", about: "accuracy less that of linear" },
  ];

  // A column a task, for charts and CSV.
  const taskColumns = (tasks) =>
    Object.keys(tasks).map((name) =>
      complete({
        name,
        title: words(name),
        kind: "number",
        about: `score of ${words(name)} on test`,
        hidden: true,
      }),
    );

  function complete(column) {
    column.show ??= column.kind === "number" ? (v) => number(v) : (v) => String(v ?? "–");
    return column;
  }
  [...UNITS, ...SESSIONS].forEach(complete);

  const known = (columns, rows) =>
    columns.filter(({ name }) => rows.some((r) => r[name] !== null && r[name] !== undefined));

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
    return (row) =>
      row[column.name] !== null && row[column.name] !== undefined && test(row[column.name]);
  }

  Object.assign(glasscortex, { columns: { UNITS, SESSIONS, taskColumns, known, matcher } });
})();
