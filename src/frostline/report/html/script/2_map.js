// The map: a squarified treemap (Bruls, Huizing and van Wijk, 2000). What is folded in the tree is one box here.

const MOST_BOXES = 600;
const SMALLEST_SPLIT = 2400; // square pixels under which a module stays one box
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

function boxes(top, width, height) {
  const done = [];
  const waiting = [[top, 0, 0, width, height]];
  while (waiting.length) {
    const [at, x, y, w, h] = waiting.shift();
    const inside = children(at);
    const whole = at.tensor || shown.folded.has(at) || w * h < SMALLEST_SPLIT || done.length + waiting.length > MOST_BOXES;
    if (at !== top && whole) done.push([at, x, y, w, h]);
    else if (inside.length) waiting.push(...squarified(inside, x, y, w, h));
    else done.push([at, x, y, w, h]);
  }
  return done;
}

// The name below the module that is shown: "weight" alone would tell nothing.
function nameIn(at) {
  const path = pathTo(at);
  return path.slice(path.indexOf(shown.focus) + 1).map((step) => step.name).join(".") || at.name;
}

function drawMap() {
  const drawn = boxes(shown.focus, map.clientWidth, map.clientHeight).filter(([at]) => at.size > 0);
  const hadFocus = map.contains(document.activeElement);
  if (!drawn.some(([at]) => at === boxAt)) boxAt = drawn.length ? drawn[0][0] : null;
  map.replaceChildren(
    ...drawn.map(([at, x, y, w, h]) => {
      const label = `${at.name}: ${at.state}, ${amount(at.values)}`;
      const text = w > 44 && h > 18 ? `${nameIn(at)}${at.tensor ? "" : " …"}` : "";
      const box = element("button", {
        type: "button", class: `box state-${at.state}`, title: label, "aria-label": label,
        "aria-pressed": at.tensor ? String(at.tensor === shown.tensor) : null, tabindex: at === boxAt ? 0 : -1,
        onclick: () => choose((boxAt = at)),
      }, text);
      box.node = at;
      if (!text) box.style.padding = 0; // a box is never wider than its size says
      Object.assign(box.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
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
