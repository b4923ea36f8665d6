// Cells on their field of view: masks where the recording holds them, else squares in a row.
"use strict";
(() => {
  const { svg } = glasscortex;
  const { GRID } = glasscortex.charts;
  const SIZE = 250;

  // `cells` by name: {fill, title} each; a cell of the plane that is not among them is an outline.
  function field({ cells, plane, about, outside, size = SIZE }) {
    const width = plane?.width ?? 1,
      height = plane?.height ?? 1;
    const root = svg(
      "svg",
      {
        width: size,
        height: (size * height) / width,
        viewBox: `0 0 ${width} ${height}`,
        role: "img",
        "aria-label": about,
      },
      svg("rect", { width, height, fill: "#f4f4f4", stroke: GRID }),
    );
    if (plane) {
      plane.cells.forEach((name, i) => {
        const cell = cells.get(name),
          runs = plane.runs[i],
          d = [];
        for (let r = 0; r < runs.length; r += 3)
          d.push(
            `M${runs[r + 1]} ${runs[r]}h${runs[r + 2] - runs[r + 1]}v1h${runs[r + 1] - runs[r + 2]}z`,
          );
        const shade = cell ? cell.shade : { fill: "none", stroke: "#bbb" };
        root.append(
          svg("path", { d: d.join(""), ...shade }, svg("title", {}, cell?.title ?? outside(name))),
        );
      });
      return root;
    }
    const per = Math.ceil(Math.sqrt(cells.size));
    [...cells.values()].forEach((cell, i) =>
      root.append(
        svg(
          "rect",
          {
            x: (i % per) / per,
            y: Math.floor(i / per) / per,
            width: 0.9 / per,
            height: 0.9 / per,
            ...cell.shade,
          },
          svg("title", {}, cell.title),
        ),
      ),
    );
    return root;
  }

  Object.assign(glasscortex.charts, { field });
})();
