// Keeping a range of a chart by dragging over it.
"use strict";
(() => {
  const { svg } = glasscortex;
  const { COLOURS, linear } = glasscortex.charts;

  // Dragging a rectangle keeps what lies in it; in a histogram (no y) an interval.
  function brush({ root, box }, x, y, done) {
    const back = linear([box.left, box.right], x),
      up = y && linear([box.bottom, box.top], y);
    let start = null,
      mark = null;
    const at = (event) => {
      const { left, top, width } = root.getBoundingClientRect(),
        zoom = root.viewBox.baseVal.width / width;
      return [
        Math.min(box.right, Math.max(box.left, (event.clientX - left) * zoom)),
        Math.min(box.bottom, Math.max(box.top, (event.clientY - top) * zoom)),
      ];
    };
    root.addEventListener("pointerdown", (event) => {
      if (event.target.dataset?.row) return;
      start = at(event);
      root.setPointerCapture(event.pointerId);
      mark = svg("rect", { fill: COLOURS.trained, "fill-opacity": 0.15, stroke: COLOURS.trained });
      root.append(mark);
    });
    root.addEventListener("pointermove", (event) => {
      if (!start) return;
      const now = at(event),
        sides = [[start[0], now[0]], y ? [start[1], now[1]] : [box.top, box.bottom]].map((pair) =>
          pair.sort((a, b) => a - b),
        );
      for (const [name, value] of Object.entries({
        x: sides[0][0],
        width: sides[0][1] - sides[0][0],
        y: sides[1][0],
        height: sides[1][1] - sides[1][0],
      }))
        mark.setAttribute(name, value);
    });
    root.addEventListener("pointerup", (event) => {
      if (!start) return;
      const now = at(event),
        wide = Math.abs(now[0] - start[0]) > 3,
        from = start;
      start = null;
      mark.remove();
      const text = (a, b) =>
        [a, b]
          .sort((p, q) => p - q)
          .map((v) => Number(v.toPrecision(4)))
          .join("..");
      if (wide) done(text(back(from[0]), back(now[0])), y && text(up(from[1]), up(now[1])));
      else done("", "");
    });
  }

  Object.assign(glasscortex, { brush });
})();
