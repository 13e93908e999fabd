// The map: a squarified treemap (Bruls, Huizing and van Wijk, 2000). What is folded in the tree is one box here, and so
// is a module most of which would be boxes without a name; many children of one module stand together in runs, and so do the smallest.

const MOST_BOXES = 600;
const ROOM = 1000; // square pixels in which a name fits
const MOST_RUNS = 100;
const SMALLEST = 60; // square pixels
const map = document.getElementById("map");
let boxAt = null; // the one box that the Tab key reaches; arrows go on from it

function squarified(items, x, y, width, height) {
  const placed = [];
  const total = items.reduce((sum, item) => sum + item.size, 0);
  if (!total || width < 1 || height < 1) return placed;
  const scale = (width * height) / total;
  const waiting = [...items].sort((one, other) => other.size - one.size);
  while (waiting.length) {
    const side = Math.min(width, height);
    const strip = [waiting.shift()];
    let area = strip[0].size * scale;
    while (waiting.length) {
      const next = waiting[0].size * scale;
      if (worst([...strip, waiting[0]], area + next, side, scale) > worst(strip, area, side, scale)) break;
      strip.push(waiting.shift());
      area += next;
    }
    const depth = area / side;
    let along = 0;
    for (const item of strip) {
      const length = (item.size * scale) / depth;
      if (width >= height) placed.push([item, x, y + along, depth, length]);
      else placed.push([item, x + along, y, length, depth]);
      along += length;
    }
    if (width >= height) [x, width] = [x + depth, width - depth];
    else [y, height] = [y + depth, height - depth];
  }
  return placed;
}

function worst(strip, area, side, scale) {
  const long = Math.max(...strip.map((item) => item.size)) * scale;
  const short = Math.min(...strip.map((item) => item.size)) * scale;
  return Math.max((side * side * long) / (area * area), (area * area) / (side * side * short));
}

// Some children of one module as one node.
function bundle(name, parent, nodes) {
  const made = node(name, parent);
  made.isBundle = true;
  for (const each of nodes) made.children.set(each.name, each);
  count(made);
  return made;
}

function grouped(at, area) {
  let inside = children(at);
  const most = Math.max(4, Math.min(MOST_RUNS, Math.floor(area / (2 * ROOM))));
  if (inside.length > 1.5 * MOST_RUNS) {
    const length = Math.ceil(inside.length / most);
    const runs = [];
    for (let from = 0; from < inside.length; from += length) runs.push(inside.slice(from, from + length));
    inside = runs.map((run) => (run.length > 1 ? bundle(`${run[0].name} … ${run.at(-1).name}`, at, run) : run[0]));
  }
  const isSmall = (child) => (child.size / at.size) * area < SMALLEST;
  const small = inside.filter(isSmall);
  if (small.length < 2 || small.length === inside.length) return inside;
  return [...inside.filter((child) => !isSmall(child)), bundle(`${small.length} smaller`, at, small)];
}

function areNamed(inside, at, area) {
  const named = inside.filter((child) => (child.size / at.size) * area >= ROOM);
  return named.reduce((sum, child) => sum + child.size, 0) >= at.size / 2;
}

function boxes(top, width, height) {
  const done = [];
  const waiting = [[top, 0, 0, width, height]];
  while (waiting.length) {
    const [at, x, y, w, h] = waiting.shift();
    const whole = at.tensor || shown.folded.has(at) || done.length + waiting.length > MOST_BOXES;
    const inside = at !== top && whole ? [] : grouped(at, w * h);
    if (inside.length && (at === top || areNamed(inside, at, w * h))) waiting.push(...squarified(inside, x, y, w, h));
    else done.push([at, x, y, w, h]);
  }
  return done;
}

// The name below the module that is shown, or below the only one in it: "weight" alone would tell nothing.
function nameIn(at) {
  const path = pathTo(at);
  let focus = shown.focus.isBundle ? shown.focus.parent : shown.focus;
  for (let inside = children(focus); inside.length === 1 && inside[0].children.size; inside = children(focus)) [focus] = inside;
  return path.slice(path.indexOf(focus) + 1).map((step) => step.name).join(".") || at.name;
}

function drawMap() {
  const [width, height] = [map.clientWidth || 1, map.clientHeight || 1];
  const drawn = boxes(shown.focus, width, height).filter(([at]) => at.size > 0);
  const hadFocus = map.contains(document.activeElement);
  if (!drawn.some(([at]) => at === boxAt)) boxAt = drawn.length ? drawn[0][0] : null;
  map.replaceChildren(
    ...drawn.map(([at, x, y, w, h]) => {
      const label = `${at.name}: ${at.state}, ${amount(at.values)}`;
      const text = w > 34 && h > 16 ? `${nameIn(at)}${at.tensor ? "" : " …"}` : "";
      const box = element("button", {
        type: "button", class: `box state-${at.state}`, title: label, "aria-label": label,
        "aria-pressed": at.tensor ? String(at.tensor === shown.tensor) : null, tabindex: at === boxAt ? 0 : -1,
        onclick: () => choose((boxAt = at)),
      }, text);
      box.node = at;
      if (!text) box.style.padding = 0; // a box is never wider than its size says
      const share = (part, whole) => `${(100 * part) / whole}%`; // so that the map also fits on paper
      Object.assign(box.style, { left: share(x, width), top: share(y, height), width: share(w, width), height: share(h, height) });
      return box;
    }),
  );
  if (!drawn.length) map.append(element("p", { class: "quiet" }, "Nothing matches the filter."));
  if (hadFocus) map.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  drawPath();
}

function drawPath() {
  const path = pathTo(shown.focus);
  const links = path.flatMap((at, index) => [
    index ? " . " : "",
    at === shown.focus
      ? element("strong", { "aria-current": "true" }, at.name)
      : element("a", { href: "#map-title", onclick: (event) => (event.preventDefault(), show({ focus: at })) }, at.name),
  ]);
  document.getElementById("path").replaceChildren(...links, ` (${amount(shown.focus.values)} shown)`);
}

function choose(at) {
  if (at.tensor && !at.children.size) select(at.tensor);
  else {
    shown.folded.delete(at);
    show({ focus: at });
  }
}

map.addEventListener("keydown", (event) => {
  const all = [...map.querySelectorAll(".box")];
  const index = all.findIndex((box) => box.node === boxAt);
  const next = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const to = all[{ Home: 0, End: all.length - 1 }[event.key] ?? index + next];
  if (to) {
    all[index].tabIndex = -1;
    to.tabIndex = 0;
    boxAt = to.node;
    to.focus();
  } else if (event.key === "Escape" && shown.focus !== root) {
    boxAt = shown.focus;
    show({ focus: shown.focus.parent });
  } else return;
  event.preventDefault();
});

listeners.push(drawMap);
window.addEventListener("resize", drawMap);
