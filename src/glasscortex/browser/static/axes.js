// Axes of charts as SVG: scales, ticks, labels, colours.
"use strict";
(() => {
  const { svg, number } = glasscortex;
  const INK = "#222222",
    FAINT = "#5f5f5f",
    GRID = "#e3e3e3";
  const COLOURS = {
    trained: "#0072B2",
    start: "#2b7fae",
    untrained: "#8C6D46",
    shuffled: "#b0508a",
    null: "#9A9A9A",
    warm: "#D55E00",
  };

  // An empty drawing, which says in words what it shows.
  function sheet(width, height, about) {
    return svg("svg", {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": about,
      "font-family": "system-ui, sans-serif",
    });
  }

  function ticks(low, high, most = 5) {
    const span = high - low;
    if (!(span > 0)) return [low];
    const raw = span / most,
      power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => span / s <= most);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * span; i++)
      found.push(Number((i * step).toPrecision(10)));
    return found;
  }

  function extent(values, { zero = false, pad = 0.05 } = {}) {
    const known = values.filter((v) => v !== null && v !== undefined && Number.isFinite(v));
    let low = Math.min(...known),
      high = Math.max(...known);
    if (!known.length) return [0, 1];
    if (zero) {
      low = Math.min(0, low);
      high = Math.max(0, high);
    }
    if (low === high) {
      high = low + (Math.abs(low) || 1);
      if (!zero) low -= Math.abs(low) || 1;
    }
    const space = pad * (high - low);
    return [zero && low === 0 ? 0 : low - space, zero && high === 0 ? 0 : high + space];
  }

  const linear =
    ([a, b], [from, to]) =>
    (v) =>
      from + ((v - a) / (b - a)) * (to - from);

  const text = (x, y, words, options = {}) =>
    svg(
      "text",
      {
        x,
        y,
        fill: options.fill ?? INK,
        "font-size": options.size ?? 11,
        "text-anchor": options.anchor ?? "start",
        transform: options.turn && `rotate(${options.turn} ${x} ${y})`,
        "font-weight": options.weight,
      },
      words,
    );

  // Axes with room for what is drawn on them; x and y are extents, or x a list of labels.
  function frame({
    width = 320,
    height = 190,
    x,
    y,
    xlabel = "",
    ylabel = "",
    about,
    left = 46,
    right = 10,
    top = 8,
    every = 1,
  }) {
    const long =
      typeof x[0] === "string" &&
      Math.max(...x.map((name) => name.length)) * 6.5 > (width - left - right) / (x.length / every);
    const bottom = (xlabel ? 36 : 22) + (long ? 36 : 0);
    height += long ? 36 : 0;
    const box = { left, right: width - right, top, bottom: height - bottom };
    const root = sheet(width, height, about);
    const names = Array.isArray(x) && typeof x[0] === "string" ? x : null;
    const sx = names
      ? linear([-0.5, names.length - 0.5], [box.left, box.right])
      : linear(x, [box.left, box.right]);
    const sy = linear(y, [box.bottom, box.top]);
    for (const tick of ticks(...y, 4)) {
      root.append(
        svg("line", { x1: box.left, x2: box.right, y1: sy(tick), y2: sy(tick), stroke: GRID }),
        text(box.left - 5, sy(tick) + 4, number(tick), { anchor: "end", fill: FAINT }),
      );
    }
    const marks = names
      ? names.map((name, i) => [i, name]).filter(([i]) => i % every === 0)
      : ticks(...x, Math.min(5, Math.floor((width - left - right) / 50))).map((tick) => [
          tick,
          number(tick),
        ]);
    for (const [at, name] of marks) {
      root.append(
        svg("line", { x1: sx(at), x2: sx(at), y1: box.bottom, y2: box.bottom + 3, stroke: INK }),
        long
          ? text(sx(at) + 3, box.bottom + 13, name, { anchor: "end", fill: FAINT, turn: -30 })
          : text(sx(at), box.bottom + 14, name, { anchor: "middle", fill: FAINT }),
      );
    }
    root.append(
      svg("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, stroke: INK }),
    );
    if (xlabel)
      root.append(text((box.left + box.right) / 2, height - 4, xlabel, { anchor: "middle" }));
    if (ylabel)
      root.append(text(11, (box.top + box.bottom) / 2, ylabel, { anchor: "middle", turn: -90 }));
    return { root, sx, sy, box };
  }

  Object.assign(glasscortex, {
    charts: { COLOURS, INK, FAINT, GRID, sheet, ticks, extent, linear, text, frame },
  });
})();
