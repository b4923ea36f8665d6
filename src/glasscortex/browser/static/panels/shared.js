// What the panels of a unit's page share. Each panel is a function in glasscortex.panels: from what is
// known of the unit to its `body`, and the `rows` that its CSV holds. A panel says why it is empty.
"use strict";
glasscortex.panels = {};
glasscortex.shared = (() => {
  const { el, words } = glasscortex;
  const NAMES = {
    trained: "trained",
    start: "its start",
    untrained: "untrained",
    shuffled: "shuffled labels",
  };
  const NOT_MEASURED = "Measured for the trained decoder only.";

  const key = (row) => `${row.variable}|${row.stimulus}`;
  const titled = (row) =>
    words(row.variable) + (row.stimulus === "all" ? "" : ", " + words(row.stimulus));
  const axis = (variable) => {
    const unit = glasscortex.catalogue().variables[variable]?.unit;
    return words(variable) + (unit ? ` (${unit})` : "");
  };
  function grouped(list, by) {
    const groups = new Map();
    for (const row of list) groups.set(by(row), [...(groups.get(by(row)) ?? []), row]);
    return groups;
  }
  const column = (list, name) => list.map((row) => row[name]);
  const figure = (drawing, caption) =>
    el("figure", {}, drawing, caption && el("figcaption", {}, caption));
  const none = (why) => el("p", { class: "note" }, why);
  const table = (heads, body, caption) =>
    el(
      "table",
      { class: "plain" },
      caption && el("caption", {}, caption),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heads.map((head) => el("th", { scope: "col" }, head)),
        ),
      ),
      el("tbody", {}, body),
    );

  return { NAMES, NOT_MEASURED, key, titled, axis, grouped, column, figure, none, table };
})();
