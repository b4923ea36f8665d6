// What the address says is shown; keys and choices change the address.
"use strict";
(() => {
  const { el, load, rows, words, say } = glasscortex;
  const byId = (id) => document.getElementById(id);
  const main = byId("main"),
    help = byId("help"),
    search = byId("search");
  const KEYS = [
    ["/", "search"],
    ["j or →", "next unit (in the table's order)"],
    ["k or ←", "previous unit"],
    ["Enter", "open the unit whose link has the focus"],
    ["u or Esc", "back to the table"],
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

  async function show() {
    const mine = ++turn,
      asked = state(),
      fit = current();
    if (!fit)
      return main.replaceChildren(
        el("p", { class: "note" }, "There are no dictionaries to look at."),
      );
    const all = fits();
    choose(
      "model",
      all.map((f) => f.model),
      fit.model,
    );
    choose(
      "seed",
      all.filter((f) => f.model === fit.model).map((f) => f.seed),
      fit.seed,
    );
    choose(
      "sae",
      all.filter((f) => f.model === fit.model && f.seed === fit.seed).map((f) => f.sae),
      fit.sae,
    );
    if (document.activeElement !== search) search.value = asked.search ?? "";
    try {
      const data = await ofFit(fit);
      if (mine !== turn) return;
      if (asked.unit === undefined) {
        document.title = "Units · glasscortex";
        view = glasscortex.overview.draw(main, data, asked, go);
      } else {
        const order = glasscortex.overview.chosen(data, asked).map((row) => row.unit);
        const page = await load(`${place(fit)}/${asked.unit}`);
        const rivals = await Promise.all(
          all
            .filter(
              (f) =>
                f.seed === fit.seed &&
                f.sae === fit.sae &&
                f.model !== fit.model &&
                ["start", "untrained", "trained"].includes(f.model),
            )
            .map((f) => ofFit(f).catch(() => null)),
        );
        const plane = page.map?.session_id?.length
          ? await load("sessions/" + page.map.session_id[0]).catch(() => null)
          : null;
        if (mine !== turn) return;
        document.title = `Unit ${asked.unit} · glasscortex`;
        view = glasscortex.unit.draw(
          main,
          {
            unit: Number(asked.unit),
            about: fit,
            fit: data,
            page,
            rivals: rivals.filter(Boolean),
            order,
            plane,
          },
          go,
        );
        window.scrollTo(0, 0);
        say(`unit ${asked.unit}`);
      }
    } catch (error) {
      if (mine !== turn) return;
      view = null;
      main.replaceChildren(
        el("p", { class: "note", role: "alert" }, error.message),
        el("p", {}, el("a", { href: address({ unit: "" }) }, "all units")),
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
    u: () => go({ unit: "" }),
    Escape: () => go({ unit: "" }),
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
    el("h3", {}, "Columns"),
    el(
      "dl",
      {},
      glasscortex.columns.COLUMNS.map((c) => [el("dt", {}, c.title), el("dd", {}, c.about)]),
    ),
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
  byId("home").addEventListener("click", (event) => {
    event.preventDefault();
    go({ unit: "" });
  });
  search.addEventListener("input", () => {
    go({ search: search.value }, { quiet: true });
    if (state().unit === undefined) view?.update?.();
    else go({ unit: "" });
  });
  window.addEventListener("hashchange", show);
  show();
})();
