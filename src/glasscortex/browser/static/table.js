// A table of units or sessions to sort and filter, and two of its columns as charts to brush.
// Its `about` says what the rows are: their `rows` and `columns`, the column `id` that opens a row by
// `open(row)`, what they are called (`nouns`), what is shown first (`first`: sort, x, y), and the
// `prefix` that its part of the address has.
"use strict";
(() => {
  const { el, svg, words, saveCsv, saveSvg, say, brush } = glasscortex;
  const { known, matcher } = glasscortex.columns;
  const { charts } = glasscortex;
  const { frame, extent, COLOURS } = charts;
  const FIRST = 40,
    BINS = 24,
    WIDTH = 330;

  const range = (text) =>
    (text ?? "").split("..").map((v) => (v === "" || v === undefined ? null : Number(v)));

  // The table's own part of the address, without its prefix and with what is shown first.
  function ownState(about, state) {
    const { prefix, first } = about;
    const own = Object.entries(state)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]);
    return { ...first, ...Object.fromEntries(own) };
  }

  // The rows that the address asks for, in its order.
  function chosen(about, whole) {
    const { columns, id } = about,
      state = ownState(about, whole),
      tests = [];
    const wanted = (state.search ?? "").trim().toLowerCase();
    if (wanted)
      tests.push(
        (row) =>
          String(row[id]) === wanted ||
          columns.some(
            (c) =>
              c.kind === "text" && row[c.name] && words(row[c.name]).toLowerCase().includes(wanted),
          ),
      );
    for (const column of columns) {
      const test = matcher(column, state["f." + column.name] ?? "");
      if (test) tests.push(test);
    }
    for (const axis of ["x", "y"]) {
      const [low, high] = range(state["brush" + axis]),
        name = state[axis];
      const has = (row) => row[name] !== null && row[name] !== undefined;
      if (low !== null && low !== undefined) tests.push((row) => has(row) && row[name] >= low);
      if (high !== null && high !== undefined) tests.push((row) => has(row) && row[name] <= high);
    }
    const kept = about.rows.filter((row) => tests.every((test) => test(row)));
    const down = state.sort.startsWith("-"),
      by = state.sort.replace(/^-/, "");
    const numeric = columns.find((c) => c.name === by)?.kind === "number";
    return kept.sort((a, b) => {
      const [p, q] = [a[by] ?? null, b[by] ?? null];
      if (p === null || q === null) return (p === null) - (q === null);
      const order = numeric ? p - q : String(p).localeCompare(String(q), "en", { numeric: true });
      return down ? -order : order;
    });
  }

  function draw(main, about, whole, address) {
    const { prefix, id, nouns } = about;
    const state = ownState(about, whole);
    const go = (changes, how) =>
      address(
        Object.fromEntries(Object.entries(changes).map(([name, v]) => [prefix + name, v])),
        how,
      );
    const columns = known(about.columns, about.rows),
      shown = columns.filter((c) => !c.hidden),
      all = about.rows;
    let kept = [];
    const body = el("tbody"),
      count = el("p", { class: "count", role: "status" });
    const head = el(
      "tr",
      {},
      shown.map((c) => {
        const sorted = state.sort.replace(/^-/, "") === c.name;
        const down = state.sort.startsWith("-");
        return el(
          "th",
          {
            scope: "col",
            "aria-sort": sorted ? (down ? "descending" : "ascending") : null,
            class: c.kind,
          },
          el(
            "button",
            {
              type: "button",
              title: c.about,
              "data-column": c.name,
              onclick: () =>
                go({
                  sort:
                    sorted && down
                      ? c.name
                      : (sorted || c.kind === "text" ? (sorted ? "-" : "") : "-") + c.name,
                }),
            },
            c.title,
            el("span", { "aria-hidden": "true" }, sorted ? (down ? " ▼" : " ▲") : ""),
          ),
        );
      }),
    );
    const filters = el(
      "tr",
      { class: "filters" },
      shown.map((c) =>
        el(
          "td",
          {},
          el("input", {
            "aria-label": `filter ${c.title}`,
            placeholder: c.kind === "number" ? ">, <, a..b" : "contains",
            value: state["f." + c.name] ?? "",
            "data-filter": c.name,
            oninput: (event) => {
              go({ ["f." + c.name]: event.target.value }, { quiet: true });
              update();
            },
          }),
        ),
      ),
    );
    const table = el(
      "table",
      { class: "listing" },
      el("caption", { class: "sr" }, about.title),
      el("thead", {}, head, filters),
      body,
    );

    let drawing = 0;
    function list() {
      const mine = ++drawing;
      const line = (row) =>
        el(
          "tr",
          {},
          shown.map((c) =>
            el(
              "td",
              { class: c.kind },
              c.name === id
                ? el(
                    "a",
                    { href: address.address(about.open(row)), title: row.description ?? row[id] },
                    String(row[id]),
                  )
                : c.show(row[c.name], row),
            ),
          ),
        );
      body.replaceChildren(...kept.slice(0, FIRST).map(line));
      // The others in one piece, since each makes the browser lay the whole table out; not once another
      // page is shown, which would wait for it.
      const others = () => {
        if (mine === drawing && body.isConnected) body.append(...kept.slice(FIRST).map(line));
      };
      setTimeout(others, 30);
    }

    const side = el("section", { class: "charts", "aria-label": "Two columns as charts" });
    const numbers = columns.filter((c) => c.kind === "number" && c.name !== id);
    const choice = (axis) => {
      const name = state[axis],
        [low, high] = range(state["brush" + axis]);
      const edge = (which, value) =>
        el("input", {
          type: "number",
          step: "any",
          class: "edge",
          "aria-label": `${axis} ${which}`,
          value: value ?? "",
          "data-edge": axis + which,
          onchange: () => {
            const [a, b] = ["from", "to"].map(
              (w) => side.querySelector(`[data-edge="${axis}${w}"]`).value,
            );
            go({ ["brush" + axis]: a === "" && b === "" ? "" : `${a}..${b}` });
          },
        });
      return el(
        "div",
        { class: "axis" },
        el(
          "label",
          {},
          axis + " ",
          el(
            "select",
            {
              "data-axis": axis,
              onchange: (event) => go({ [axis]: event.target.value, ["brush" + axis]: "" }),
            },
            numbers.map((c) => el("option", { value: c.name, selected: c.name === name }, c.title)),
          ),
        ),
        el("span", {}, " from ", edge("from", low), " to ", edge("to", high)),
      );
    };
    const histogram = el("figure"),
      scatter = el("figure");

    function plots() {
      const name = state;
      const title = (axis) =>
        about.columns.find((c) => c.name === name[axis])?.title ?? words(name[axis]);
      const inside = new Set(kept);
      const values = (part) =>
        part.map((row) => row[name.x]).filter((v) => v !== null && v !== undefined);
      const hist = charts.histogram({
        parts: [
          { values: values(all), fill: "#cfcfcf" },
          { values: values(kept), fill: COLOURS.trained },
        ],
        bins: BINS,
        width: WIDTH,
        xlabel: title("x"),
        ylabel: nouns,
        about: `Histogram of ${title("x")} over ${values(all).length} ${nouns}`,
      });
      const x = hist.x,
        y = extent(all.map((row) => row[name.y]));
      const cloud = frame({
        width: WIDTH,
        height: 250,
        x,
        y,
        xlabel: title("x"),
        ylabel: title("y"),
        about: `Scatter of ${title("y")} against ${title("x")}, one dot a ${about.noun}`,
      });
      all.forEach((row, i) => {
        if ([row[name.x], row[name.y]].some((v) => v === null || v === undefined)) return;
        const on = inside.has(row);
        cloud.root.append(
          svg(
            "circle",
            {
              cx: cloud.sx(row[name.x]).toFixed(1),
              cy: cloud.sy(row[name.y]).toFixed(1),
              r: 3,
              fill: on ? COLOURS.trained : "#b5b5b5",
              "fill-opacity": on ? 0.7 : 0.5,
              "data-row": i,
              class: "dot",
            },
            svg("title", {}, `${about.noun} ${row[id]}`),
          ),
        );
      });
      brush(hist, x, null, (bx) => go({ brushx: bx }));
      brush(cloud, x, y, (bx, by) => go({ brushx: bx, brushy: by }));
      cloud.root.addEventListener("click", (event) => {
        const row = all[event.target.dataset?.row];
        if (row) address(about.open(row));
      });
      histogram.replaceChildren(hist.root);
      scatter.replaceChildren(cloud.root);
    }

    function update() {
      kept = chosen(about, address.state());
      Object.assign(state, ownState(about, address.state()));
      count.textContent =
        kept.length === all.length
          ? `${all.length} ${about.called}`
          : `${kept.length} of ${all.length} ${about.called}`;
      list();
      plots();
    }

    const clear = () =>
      go(
        Object.fromEntries(
          Object.keys(state)
            .filter((k) => k.startsWith("f.") || k.startsWith("brush") || k === "search")
            .map((k) => [k, ""]),
        ),
      );
    const narrowed = Object.keys(state).some(
      (k) => (k.startsWith("f.") || k.startsWith("brush") || k === "search") && state[k],
    );
    side.append(
      choice("x"),
      histogram,
      choice("y"),
      scatter,
      el(
        "p",
        { class: "note" },
        `Drag over a chart to keep a range; a dot opens its ${about.noun}.`,
      ),
    );
    main.replaceChildren(
      el("h1", { class: "sr" }, about.title),
      el(
        "div",
        { class: "overview" },
        el(
          "section",
          { class: "list", "aria-label": about.title },
          el(
            "div",
            { class: "bar" },
            count,
            narrowed && el("button", { type: "button", onclick: clear }, "show all"),
          ),
          el(
            "div",
            { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table of ${nouns}` },
            table,
          ),
        ),
        side,
      ),
    );
    update();
    say(count.textContent);
    return {
      update,
      csv: () =>
        saveCsv(
          about.file,
          kept,
          columns.map((c) => c.name),
        ),
      svg: () => {
        saveSvg("histogram", histogram.firstChild);
        saveSvg("scatter", scatter.firstChild);
      },
    };
  }

  Object.assign(glasscortex, { table: { draw, chosen } });
})();
