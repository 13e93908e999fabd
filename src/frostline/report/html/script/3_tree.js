// The tree beside the map, with the keys of the WAI-ARIA tree pattern.

const MOST_CHILDREN = 400;
const OPEN_AT_FIRST = 24; // rows
const tree = document.getElementById("tree");
const opened = new Set();
let current = root; // the item that the keyboard is at

function openAtFirst() {
  let rows = 1;
  const waiting = [root];
  while (waiting.length) {
    const at = waiting.shift();
    rows += at.children.size;
    if (at !== root && rows > OPEN_AT_FIRST) break;
    if (at.children.size) opened.add(at);
    waiting.push(...at.children.values());
  }
}

function item(at) {
  const inside = children(at);
  const isOpen = opened.has(at) && inside.length > 0;
  const made = element("li", {
    role: "treeitem", "aria-level": pathTo(at).length, tabindex: at === current ? 0 : -1,
    "aria-expanded": inside.length ? String(isOpen) : null,
    "aria-selected": String(at === shown.focus || (at.tensor !== null && at.tensor === shown.tensor)),
    "aria-label": `${at.name}, ${at.state}, ${amount(at.values)}`,
  });
  made.node = at;
  const line = element("div", { class: `item state-${at.state}` },
    element("span", { class: "twist", "aria-hidden": "true" }, inside.length ? (isOpen ? "▾" : "▸") : ""),
    element("span", { class: "mark", "aria-hidden": "true" }, MARKS[at.state] || ""),
    element("span", { class: "text" }, at.name),
    element("span", { class: "size" }, at.values.toLocaleString("en")));
  made.append(line);
  if (isOpen) {
    const list = element("ul", { role: "group" }, ...inside.slice(0, MOST_CHILDREN).map(item));
    if (inside.length > MOST_CHILDREN) list.append(element("li", { role: "none", class: "quiet" }, `and ${inside.length - MOST_CHILDREN} more`));
    made.append(list);
  }
  return made;
}

const MARKS = Object.fromEntries(
  [...document.querySelectorAll(".chip")].map((chip) => [chip.querySelector("input").value, chip.querySelector(".mark").textContent]),
);

function drawTree() {
  const had = tree.contains(document.activeElement);
  tree.replaceChildren(item(root));
  if (!tree.querySelector('[tabindex="0"]')) tree.querySelector("li").tabIndex = 0;
  if (had) tree.querySelector('[tabindex="0"]').focus({ preventScroll: true });
}

function toggle(at, open = !opened.has(at)) {
  if (!at.children.size) return;
  if (open) {
    opened.add(at);
    shown.folded.delete(at);
  } else {
    opened.delete(at);
    shown.folded.add(at);
  }
  show({});
}

tree.addEventListener("click", (event) => {
  const at = event.target.closest("li")?.node;
  if (!at) return;
  current = at;
  if (event.target.classList.contains("twist")) toggle(at);
  else if (at.tensor) select(at.tensor);
  else {
    opened.add(at);
    choose(at);
  }
});

tree.addEventListener("keydown", (event) => {
  const items = [...tree.querySelectorAll('[role="treeitem"]')];
  const index = items.findIndex((each) => each.node === current);
  const move = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: items.length - 1 }[event.key];
  if (move !== undefined && items[move]) current = items[move].node;
  else if (event.key === "ArrowRight" && !opened.has(current) && current.children.size) toggle(current, true);
  else if (event.key === "ArrowRight") current = children(current)[0] || current;
  else if (event.key === "ArrowLeft" && opened.has(current)) toggle(current, false);
  else if (event.key === "ArrowLeft" && current !== root) current = current.parent;
  else if (event.key === "Enter" || event.key === " ") choose(current);
  else return;
  event.preventDefault();
  drawTree();
  const at = tree.querySelector('[tabindex="0"]');
  at.focus();
  at.firstChild.scrollIntoView({ block: "nearest" });
});

openAtFirst();
listeners.push(drawTree);
