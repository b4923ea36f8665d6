// Elements, numbers and files. Text from data only ever becomes a text node.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    for (const child of children.flat(Infinity)) {
      if (child !== null && child !== undefined && child !== false)
        node.append(child instanceof Node ? child : String(child));
    }
    return node;
  }

  const el = (tag, attributes, ...children) =>
    fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);

  // Names as readers write them.
  const WORDS = { depth_um: "depth", cre_line: "Cre line" };
  const words = (name) => WORDS[name] ?? String(name ?? "").replaceAll("_", " ");

  // A number as a reader wants it: three significant digits, a real minus sign.
  function number(value, digits = 3) {
    if (value === null || value === undefined || value === "") return "–";
    if (typeof value !== "number") return String(value);
    if (value === 0 || (Number.isInteger(value) && Math.abs(value) < 1e9))
      return value.toLocaleString("en").replace("-", "−");
    const size = Math.abs(value);
    const text =
      size < 1e-4 || size >= 1e6
        ? value.toExponential(1)
        : String(Number(value.toPrecision(digits)));
    return text.replaceAll("-", "−");
  }

  const share = (value) =>
    value === null || value === undefined ? "–" : number(100 * value) + " %";

  // "spearman" and "eta2" as they are written.
  const sign = (index) => ({ eta2: "η²", spearman: "|ρ|" })[index] ?? index;

  // A label of a variable with its unit, and what a correlation prefers.
  function label(variable, value) {
    if (value === null || value === undefined) return "–";
    const about = glasscortex.catalogue().variables[variable] ?? { unit: "" };
    if (value === "increasing" || value === "decreasing") return value;
    if (about.categories?.length && typeof value === "number") return about.categories[value];
    const unit = variable === "movie_frame" ? "" : about.unit;
    const written = about.kind === "continuous" ? number(Number(value)) : String(value);
    const text = Number.isNaN(Number(value)) ? String(value) : written.replace("-", "−");
    return unit && text !== "" && !Number.isNaN(Number(value))
      ? text + (unit === "°" ? "" : " ") + unit
      : text;
  }

  function save(name, text, type) {
    const address = URL.createObjectURL(new Blob([text], { type }));
    const link = el("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  const csv = (rows, names) => {
    const cell = (value) => {
      // a text that a spreadsheet would take for a formula is quoted as text
      const text =
        value === null || value === undefined
          ? ""
          : Array.isArray(value)
            ? value.join(" ")
            : String(value);
      const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
      return /[",\n\r]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
    };
    return (
      [names, ...rows.map((row) => names.map((name) => row[name]))]
        .map((row) => row.map(cell).join(","))
        .join("\n") + "\n"
    );
  };

  const saveCsv = (name, rows, names = Object.keys(rows[0] ?? {})) =>
    save(name + ".csv", csv(rows, names), "text/csv");

  function saveSvg(name, drawing) {
    const copy = drawing.cloneNode(true);
    copy.setAttribute("xmlns", SVG);
    copy.prepend(svg("rect", { width: "100%", height: "100%", fill: "#fff" }));
    save(name + ".svg", new XMLSerializer().serializeToString(copy), "image/svg+xml");
  }

  const say = (text) => {
    document.getElementById("status").textContent = text;
  };

  Object.assign(glasscortex, {
    el,
    svg,
    words,
    number,
    share,
    sign,
    label,
    csv,
    saveCsv,
    saveSvg,
    say,
  });
})();
