// The stimulus of a presentation, drawn from its labels: gratings as gratings, the rest from sprites or by name.
"use strict";
(() => {
  const { svg, el, label, words } = glasscortex;
  const SIZE = 56,
    DEGREES = 60; // pixels of a drawing, and degrees of the visual field it stands for

  // Stripes drift along their direction; stripes of an orientation lie along it.
  function grating({ direction, orientation, spatial_frequency, phase }) {
    const cycles = (spatial_frequency ?? 0.04) * DEGREES;
    const turn = direction !== null && direction !== undefined ? direction : (orientation ?? 0);
    const moves = direction !== null && direction !== undefined;
    const period = SIZE / cycles,
      shift = (phase ?? 0) * period,
      stripes = [];
    for (let at = -SIZE; at < 2 * SIZE; at += period)
      stripes.push(
        svg("rect", { x: at + shift, y: -SIZE, width: period / 2, height: 3 * SIZE, fill: "#333" }),
      );
    const c = SIZE / 2,
      id = "clip" + grating.count++;
    const arrow =
      moves &&
      svg("path", {
        d: `M${c - 16} ${c}H${c + 10}M${c + 4} ${c - 6}L${c + 13} ${c}L${c + 4} ${c + 6}`,
        stroke: "#D55E00",
        "stroke-width": 3.5,
        fill: "none",
        transform: `rotate(${-turn} ${c} ${c})`,
      });
    return svg(
      "svg",
      { width: SIZE, height: SIZE, viewBox: `0 0 ${SIZE} ${SIZE}`, "aria-hidden": "true" },
      svg("clipPath", { id }, svg("circle", { cx: c, cy: c, r: c })),
      svg(
        "g",
        { "clip-path": `url(#${id})` },
        svg("rect", { width: SIZE, height: SIZE, fill: "#ddd" }),
        svg("g", { transform: `rotate(${-turn} ${c} ${c})` }, stripes),
      ),
      arrow,
    );
  }
  grating.count = 0;

  // A picture of a sprite sheet: pictures side by side, `columns` in a row.
  function picture(sheet, place) {
    const { file, width, height, columns, number } = sheet;
    if (!(place >= 0 && place < number)) return null;
    const view = `${(place % columns) * width} ${Math.floor(place / columns) * height} ${width} ${height}`;
    return svg(
      "svg",
      { width: (SIZE * width) / height, height: SIZE, viewBox: view, "aria-hidden": "true" },
      svg("image", {
        href: "data/" + file,
        width: width * columns,
        height: height * Math.ceil(number / columns),
      }),
    );
  }

  // What of a presentation's variables is told: those of a stimulus, and what its table alone tells.
  function told() {
    const { variables, tasks } = glasscortex.catalogue();
    const shown = new Set(
      Object.values(tasks)
        .filter((task) => task.stimulus)
        .map((task) => task.variable),
    );
    return Object.keys(variables).filter((name) => shown.has(name));
  }

  // Its drawing, and its labels in words.
  function drawn(example) {
    const known = told().filter((name) => example[name] !== null && example[name] !== undefined);
    const blank = !known.length;
    const sheet = glasscortex.catalogue().sprites?.[example.stimulus];
    const place = example.scene ?? example.movie_frame;
    let drawing = null;
    if (example.stimulus.endsWith("gratings") && !blank) drawing = grating(example);
    else if (sheet && place !== null && place !== undefined) drawing = picture(sheet, place);
    const shown = known.filter((name) => !(name === "orientation" && known.includes("direction")));
    const said = shown
      .map(
        (name) =>
          (["direction", "orientation"].includes(name)
            ? ""
            : words(name).replace(" frequency", " freq.") + " ") + label(name, example[name]),
      )
      .join(", ");
    return el(
      "div",
      { class: "stimulus" },
      drawing ?? el("div", { class: "none" }, blank ? "blank" : ""),
      el("span", {}, said || words(example.stimulus)),
    );
  }

  Object.assign(glasscortex, { stimulus: { drawn, grating } });
})();
