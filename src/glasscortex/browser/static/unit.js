// The page of one unit: its head and its panels.
"use strict";
(() => {
  const { el, words, number, share, rows, saveCsv, saveSvg, panels } = glasscortex;
  const { NAMES } = glasscortex.shared;

  const PANELS = [
    ["verdicts", "What it is selective for", "Selectivity"],
    ["tuning", "Tuning, and the best rivals", "Tuning"],
    ["presentations", "Presentations", "Presentations"],
    ["cells", "Cells that drive it", "Cells"],
    ["background", "Mice and sessions", "Mice"],
    ["behaviour", "Running and pupil", "Behaviour"],
    ["outputs", "What it does to the decoder's outputs", "Outputs"],
    ["ablation", "What is lost without it", "Ablation"],
    ["neighbours", "Neighbours", "Neighbours"],
  ];

  function draw(main, given, go) {
    const { unit, fit, page, order } = given;
    const row = rows(fit.table).find((r) => r.unit === unit) ?? {},
      described = rows(page.description)[0];
    const place = order.indexOf(unit);
    const at = (by) => order[place < 0 ? 0 : (place + by + order.length) % order.length];
    const step = (by) => {
      if (order.length) location.hash = go.address({ unit: at(by) });
    };
    const fact = (name, value) =>
      el("div", { class: "fact" }, el("dt", {}, name), el("dd", { "data-fact": name }, value));
    const name = `unit-${unit}-${fit.model}-seed${fit.seed}-${fit.sae}`;
    const drawings = () => [...main.querySelectorAll("figure > svg")];

    const sections = PANELS.map(([id, title]) => {
      const { rows: list, body } = panels[id](given, go);
      const section = el(
        "section",
        { id, class: "panel", "aria-labelledby": id + "-title" },
        el(
          "h2",
          { id: id + "-title" },
          title,
          list?.length
            ? el(
                "span",
                { class: "tools" },
                el(
                  "button",
                  {
                    type: "button",
                    "aria-label": `CSV of ${title}`,
                    onclick: () => saveCsv(`${name}-${id}`, list),
                  },
                  "CSV",
                ),
                el(
                  "button",
                  {
                    type: "button",
                    "aria-label": `SVG of ${title}`,
                    hidden: true,
                    onclick: () =>
                      [...section.querySelectorAll("figure > svg")].forEach((d, i) =>
                        saveSvg(`${name}-${id}-${i + 1}`, d),
                      ),
                  },
                  "SVG",
                ),
              )
            : null,
        ),
        body,
      );
      if (section.querySelector("figure > svg"))
        section.querySelector(".tools button[hidden]")?.removeAttribute("hidden");
      return section;
    });

    main.replaceChildren(
      el(
        "div",
        { class: "unit" },
        el(
          "div",
          { class: "head" },
          el(
            "div",
            {},
            el(
              "h1",
              {},
              `Unit ${unit}`,
              el(
                "small",
                {},
                ` of ${fit.sae} on ${NAMES[fit.model] ?? fit.model}, seed ${fit.seed}`,
              ),
            ),
            el(
              "p",
              { class: "description" },
              described?.description ?? "",
              described && described.r2 !== null
                ? el(
                    "small",
                    {},
                    ` ${described.r2 > 0 ? "Predicts" : "Predicts nothing:"} ${share(described.r2)} of the variance within stimuli on ${number(described.n)} held-out presentations.`,
                  )
                : null,
            ),
          ),
          el(
            "nav",
            { class: "steps", "aria-label": "Units" },
            el("a", { href: go.address({ unit: "" }) }, "table"),
            el("a", { href: go.address({ unit: at(-1) }), title: "previous (k)" }, "‹ previous"),
            el("a", { href: go.address({ unit: at(1) }), title: "next (j)" }, "next ›"),
          ),
        ),
        el(
          "dl",
          { class: "facts" },
          fact("active on", share(row.rate)),
          fact("share of L0", share(row.l0_share)),
          fact("mean response", number(row.mean)),
          fact(
            "significant for",
            `${number(row.n_significant)} variable${row.n_significant === 1 ? "" : "s"}`,
          ),
          fact("purity", number(row.purity)),
          row.stability === undefined ? null : fact("stability", number(row.stability)),
          row.output
            ? fact("most effect on", `${words(row.output)} (${number(row.output_effect)} SD)`)
            : null,
        ),
        el(
          "nav",
          { class: "contents", "aria-label": "Panels" },
          PANELS.map(([id, , short]) =>
            el(
              "button",
              {
                type: "button",
                onclick: () => {
                  const s = document.getElementById(id);
                  s.scrollIntoView();
                  s.querySelector("h2").setAttribute("tabindex", "-1");
                  s.querySelector("h2").focus({ preventScroll: true });
                },
              },
              short,
            ),
          ),
        ),
        el("div", { class: "panels" }, sections),
      ),
    );
    return {
      step,
      csv: () => saveCsv(name, rows(page.selectivity)),
      svg: () => drawings().forEach((drawing, i) => saveSvg(`${name}-${i + 1}`, drawing)),
    };
  }

  Object.assign(glasscortex, { unit: { draw } });
})();
