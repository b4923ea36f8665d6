// What the panels of pages share. Each panel is a function in glasscortex.panels: from what is known of
// the unit or session to its `body`, and the `rows` that its CSV holds. It says why it is empty.
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

  // What to change of the address to see a table, a unit, a session.
  const UNITS = { unit: "", session: "", table: "" },
    SESSIONS = { unit: "", session: "", table: "sessions" };
  const toUnit = (unit) => ({ unit, session: "" }),
    toSession = (session) => ({ unit: "", session });
  const unitLink = (go, unit, changes = {}) =>
    el("a", { href: go.address({ ...toUnit(unit), ...changes }) }, String(unit));
  const sessionLink = (go, name) => el("a", { href: go.address(toSession(name)) }, name);

  const key = (row) => `${row.variable}|${row.stimulus}`;
  const titled = (row) =>
    words(row.variable) + (row.stimulus === "all" ? "" : ", " + words(row.stimulus));
  const axis = (variable) => {
    const unit = glasscortex.catalogue().variables[variable]?.unit;
    return words(variable) + (unit ? ` (${unit})` : "");
  };
  function grouped(list, by) {
    const groups = new Map();
    for (const row of list) {
      const name = by(row);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(row);
    }
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

  return {
    ...{ NAMES, NOT_MEASURED, UNITS, SESSIONS, toUnit, toSession, unitLink, sessionLink },
    ...{ key, titled, axis, grouped, column, figure, none, table },
  };
})();
