// Data come as scripts, each one call of glasscortex.receive(name, value): what file:// permits.
"use strict";
const glasscortex = (() => {
  const values = new Map(),
    waiting = new Map();
  const MOST = 64; // scripts that are kept, but for those of whole dictionaries

  function receive(name, value) {
    values.set(name, value);
    waiting.get(name)?.resolve(value);
    waiting.delete(name);
  }

  // The value of data/<name>.js; `file` where the script's name differs from the value's.
  function load(name, file = name) {
    if (values.has(name)) return Promise.resolve(values.get(name));
    if (waiting.has(name)) return waiting.get(name).promise;
    const entry = {};
    entry.promise = new Promise((resolve, reject) => {
      entry.resolve = resolve;
      entry.reject = reject;
    });
    waiting.set(name, entry);
    const tag = document.createElement("script");
    tag.src = "data/" + file.split("/").map(encodeURIComponent).join("/") + ".js";
    tag.onload = () => tag.remove();
    tag.onerror = () => {
      tag.remove();
      waiting.delete(name);
      entry.reject(new Error(tag.getAttribute("src") + " is missing: run the workflow again"));
    };
    document.head.append(tag);
    return entry.promise.then((value) => {
      forget();
      return value;
    });
  }

  function forget() {
    const pages = [...values.keys()].filter(
      (name) => name.split("/").length > 3 || name.startsWith("sessions/"),
    );
    for (const name of pages.slice(0, Math.max(0, pages.length - MOST))) values.delete(name);
  }

  // Rows of a table that is stored by columns.
  function rows(table) {
    if (!table) return [];
    const names = Object.keys(table);
    return (table[names[0]] ?? []).map((_, i) =>
      Object.fromEntries(names.map((name) => [name, table[name][i]])),
    );
  }

  const catalogue = () => values.get("catalogue");

  // Who and where was recorded, by session.
  let recorded = null;
  const sessions = () =>
    (recorded ??= new Map(rows(catalogue().sessions).map((row) => [row.session_id, row])));

  return { receive, load, rows, catalogue, sessions };
})();
