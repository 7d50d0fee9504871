"use strict";
{
  const KEYS = ["path", "label", "module", "stage"];
  const THINGS = KEYS.map((key) => `[data-${key}]`).join();

  // For each article what has a name as its path, block, module or stage: "path layer1.0.conv1" -> elements.
  const index = new Map();
  const namesOf = (thing) =>
    KEYS.flatMap((key) => (thing.dataset[key] ?? "").split(" ").filter(Boolean).map((name) => `${key} ${name}`));
  for (const article of document.querySelectorAll("article")) {
    const named = new Map();
    for (const thing of article.querySelectorAll(THINGS)) {
      for (const name of namesOf(thing)) {
        if (!named.has(name)) named.set(name, []);
        named.get(name).push(thing);
      }
    }
    index.set(article, named);
  }
  // A box's rows; a row's boxes and the other rows of its name.
  const partners = (thing) => {
    const named = index.get(thing.closest("article"));
    const others = namesOf(thing).flatMap((name) => named.get(name));
    return new Set([thing, ...others.filter((other) => thing.matches("tr") || other.matches("tr"))]);
  };

  let marked = new Set();
  const mark = (thing) => {
    const now = thing ? partners(thing) : new Set();
    for (const old of marked) if (!now.has(old)) old.classList.remove("marked");
    for (const one of now) one.classList.add("marked");
    marked = now;
    if (thing) reveal(thing);
  };

  // Scrolls the pane beside to its first mark, and never the page.
  const reveal = (thing) => {
    const pane = thing.closest(".pane");
    for (const other of thing.closest(".level")?.querySelectorAll(".pane") ?? []) {
      const first = other !== pane && other.querySelector(".marked");
      if (!first) continue;
      const [inner, outer] = [first.getBoundingClientRect(), other.getBoundingClientRect()];
      const away = inner.top < outer.top + 40 || inner.bottom > outer.bottom;
      if (away) other.scrollTop += inner.top - outer.top - outer.height / 3;
    }
  };

  const thingAt = (event) => event.target.closest?.(THINGS);
  document.addEventListener("pointerover", (event) => mark(thingAt(event)));
  document.addEventListener("focusin", (event) => mark(thingAt(event)));

  // One tab stop for all boxes of a drawing, and for all rows of a table; arrows go on from there.
  const things = (group) => [...group.querySelectorAll(THINGS)];
  const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  for (const group of document.querySelectorAll("svg.diagram, tbody")) {
    const inside = things(group);
    if (group.matches("svg")) group.setAttribute("role", "group");
    for (const thing of inside) thing.setAttribute("tabindex", thing === inside[0] ? 0 : -1);
    group.addEventListener("keydown", (event) => {
      const [all, step] = [things(group), STEPS[event.key]];
      const at = all.indexOf(document.activeElement);
      if (at < 0 || !step) return;
      event.preventDefault();
      const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
      all[at].setAttribute("tabindex", -1);
      next.setAttribute("tabindex", 0);
      next.focus();
    });
  }

  // A cell's number is in its title where the text is shortened; 64×56×56 counts as its product.
  const value = (row, at) => {
    const cell = row.cells[at];
    const text = cell.title || cell.textContent;
    if (cell.matches("th, .t")) return text || null;
    const numbers = text.replaceAll(",", "").match(/[\d.]+/g);
    return numbers ? numbers.reduce((product, number) => product * number, 1) : null;
  };
  const compare = (a, b) =>
    typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;

  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    if (original.length < 2) continue;
    heads.forEach((head, at) => {
      if (!head.textContent) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.ariaSort = "none";
      button.addEventListener("click", () => {
        const order = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort];
        for (const other of heads) if (other.ariaSort) other.ariaSort = "none";
        head.ariaSort = order;
        const turn = order === "descending" ? -1 : 1;
        const known = original.filter((row) => value(row, at) !== null);
        const sorted = known.sort((a, b) => turn * compare(value(a, at), value(b, at)));
        const empty = original.filter((row) => value(row, at) === null);
        body.append(...(order === "none" ? original : [...sorted, ...empty]));
      });
    });
  }
}
