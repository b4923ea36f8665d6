// Charts as SVG, so that what is seen can be kept. Every one says in words what it shows.
"use strict";
(() => {
  const { svg, number } = glasscortex;
  const { COLOURS, INK, GRID, FAINT, sheet, ticks, extent, linear, text, frame } =
    glasscortex.charts;
  const BAND = "#dcdcdc";

  const short = (name) => (name.length > 14 ? name.slice(0, 13) + "…" : name);

  const line = (points, attributes) => {
    const known = points.filter(([, b]) => b !== null && Number.isFinite(b));
    return svg("path", {
      d: known.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(2)} ${b.toFixed(2)}`).join(""),
      fill: "none",
      ...attributes,
    });
  };

  const band = (points, attributes) => {
    const up = points.map(([a, , high]) => [a, high]),
      down = points.map(([a, low]) => [a, low]).reverse();
    return svg("path", {
      d:
        [...up, ...down]
          .map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(2)} ${b.toFixed(2)}`)
          .join("") + "Z",
      stroke: "none",
      ...attributes,
    });
  };

  // Mean responses by label with standard errors, over the band of permuted labels.
  function tuning({
    labels,
    mean,
    error,
    low,
    high,
    xlabel,
    ylabel,
    colour = COLOURS.trained,
    width = 320,
    height = 180,
    about,
    joined = true,
  }) {
    const upper = mean.map((m, i) => m + (error?.[i] ?? 0)),
      lower = mean.map((m, i) => m - (error?.[i] ?? 0));
    const { root, sx, sy, box } = frame({
      width,
      height,
      x: labels.map(short),
      y: extent([...upper, ...lower, ...(low ?? []), ...(high ?? [])], { zero: true }),
      xlabel,
      ylabel,
      about,
      every: Math.ceil((labels.length * 34) / (width - 60)),
    });
    const half = Math.min(14, (box.right - box.left) / labels.length / 2);
    labels.forEach((_, i) => {
      if (low?.[i] === null || low?.[i] === undefined) return;
      root.append(
        svg("rect", {
          x: sx(i) - half,
          width: 2 * half,
          y: sy(high[i]),
          height: Math.max(0.5, sy(low[i]) - sy(high[i])),
          fill: BAND,
        }),
      );
    });
    if (joined)
      root.append(
        line(
          mean.map((m, i) => [sx(i), sy(m)]),
          { stroke: colour, "stroke-width": 1, "stroke-opacity": 0.5 },
        ),
      );
    labels.forEach((name, i) => {
      if (error?.[i])
        root.append(
          svg("line", {
            x1: sx(i),
            x2: sx(i),
            y1: sy(lower[i]),
            y2: sy(upper[i]),
            stroke: colour,
            "stroke-width": labels.length > 40 ? 1 : 1.6,
          }),
        );
      root.append(
        svg(
          "circle",
          { cx: sx(i), cy: sy(mean[i]), r: labels.length > 40 ? 1.8 : 3.2, fill: colour },
          svg(
            "title",
            {},
            `${name}: ${number(mean[i])} ± ${number(error?.[i])}, permuted ${number(low?.[i])} to ${number(high?.[i])}`,
          ),
        ),
      );
    });
    return root;
  }

  // Lines over a continuous axis: series of {x, mean, error, colour, name, dash}.
  function lines({
    series,
    xlabel,
    ylabel,
    width = 320,
    height = 180,
    zero = true,
    about,
    points = false,
    start,
  }) {
    const values = series.flatMap((s) =>
      s.mean.flatMap((m, i) => [m + (s.error?.[i] ?? 0), m - (s.error?.[i] ?? 0)]),
    );
    const spread = extent(
      series.flatMap((s) => s.x),
      { pad: 0.02 },
    );
    spread[0] = start ?? spread[0];
    const named = series.filter((s) => s.name),
      legend = 14 * Math.ceil(named.length / 2);
    const { root, sx, sy, box } = frame({
      width,
      height: height + legend,
      top: 8 + legend,
      x: spread,
      y: extent(values, { zero }),
      xlabel,
      ylabel,
      about,
    });
    series.forEach((s) => {
      if (s.error)
        root.append(
          band(
            s.x.map((x, i) => [
              sx(x),
              sy(s.mean[i] - (s.error[i] ?? 0)),
              sy(s.mean[i] + (s.error[i] ?? 0)),
            ]),
            { fill: s.colour, "fill-opacity": 0.18 },
          ),
        );
    });
    series.forEach((s) => {
      root.append(
        line(
          s.x.map((x, i) => [sx(x), sy(s.mean[i])]),
          { stroke: s.colour, "stroke-width": 2, "stroke-dasharray": s.dash },
        ),
      );
      s.x.forEach((x, i) =>
        root.append(
          svg(
            "circle",
            {
              cx: sx(x),
              cy: sy(s.mean[i]),
              r: points || s.x.length === 1 ? 3 : 1.8,
              fill: s.colour,
            },
            svg("title", {}, `${s.name ? s.name + ", " : ""}${number(x)}: ${number(s.mean[i])}`),
          ),
        ),
      );
    });
    named.forEach((s, i) =>
      root.append(
        text(
          box.left + ((i % 2) * (box.right - box.left)) / 2,
          11 + 14 * Math.floor(i / 2),
          s.name,
          { fill: s.colour, weight: 600 },
        ),
      ),
    );
    return root;
  }

  // One dot an observation in each group, with the group's mean where it is given.
  function dots({
    groups,
    ylabel,
    width = 320,
    height = 190,
    about,
    colour = COLOURS.trained,
    xlabel = "",
  }) {
    const { root, sx, sy } = frame({
      width,
      height,
      x: groups.map((g) => short(g.name)),
      y: extent(
        groups.flatMap((g) => g.values.map((v) => v.value)),
        { zero: true },
      ),
      ylabel,
      xlabel,
      about,
    });
    groups.forEach((group, i) => {
      group.values.forEach((v, j) => {
        const offset = 0.5 * (((j + 1) * 0.618034) % 1) - 0.25;
        root.append(
          svg(
            "circle",
            { cx: sx(i + offset), cy: sy(v.value), r: 3, fill: colour, "fill-opacity": 0.65 },
            svg("title", {}, `${v.name}: ${number(v.value)}${v.n ? `, ${v.n} presentations` : ""}`),
          ),
        );
      });
      if (group.mean !== undefined && group.mean !== null)
        root.append(
          svg("line", {
            x1: sx(i - 0.3),
            x2: sx(i + 0.3),
            y1: sy(group.mean),
            y2: sy(group.mean),
            stroke: INK,
            "stroke-width": 2,
          }),
        );
    });
    return root;
  }

  // How many of the first part's values fall into each bin, and over them those of other parts.
  function histogram({ parts, bins, xlabel, ylabel, width = 320, height = 140, about }) {
    const x = extent(parts[0].values, { pad: 0.02 });
    const counted = parts.map(({ values, fill }) => {
      const counts = Array(bins).fill(0);
      for (const v of values)
        counts[Math.min(bins - 1, Math.max(0, Math.floor(((v - x[0]) / (x[1] - x[0])) * bins)))]++;
      return { counts, fill };
    });
    const y = [0, Math.max(1, ...counted[0].counts)];
    const drawn = frame({ width, height, x, y, xlabel, ylabel, about });
    const edge = (i) => drawn.sx(x[0] + (i * (x[1] - x[0])) / bins);
    for (const { counts, fill } of counted)
      counts.forEach((n, i) =>
        drawn.root.append(
          svg("rect", {
            x: edge(i) + 0.5,
            width: Math.max(0.5, edge(i + 1) - edge(i) - 1),
            y: drawn.sy(n),
            height: drawn.sy(0) - drawn.sy(n),
            fill,
          }),
        ),
      );
    return { ...drawn, x };
  }

  // Horizontal bars around zero: rows of {name, value, low, high, mark, title, faint}; a dashed `level`.
  function bars({ rows, xlabel, width = 420, about, left = 130, level = null }) {
    const height = 17 * rows.length + 42;
    const values = [level, ...rows.flatMap((r) => [r.value, r.low, r.high, r.mark])];
    const root = sheet(width, height, about);
    const spread = extent(values, { zero: true }),
      sx = linear(spread, [left, width - 14]),
      base = 17 * rows.length + 4;
    for (const tick of ticks(...spread, 5))
      root.append(
        svg("line", { x1: sx(tick), x2: sx(tick), y1: 2, y2: base, stroke: GRID }),
        text(sx(tick), base + 14, number(tick), { anchor: "middle", fill: FAINT }),
      );
    if (level !== null)
      root.append(
        svg("line", {
          x1: sx(level),
          x2: sx(level),
          y1: 0,
          y2: base,
          stroke: INK,
          "stroke-dasharray": "4 3",
        }),
      );
    rows.forEach((row, i) => {
      const y = 17 * i + 4,
        colour = row.colour ?? (row.value < 0 ? COLOURS.warm : COLOURS.trained);
      root.append(text(left - 6, y + 10, row.name, { anchor: "end" }));
      root.append(
        svg(
          "rect",
          {
            x: Math.min(sx(0), sx(row.value)),
            width: Math.abs(sx(row.value) - sx(0)),
            y,
            height: 12,
            fill: colour,
            "fill-opacity": row.faint ? 0.35 : 0.85,
          },
          svg("title", {}, row.title ?? `${row.name}: ${number(row.value)}`),
        ),
      );
      if (row.low !== undefined && row.low !== null)
        root.append(
          svg("line", {
            x1: sx(row.low),
            x2: sx(row.high),
            y1: y + 6,
            y2: y + 6,
            stroke: INK,
            "stroke-width": 1.4,
          }),
        );
      if (row.mark !== undefined && row.mark !== null)
        root.append(
          svg("line", {
            x1: sx(row.mark),
            x2: sx(row.mark),
            y1: y - 1,
            y2: y + 13,
            stroke: COLOURS.null,
            "stroke-width": 3,
          }),
        );
    });
    root.append(
      svg("line", { x1: sx(0), x2: sx(0), y1: 2, y2: base, stroke: INK }),
      text((left + width) / 2, height - 3, xlabel, { anchor: "middle" }),
    );
    return root;
  }

  function spark({ values, width = 120, height = 26, colour = COLOURS.trained, low, high, about }) {
    const sx = linear([0, Math.max(1, values.length - 1)], [1, width - 1]),
      sy = linear([low, high > low ? high : low + 1], [height - 2, 2]);
    return svg(
      "svg",
      { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": about },
      svg("line", { x1: 0, x2: width, y1: sy(0), y2: sy(0), stroke: GRID }),
      line(
        values.map((v, i) => [sx(i), sy(v)]),
        { stroke: colour, "stroke-width": 1.5 },
      ),
    );
  }

  Object.assign(glasscortex.charts, { tuning, lines, dots, histogram, bars, spark });
})();
