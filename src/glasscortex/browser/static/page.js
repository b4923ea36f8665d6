// The page of one unit or of one session: its head, its facts, and its panels.
"use strict";
(() => {
  const { el, saveCsv, saveSvg } = glasscortex;

  // What a panel shows, with buttons that keep it; `title` and what its drawing returned.
  function section(file, id, title, { rows, body }) {
    const button = (what, keep) =>
      el("button", { type: "button", "aria-label": `${what} of ${title}`, onclick: keep }, what);
    const tools = el("span", { class: "tools" });
    const whole = el(
      "section",
      { id, class: "panel", "aria-labelledby": id + "-title" },
      el("h2", { id: id + "-title" }, title, tools),
      body,
    );
    const drawings = () => [...whole.querySelectorAll("figure > svg")];
    if (rows?.length) {
      tools.append(button("CSV", () => saveCsv(`${file}-${id}`, rows)));
      const keep = () => drawings().forEach((d, i) => saveSvg(`${file}-${id}-${i + 1}`, d));
      if (drawings().length) tools.append(button("SVG", keep));
    }
    return whole;
  }

  const jump = (id) => {
    const whole = document.getElementById(id),
      title = whole.querySelector("h2");
    whole.scrollIntoView();
    title.setAttribute("tabindex", "-1");
    title.focus({ preventScroll: true });
  };

  // `open(name)` is the address of another of the same kind, `order` their names in the table's;
  // `panels` have an id, a title and a short one, and are drawn from what is `given`.
  function draw(main, about, given, go) {
    const { file, name, nouns, title, small, lead, facts, order, open, table } = about;
    const panels = about.panels.map(([id, title, short]) => ({
      ...{ id, title, short },
      shown: glasscortex.panels[id](given, go),
    }));
    const place = order.indexOf(name);
    const at = (by) => order[place < 0 ? 0 : (place + by + order.length) % order.length];
    const step = (by) => {
      if (order.length) go(open(at(by)));
    };
    const beside = (by, title, text) =>
      el("a", { href: order.length ? go.address(open(at(by))) : null, title }, text);
    main.replaceChildren(
      el(
        "div",
        { class: "page" },
        el(
          "div",
          { class: "head" },
          el("div", {}, el("h1", {}, title, el("small", {}, small)), lead),
          el(
            "nav",
            { class: "steps", "aria-label": nouns },
            el("a", { href: go.address(table) }, "table"),
            beside(-1, "previous (k)", "‹ previous"),
            beside(1, "next (j)", "next ›"),
          ),
        ),
        el(
          "dl",
          { class: "facts" },
          facts
            .filter(Boolean)
            .map(([what, value]) =>
              el(
                "div",
                { class: "fact" },
                el("dt", {}, what),
                el("dd", { "data-fact": what }, value),
              ),
            ),
        ),
        el(
          "nav",
          { class: "contents", "aria-label": "Panels" },
          panels.map(({ id, short }) =>
            el("button", { type: "button", onclick: () => jump(id) }, short),
          ),
        ),
        el(
          "div",
          { class: "panels" },
          panels.map(({ id, title, shown }) => section(file, id, title, shown)),
        ),
      ),
    );
    return {
      step,
      table,
      csv: () => saveCsv(file, panels[0].shown.rows),
      svg: () =>
        [...main.querySelectorAll("figure > svg")].forEach((d, i) =>
          saveSvg(`${file}-${i + 1}`, d),
        ),
    };
  }

  Object.assign(glasscortex, { page: { draw } });
})();
