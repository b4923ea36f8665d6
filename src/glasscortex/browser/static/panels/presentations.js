// Presentations: the stimulus, the unit's activation, and the cells behind it.
"use strict";
(() => {
  const { el, rows, number, share, charts } = glasscortex;
  const { grouped, sessionLink } = glasscortex.shared;
  const { COLOURS } = charts;

  function presentations({ page, fit }, go) {
    const list = rows(page.examples),
      traces = grouped(rows(page.traces), (row) => row.trial);
    const most = Math.max(0, ...list.flatMap((row) => row.activation)),
      least = Math.min(0, ...list.flatMap((row) => row.activation));
    const heads = {
      top: "Strongest",
      middle: "Around the median",
      random: "Random (of those on which it is active)",
    };
    const sessions = glasscortex.sessions();
    const card = (row) => {
      const cells = row.kind === "top" ? (traces.get(row.trial) ?? []) : [];
      const high = Math.max(0.1, ...cells.flatMap((c) => c.trace)),
        low = Math.min(0, ...cells.flatMap((c) => c.trace));
      return el(
        "li",
        { class: "card" },
        glasscortex.stimulus.drawn(row),
        charts.spark({
          values: row.activation,
          low: least,
          high: most,
          colour: COLOURS[fit.model],
          about: `activation over the window, mean ${number(row.response)}`,
        }),
        el("b", {}, number(row.response)),
        cells.map((c) =>
          el(
            "div",
            { class: "cell" },
            charts.spark({
              values: c.trace,
              low,
              high,
              height: 20,
              colour: c.attribution < 0 ? COLOURS.warm : "#00704f",
              about: `cell ${c.cell}`,
            }),
            el(
              "span",
              { title: `cell ${c.cell}: adds ${number(c.attribution)}` },
              (c.attribution < 0 ? "−" : "+") + Math.round(100 * Math.abs(c.share)) + " %",
            ),
          ),
        ),
        el(
          "span",
          { class: "where", title: `session ${row.session_id}, presentation ${row.presentation}` },
          `${sessions.get(row.session_id)?.cre_line ?? ""} `,
          sessionLink(go, row.session_id),
        ),
        row.running_speed !== null &&
          el("span", { class: "where" }, `${number(row.running_speed, 2)} cm/s`),
      );
    };
    return {
      rows: list,
      body: [
        Object.entries(heads).map(([kind, name]) => {
          const own = list.filter((row) => row.kind === kind);
          return own.length
            ? [el("h3", {}, name), el("ul", { class: "cards" }, own.map(card))]
            : null;
        }),
        el(
          "p",
          { class: "note" },
          "Blue: the unit's activation over the window, one scale for all; in bold its mean. ",
          page.traces
            ? "Below: what the decoder read of the cells that drive it most in that session (ΔF/F, z-scored, asinh), green where a cell adds to the unit and orange where it takes away, with its share of all that cells do. "
            : "",
          "Gratings are drawn schematically, drifting along the arrow. Test split.",
        ),
      ],
    };
  }

  Object.assign(glasscortex.panels, { presentations });
})();
