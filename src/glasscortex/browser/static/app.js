// What the address says is shown; keys and choices change the address.
"use strict";
(() => {
  const { el, load, rows, say, table, tables } = glasscortex;
  const { UNITS, SESSIONS } = glasscortex.shared;
  const byId = (id) => document.getElementById(id);
  const main = byId("main"),
    help = byId("help"),
    search = byId("search");
  const KEYS = [
    ["/", "search"],
    ["j or →", "next unit or session (in its table's order)"],
    ["k or ←", "previous unit or session"],
    ["Enter", "open the unit or session whose link has the focus"],
    ["Esc", "back to the table"],
    ["u", "table of units"],
    ["t", "table of sessions"],
    ["c", "CSV of what is shown"],
    ["s", "SVG of what is shown"],
    ["?", "this help"],
  ];
  let view = null,
    turn = 0;

  const state = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

  function address(changes) {
    const next = { ...state(), ...changes };
    const entries = Object.entries(next).filter(
      ([, value]) => value !== "" && value !== null && value !== undefined,
    );
    return "#" + new URLSearchParams(entries);
  }

  // Change the address; quiet: what is shown has changed already.
  function go(changes, { quiet = false } = {}) {
    if (quiet) history.replaceState(null, "", address(changes));
    else location.hash = address(changes);
  }
  Object.assign(go, { address, state });

  function fits() {
    return rows(glasscortex.catalogue().fits);
  }

  function choose(id, values, value, name = String) {
    byId(id).replaceChildren(
      ...[...new Set(values)].map((v) =>
        el("option", { value: v, selected: String(v) === String(value) }, name(v)),
      ),
    );
  }

  function current() {
    const asked = state(),
      all = fits();
    const score = (fit) =>
      ["model", "seed", "sae"].reduce(
        (sum, key, i) => sum + (String(fit[key]) === asked[key] ? 4 >> i : 0),
        0,
      );
    return all.reduce((best, fit) => (score(fit) > score(best) ? fit : best), all[0]);
  }

  const place = (fit) => `${fit.model}/seed${fit.seed}/${fit.sae}`;
  const ofFit = (fit) => load(place(fit), place(fit) + "/fit");

  // What the address shows: its title, and the function that draws it.
  async function unitsShown({ fit, asked }) {
    const about = tables.units(await ofFit(fit));
    return ["Units", () => table.draw(main, about, asked, go)];
  }

  async function sessionsShown({ fit, asked }) {
    const about = tables.sessions(await load("sessions"), fit);
    return ["Sessions", () => table.draw(main, about, asked, go)];
  }

  async function unitShown({ fit, asked }) {
    const data = await ofFit(fit);
    const order = table.chosen(tables.units(data), asked).map((row) => row.unit);
    const page = await load(`${place(fit)}/${asked.unit}`);
    const beside = fits().filter(
      (f) =>
        f.seed === fit.seed &&
        f.sae === fit.sae &&
        f.model !== fit.model &&
        ["start", "untrained", "trained"].includes(f.model),
    );
    const rivals = await Promise.all(beside.map((f) => ofFit(f).catch(() => null)));
    const of = page.map?.session_id?.[0];
    const plane = of === undefined ? null : (await load("sessions/" + of).catch(() => null))?.plane;
    const given = { unit: Number(asked.unit), about: fit, fit: data, page, order, plane };
    given.rivals = rivals.filter(Boolean);
    return [`Unit ${asked.unit}`, () => glasscortex.unit.draw(main, given, go)];
  }

  async function sessionShown({ fit, asked }) {
    const name = asked.session;
    const about = tables.sessions(await load("sessions"), fit);
    const order = table.chosen(about, asked).map((row) => row.session_id);
    const [page, data, drives] = await Promise.all([
      load("sessions/" + name),
      ofFit(fit),
      load(`${place(fit)}/sessions/${name}`),
    ]);
    const row = about.rows.find((r) => r.session_id === name);
    const given = { row, all: about.rows, fit: data, page, drives, order, asked };
    return [`Session ${name}`, () => glasscortex.session.draw(main, given, go)];
  }

  function showing(asked) {
    if (asked.unit !== undefined) return unitShown;
    if (asked.session !== undefined) return sessionShown;
    return asked.table === "sessions" ? sessionsShown : unitsShown;
  }

  const prefix = (asked = state()) =>
    [sessionShown, sessionsShown].includes(showing(asked)) ? "s." : "";

  function head(asked, fit) {
    const all = fits(),
      ofModel = all.filter((f) => f.model === fit.model);
    const model = all.map((f) => f.model),
      seed = ofModel.map((f) => f.seed),
      sae = ofModel.filter((f) => f.seed === fit.seed).map((f) => f.sae);
    for (const [id, values] of Object.entries({ model, seed, sae })) choose(id, values, fit[id]);
    const ofSessions = prefix(asked) !== "";
    for (const [id, changes, on] of [
      ["units", UNITS, !ofSessions],
      ["sessions", SESSIONS, ofSessions],
    ]) {
      byId(id).href = address(changes);
      if (on) byId(id).setAttribute("aria-current", "true");
      else byId(id).removeAttribute("aria-current");
    }
    search.placeholder = ofSessions ? "session, mouse, Cre line" : "unit, variable, words";
    if (document.activeElement !== search) search.value = asked[prefix(asked) + "search"] ?? "";
  }

  async function show() {
    const mine = ++turn,
      asked = state(),
      fit = current();
    if (!fit)
      return main.replaceChildren(
        el("p", { class: "note" }, "There are no dictionaries to look at."),
      );
    head(asked, fit);
    const page = asked.unit ?? asked.session;
    try {
      const [title, draw] = await showing(asked)({ fit, asked });
      if (mine !== turn) return;
      const same = document.title === `${title} · glasscortex`,
        focused = document.activeElement?.id;
      document.title = `${title} · glasscortex`;
      view = draw();
      if (page !== undefined && !same) {
        window.scrollTo(0, 0);
        say(title);
      }
      if (same && focused) byId(focused)?.focus({ preventScroll: true });
    } catch (error) {
      if (mine !== turn) return;
      view = null;
      main.replaceChildren(
        el("p", { class: "note", role: "alert" }, error.message),
        el("p", {}, el("a", { href: address(UNITS) }, "all units")),
      );
    }
    performance.mark("drawn");
    document.documentElement.dataset.ready = location.hash || "#";
  }

  const actions = {
    "/": () => {
      search.focus();
      search.select();
    },
    j: () => view?.step?.(1),
    ArrowRight: () => view?.step?.(1),
    k: () => view?.step?.(-1),
    ArrowLeft: () => view?.step?.(-1),
    u: () => go(UNITS),
    t: () => go(SESSIONS),
    Escape: () => go(view?.table ?? {}),
    c: () => view?.csv(),
    s: () => view?.svg(),
    "?": () => (help.open ? help.close() : help.showModal()),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.target.matches(".scroll") && event.key.startsWith("Arrow")) return;
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });

  help.append(
    el("h2", { id: "help-title" }, "Keys and words"),
    el(
      "dl",
      { class: "keys" },
      KEYS.map(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)]),
    ),
    ["UNITS", "SESSIONS"].map((of) => [
      el("h3", {}, `Columns of the table of ${of.toLowerCase()}`),
      el(
        "dl",
        {},
        glasscortex.columns[of].map((c) => [el("dt", {}, c.title), el("dd", {}, c.about)]),
      ),
    ]),
    el(
      "p",
      {},
      "A number is filtered by >0.1, <0.1 or 0.1..0.5; a text by a part of it. Every number is of the test split unless it says otherwise; what a unit prefers was chosen on validation.",
    ),
    el("form", { method: "dialog" }, el("button", {}, "close")),
  );
  byId("actions").append(
    el(
      "button",
      { type: "button", title: "CSV of what is shown (c)", onclick: () => actions.c() },
      "CSV",
    ),
    el(
      "button",
      { type: "button", title: "SVG of what is shown (s)", onclick: () => actions.s() },
      "SVG",
    ),
    el(
      "button",
      {
        type: "button",
        title: "Keys and words (?)",
        "aria-label": "Help",
        onclick: () => actions["?"](),
      },
      "?",
    ),
  );
  for (const id of ["model", "seed", "sae"])
    byId(id).addEventListener("change", (event) => go({ [id]: event.target.value, unit: "" }));
  byId("fit").addEventListener("submit", (event) => event.preventDefault());
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  search.addEventListener("input", () => {
    go({ [prefix() + "search"]: search.value }, { quiet: true });
    if (view?.update) view.update();
    else go(prefix() ? SESSIONS : UNITS);
  });
  window.addEventListener("hashchange", show);
  show();
})();
