// The panels of a unit's page, each from its own rows of the tables. A panel says why it is empty.
"use strict";
(() => {
  const { el, svg, rows, words, number, share, sign, label, charts } = glasscortex;
  const { COLOURS, FAINT, GRID } = charts;
  const NAMES = { trained: "trained", start: "its start", untrained: "untrained", shuffled: "shuffled labels" };
  const NOT_MEASURED = "Measured for the trained decoder only.";

  const key = (row) => `${row.variable}|${row.stimulus}`;
  const titled = (row) => words(row.variable) + (row.stimulus === "all" ? "" : ", " + words(row.stimulus));
  const axis = (variable) => {
    const unit = glasscortex.catalogue().variables[variable]?.unit;
    return words(variable) + (unit ? ` (${unit})` : "");
  };
  const grouped = (list, by) => Map.groupBy ? Map.groupBy(list, by) : list.reduce((m, row) => m.set(by(row), [...(m.get(by(row)) ?? []), row]), new Map());
  const column = (list, name) => list.map((row) => row[name]);
  const figure = (drawing, caption) => el("figure", {}, drawing, caption && el("figcaption", {}, caption));
  const none = (why) => el("p", { class: "note" }, why);

  // The effect as a dot, over what 95 % of its null stay below; a logarithmic scale up to 1.
  const LEAST = 1e-4;
  function effectBar(row) {
    const width = 150, x = (v) => (Math.log10(Math.min(1, Math.max(LEAST, v ?? 0)) / LEAST) / -Math.log10(LEAST)) * (width - 10) + 5;
    return svg("svg", { width, height: 14, viewBox: `0 0 ${width} 14`, role: "img", "aria-label": `effect ${number(row.effect)}, 95 % of the null below ${number(row.null_high)}` },
      [LEAST, 0.001, 0.01, 0.1, 1].map((v) => svg("line", { x1: x(v), x2: x(v), y1: 0, y2: 14, stroke: GRID })),
      svg("rect", { x: x(0), y: 3, width: x(row.null_high) - x(0), height: 8, fill: "#bdbdbd" }),
      svg("circle", { cx: x(row.effect), cy: 7, r: 4, fill: row.significant ? COLOURS.trained : "#fff", stroke: row.significant ? COLOURS.trained : "#555" }));
  }

  function verdicts(page) {
    const list = rows(page.selectivity);
    const heads = ["variable", "effect", "10⁻⁴ … null … 1", "p", "q", "n", "preferred", "AUROC", "purity", "verdict"];
    const sorted = [...list].sort((a, b) => b.significant - a.significant || (b.effect ?? 0) - (a.effect ?? 0));
    return { rows: list, body: [el("div", { class: "wide" }, el("table", { class: "plain" }, el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, sorted.map((row) => el("tr", { "data-key": key(row) },
        el("th", { scope: "row" }, titled(row)), el("td", { "data-name": "effect" }, `${number(row.effect)} ${sign(row.index)}`), el("td", {}, effectBar(row)),
        el("td", { "data-name": "p" }, number(row.p)), el("td", { "data-name": "q" }, number(row.q)),
        el("td", {}, `${number(row.n)} ${row.replicate === "mouse" ? "mice" : row.replicate + "s"}`), el("td", {}, label(row.variable, row.preferred)),
        el("td", {}, number(row.auroc)), el("td", {}, number(row.purity)),
        el("td", { class: row.significant && row.selected ? "yes" : row.significant ? "" : "no" }, row.verdict)))))),
      el("p", { class: "note" }, "Dot: the effect on test, on a logarithmic scale from 10⁻⁴ to 1 (filled where significant); grey: what 95 % of permutations stay below. Selective: selected on validation, significant on test.")] };
  }

  // A row of charts for each variable: this unit, the best units of rivals, and when in the window.
  function tuning({ page, fit, rivals }) {
    const found = new Map(rows(page.selectivity).map((row) => [key(row), row]));
    const curves = grouped(rows(page.tuning), key), courses = grouped(rows(page.courses), key);
    const shown = (name) => glasscortex.catalogue().variables[found.get(name).variable].level === "stimulus";
    const order = [...curves.keys()].sort((a, b) => shown(b) - shown(a) || found.get(b).significant - found.get(a).significant || found.get(b).effect - found.get(a).effect);
    const bestOf = rivals.map((rival) => [rival, grouped(rows(rival.best), key)]);
    const chart = (list, colour, ylabel) => charts.tuning({
      labels: list.map((row) => String(row.label)), mean: column(list, "mean"), error: column(list, "error"), low: column(list, "low"), high: column(list, "high"),
      xlabel: axis(list[0].variable), ylabel, colour, width: 290, joined: list.length <= 40 && glasscortex.catalogue().variables[list[0].variable]?.kind !== "categorical", about: `mean response by ${words(list[0].variable)}` });
    const block = (name) => {
      const row = found.get(name), list = curves.get(name);
      const parts = [figure(chart(list, COLOURS[fit.model], "response"), "this unit")];
      for (const [rival, best] of bestOf) {
        const other = best.get(name);
        if (other) parts.push(figure(chart(other, COLOURS[rival.model], ""), [`best unit of ${NAMES[rival.model]}: `, el("b", {}, String(other[0].unit)), `, ${number(other[0].effect)} ${sign(row.index)}${other[0].significant ? "" : " (n.s.)"}`]));
      }
      const course = courses.get(name);
      if (course && course.some((r) => r.step > 0)) parts.push(figure(timecourse(course, fit), "in the window, mean ± s.e."));
      return el("div", { class: "variable", "data-key": name }, el("h3", {}, titled(row), el("small", {}, ` ${number(row.effect)} ${sign(row.index)}, q ${number(row.q)}`)), el("div", { class: "figures" }, parts));
    };
    const strong = order.filter((name) => found.get(name).significant), weak = order.filter((name) => !found.get(name).significant);
    return { rows: rows(page.tuning), body: [order.length ? null : none("No variable of a stimulus was tested on it."), strong.map(block),
      weak.length ? el("details", { open: !strong.length }, el("summary", {}, `${weak.length} without a significant effect: ${weak.map((n) => titled(found.get(n))).join("; ")}`), weak.map(block)) : null,
      el("p", { class: "note" }, "Points: mean response ± standard error on test; grey: middle 95 % of means when labels are permuted within session and block. Scales differ between units. Rivals: the unit of another decoder's dictionary that validation says is best for this variable.")] };
  }

  function timecourse(list, fit) {
    const series = [true, false].map((preferred) => {
      const own = list.filter((row) => row.preferred === preferred).sort((a, b) => a.step - b.step);
      return { x: own.map((row) => (row.step + 0.5) * fit.step_s), mean: column(own, "mean").map((v) => v ?? 0), error: column(own, "error"), colour: preferred ? COLOURS.trained : FAINT, name: preferred ? "preferred label" : "other labels", dash: preferred ? null : "5 3" };
    });
    return charts.lines({ series, xlabel: "seconds from onset", start: 0, ylabel: "activation", width: 290, about: "activation over the window on the preferred label and on others" });
  }

  function presentations({ page, fit }) {
    const list = rows(page.examples), traces = grouped(rows(page.traces), (row) => row.trial);
    const most = Math.max(0, ...list.flatMap((row) => row.activation)), least = Math.min(0, ...list.flatMap((row) => row.activation));
    const heads = { top: "Strongest", middle: "Around the median", random: "Random (of those on which it is active)" };
    const sessions = new Map(rows(glasscortex.catalogue().sessions).map((row) => [row.session_id, row]));
    const card = (row) => {
      const cells = row.kind === "top" ? (traces.get(row.trial) ?? []) : [];
      const high = Math.max(0.1, ...cells.flatMap((c) => c.trace)), low = Math.min(0, ...cells.flatMap((c) => c.trace));
      return el("li", { class: "card" }, glasscortex.stimulus.drawn(row),
        charts.spark({ values: row.activation, low: least, high: most, colour: COLOURS[fit.model], about: `activation over the window, mean ${number(row.response)}` }),
        el("b", {}, number(row.response)),
        cells.map((c) => el("div", { class: "cell" }, charts.spark({ values: c.trace, low, high, height: 20, colour: c.attribution < 0 ? COLOURS.warm : "#00704f", about: `cell ${c.cell}` }), el("span", { title: `cell ${c.cell}: adds ${number(c.attribution)}` }, (c.attribution < 0 ? "−" : "+") + Math.round(100 * Math.abs(c.share)) + " %"))),
        el("span", { class: "where", title: `session ${row.session_id}, presentation ${row.presentation}` }, `${sessions.get(row.session_id)?.cre_line ?? ""} ${row.session_id}`),
        row.running_speed !== null && el("span", { class: "where" }, `${number(row.running_speed, 2)} cm/s`));
    };
    return { rows: list, body: [Object.entries(heads).map(([kind, name]) => {
      const own = list.filter((row) => row.kind === kind);
      return own.length ? [el("h3", {}, name), el("ul", { class: "cards" }, own.map(card))] : null;
    }), el("p", { class: "note" }, "Blue: the unit's activation over the window, one scale for all; in bold its mean. ", page.traces ? "Below: what the decoder read of the cells that drive it most in that session (ΔF/F, z-scored, asinh), green where a cell adds to the unit and orange where it takes away, with its share of all that cells do. " : "", "Gratings are drawn schematically, drifting along the arrow. Test split.")] };
  }

  function cells({ page, plane }) {
    const list = rows(page.cells);
    if (!page.cells) return { body: [none(NOT_MEASURED)] };
    if (!list.length) return { body: [none("It was active on none of the presentations that were traced back to cells.")] };
    const map = rows(page.map), times = grouped(rows(page.times), (row) => row.stimulus);
    const palette = [COLOURS.trained, "#00704f", COLOURS.warm, "#8C6D46", "#b0508a", "#555"];
    return { rows: list, body: [el("div", { class: "figures" },
      figure(field(map, plane), [`field of view of session ${map[0].session_id}, the one that drives it most (${words(map[0].stimulus)})`, plane ? null : ": its masks are not in the data"]),
      el("div", { class: "wide tall", tabindex: "0", role: "region", "aria-label": "Cells that drive the unit" }, el("table", { class: "plain" }, el("caption", {}, "cells of all sessions that drive it most"), el("thead", {}, el("tr", {}, ["cell", "session", "stimulus", "attribution", "share"].map((h) => el("th", { scope: "col" }, h)))),
        el("tbody", {}, list.map((row) => el("tr", {}, el("td", {}, row.cell.split("/").pop()), el("td", { title: row.session_id }, row.session_id), el("td", {}, words(row.stimulus)), el("td", { class: "number" }, number(row.attribution)), el("td", { class: "number" }, share(row.share))))))),
      figure(charts.lines({ series: [...times].map(([stimulus, own], i) => ({ x: column(own, "time_s"), mean: column(own, "attribution"), colour: palette[i % palette.length], name: words(stimulus) })), xlabel: "seconds from onset", start: 0, ylabel: "attribution", width: 290, about: "attribution of all cells over the window" }), "when in the window cells drive it, mean over sessions")),
      el("p", { class: "note" }, "Attribution: what a cell adds to the unit's response on its strongest presentations (integrated gradients from silence). Share: of the absolute attributions of all cells in that session.")] };
  }

  function field(map, plane) {
    const SIZE = 250, most = Math.max(1e-9, ...map.map((row) => Math.abs(row.attribution)));
    const shade = (value) => ({ fill: value < 0 ? COLOURS.warm : "#00704f", "fill-opacity": 0.12 + 0.88 * (Math.abs(value) / most) });
    const width = plane?.width ?? 1, height = plane?.height ?? 1;
    const root = svg("svg", { width: SIZE, height: (SIZE * height) / width, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "cells of the field of view, shaded by what they add to the unit" }, svg("rect", { width, height, fill: "#f4f4f4", stroke: GRID }));
    if (plane) {
      const value = new Map(map.map((row) => [row.cell, row]));
      plane.cells.forEach((cell, i) => {
        const row = value.get(cell);
        const runs = plane.runs[i], d = [];
        for (let r = 0; r < runs.length; r += 3) d.push(`M${runs[r + 1]} ${runs[r]}h${runs[r + 2] - runs[r + 1]}v1h${runs[r + 1] - runs[r + 2]}z`);
        root.append(svg("path", { d: d.join(""), ...(row ? shade(row.attribution) : { fill: "none", stroke: "#bbb" }) }, svg("title", {}, `${cell}: ${row ? number(row.attribution) : "not used"}`)));
      });
    } else {
      const per = Math.ceil(Math.sqrt(map.length));
      [...map].sort((a, b) => b.attribution - a.attribution).forEach((row, i) => root.append(svg("rect", { x: (i % per) / per, y: Math.floor(i / per) / per, width: 0.9 / per, height: 0.9 / per, ...shade(row.attribution) }, svg("title", {}, `${row.cell}: ${number(row.attribution)}`))));
    }
    return root;
  }

  function background({ page, fit }) {
    const about = new Map(rows(glasscortex.catalogue().sessions).map((row) => [row.session_id, row]));
    const sessions = fit.session_id.name.map((name, i) => ({ name: `session ${name}`, value: page.session_id[i], n: fit.session_id.n[i], ...about.get(name) }));
    const line = new Map([...about.values()].map((row) => [row.mouse, row.cre_line]));
    const mice = fit.mouse.name.map((name, i) => ({ name: `mouse ${name}`, value: page.mouse[i], n: fit.mouse.n[i], cre_line: line.get(name) }));
    const found = new Map(rows(page.selectivity).map((row) => [row.variable, row]));
    const by = (values, name) => [...grouped(values.filter((v) => v.value !== null), (v) => String(v[name] ?? "unknown"))].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true })).map(([group, own]) => ({ name: group, values: own }));
    const parts = [["cre_line", mice, "mice"], ["area", sessions, "sessions"], ["depth_um", sessions, "sessions"]].map(([name, values, what]) => {
      const groups = by(values, name), row = found.get(name);
      if (groups.length < 2) return null;
      return figure(charts.dots({ groups, ylabel: "mean response", width: 290, xlabel: axis(name), about: `mean response by ${words(name)}, a dot a ${what === "mice" ? "mouse" : "session"}` }), [`dots: ${what}`, row ? `; ${number(row.effect)} ${sign(row.index)}, p ${number(row.p)}, q ${number(row.q)} over ${row.n} mice` : ""]);
    });
    return { rows: sessions.map(({ name, ...rest }) => rest), body: [el("div", { class: "figures" }, parts), parts.some(Boolean) ? null : none("All sessions are of one Cre line, area and depth."), el("p", { class: "note" }, `Mean response on the test presentations of ${words(fit.background)}, which most mice were shown.`)] };
  }

  function behaviour({ page }) {
    const list = grouped(rows(page.behaviour), (row) => row.variable), found = new Map(rows(page.selectivity).map((row) => [row.variable, row]));
    const parts = [...list].map(([name, own]) => {
      const row = found.get(name);
      return figure(charts.lines({ series: [{ x: column(own, "value"), mean: column(own, "mean"), error: column(own, "error"), colour: COLOURS.trained }], points: true, xlabel: name === "pupil" ? "pupil (as recorded)" : axis(name), ylabel: "mean response", width: 290, about: `mean response by ${words(name)}` }), row ? `${number(row.effect)} ${sign(row.index)}, q ${number(row.q)} over ${row.n} ${row.replicate}s` : "");
    });
    return { rows: rows(page.behaviour), body: [parts.length ? el("div", { class: "figures" }, parts) : none("Neither running nor pupil was measured."), parts.length ? el("p", { class: "note" }, "Eight bins of equally many test presentations of all stimuli and sessions, mean ± s.e. of presentations; the test beside it is against other sessions' traces.") : null] };
  }

  function outputs({ page }) {
    if (!page.reuse) return { body: [none(NOT_MEASURED)] };
    const sizes = rows(page.reuse).sort((a, b) => b.size - a.size), effects = grouped(rows(page.effects), (row) => row.task);
    const variable = (task) => glasscortex.catalogue().tasks[task]?.variable ?? task;
    const strongest = effects.get(sizes[0]?.task) ?? [];
    const most = [...strongest].sort((a, b) => Math.abs(b.direct) - Math.abs(a.direct)).slice(0, 12).sort((a, b) => (a.label ?? 0) - (b.label ?? 0));
    return { rows: rows(page.effects), body: [el("div", { class: "figures" },
      figure(charts.bars({ rows: sizes.map((row) => ({ name: words(row.task), value: row.size })), xlabel: "effect (SD of the outputs)", width: 300, left: 122, about: "size of the unit's effect on each task" }), `serves ${number(sizes[0]?.tasks)} of ${sizes.length} tasks (participation ratio)`),
      figure(charts.bars({ rows: most.map((row) => ({ name: row.label === null ? "value" : label(variable(row.task), number(row.label)), value: row.direct, title: `attribution ${number(row.attribution)}` })), xlabel: `direct effect on ${words(sizes[0]?.task)}`, width: 280, left: 66, about: "direct effect on each output" }), strongest.length > most.length ? `its ${most.length} largest of ${strongest.length} outputs` : "change of each output when the activation rises by one"))] };
  }

  function ablation({ page, fit }) {
    if (!fit.ablation) return { body: [none(NOT_MEASURED)] };
    const sets = rows(page.removed), all = rows(fit.ablation);
    if (!sets.length) return { body: [none("No set of units that was removed holds it: it is none of the most selective units of a task's variable.")] };
    return { rows: all.filter((row) => sets.some((s) => s.task === row.variable)), body: [sets.map((set) => {
      const own = all.filter((row) => row.variable === set.task), method = own[0]?.method;
      const whole = own.filter((row) => row.method === method && row.n_units === set.n_units);
      const doses = own.filter((row) => row.method === method && row.task === set.task).sort((a, b) => a.n_units - b.n_units);
      return [el("h3", {}, `${words(set.task)}: number ${set.rank} of ${set.n_units} units removed together`), el("div", { class: "figures" },
        figure(charts.bars({ rows: whole.map((row) => ({ name: words(row.task), value: row.delta, low: row.ci_low, high: row.ci_high, mark: row.matched, title: `${words(row.task)}: ${number(row.delta)} [${number(row.ci_low)}, ${number(row.ci_high)}], matched ${number(row.matched)}, p ${number(row.p)}` })), xlabel: "score lost", width: 300, left: 122, about: `score lost by each task without the units of ${words(set.task)}` }), `${method} ablation of the whole set, 95 % interval over mice; grey mark: mean of matched random sets`),
        doses.length > 1 ? figure(charts.lines({ series: [
          { x: column(doses, "n_units"), mean: column(doses, "delta"), colour: COLOURS.trained, name: "selective units" },
          { x: column(doses, "n_units"), mean: column(doses, "matched"), colour: FAINT, name: "matched random", dash: "5 3" }], points: true, xlabel: "units removed", ylabel: `${words(set.task)} lost`, width: 280, about: "score lost against the number of units removed" }), "dose curve") : null)];
    })] };
  }

  function neighbours({ page, about }, go) {
    const list = grouped(rows(page.neighbours), (row) => row.kind), others = rows(page.consensus);
    const link = (unit, changes = {}) => el("a", { href: go.address({ unit, ...changes }) }, String(unit));
    const names = { cosine: ["closest atoms", "cosine"], coactivation: ["most alike responses", "correlation"] };
    const table = (title, heads, body) => el("table", { class: "plain" }, el("caption", {}, title), el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))), el("tbody", {}, body));
    return { rows: rows(page.neighbours), body: [el("div", { class: "figures" },
      Object.entries(names).map(([kind, [title, what]]) => table(title, ["unit", what], (list.get(kind) ?? []).map((row) => el("tr", {}, el("td", {}, link(row.neighbour)), el("td", { class: "number" }, number(row.value)))))),
      page.consensus ? table(`the same unit in other seeds${others[0]?.consensus ? " (consensus)" : ""}`, ["seed", "unit", "correlation"], others.map((row) => el("tr", {}, el("td", {}, String(row.other_seed)), el("td", {}, row.other_unit === null ? "none" : link(row.other_unit, { seed: row.other_seed })), el("td", { class: "number" }, number(row.correlation))))) : none("With several seeds, its matches in the others stand here."))] };
  }

  Object.assign(glasscortex, { panels: { verdicts, tuning, presentations, cells, background, behaviour, outputs, ablation, neighbours, NAMES, share } });
})();
