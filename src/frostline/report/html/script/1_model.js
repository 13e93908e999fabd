// The record as a tree of modules over its tensors, and what is shown of it. Everything else listens to `show`.

const record = JSON.parse(document.getElementById("record").textContent);
const states = [...document.querySelectorAll(".chip input")].map((box) => box.value);
const MOST_PARTS = 40; // of a name: hostile ones hold thousands of dots

const tensors = (() => {
  const columns = record.tensors;
  let parts = [];
  return columns.rest.map((rest, index) => {
    parts = [...parts.slice(0, columns.shared[index]), ...rest.split(".")];
    const [state, size, type, declared, optimizers, moved, saved, codes] = record.words[columns.words[index]];
    const facts = record.facts[columns.facts[index]];
    const held = record.held[columns.held[index]];
    const changed = moved === "yes" && facts.since !== undefined ? `yes, first at step ${facts.since.toLocaleString("en")}` : moved;
    return { index, parts, name: parts.join("."), facts, held, state, size, type, declared, optimizers, changed, saved, codes };
  });
})();

const shown = { focus: null, folded: new Set(), states: new Set(states), text: "", tensor: null };
const listeners = [];

function show(change) {
  Object.assign(shown, change);
  count(root);
  if (shown.focus.isBundle) count(shown.focus);
  for (const listen of listeners) listen();
}

function isShown(tensor) {
  return shown.states.has(tensor.state) && tensor.name.toLowerCase().includes(shown.text);
}

function node(name, parent) {
  return { name, parent, depth: parent ? parent.depth + 1 : 0, children: new Map(), tensor: null, size: 0, values: 0, state: "" };
}

function grown() {
  const top = node("all models", null);
  for (const tensor of tensors) {
    let at = top;
    const deep = tensor.parts.length > MOST_PARTS;
    const parts = deep ? [...tensor.parts.slice(0, MOST_PARTS), tensor.parts.slice(MOST_PARTS).join(".")] : tensor.parts;
    for (const part of parts) {
      if (!at.children.has(part)) at.children.set(part, node(part, at));
      at = at.children.get(part);
    }
    at.tensor = tensor;
    tensor.node = at;
  }
  return top.children.size === 1 ? [...top.children.values()][0] : top;
}

// The size of each node, the values in what is shown of it (an empty tensor has a size, to be seen), and its state:
// a contradiction wins, else the largest.
function count(at) {
  const sums = new Map();
  at.values = 0;
  if (at.tensor && isShown(at.tensor)) {
    sums.set(at.tensor.state, Math.max(1, at.tensor.size));
    at.values = at.tensor.size;
  }
  for (const child of at.children.values()) {
    for (const [state, size] of count(child)) sums.set(state, (sums.get(state) || 0) + size);
    at.values += child.values;
  }
  at.size = [...sums.values()].reduce((sum, size) => sum + size, 0);
  const most = [...sums.entries()].sort((one, other) => other[1] - one[1])[0];
  at.state = sums.has("contradicted") ? "contradicted" : most ? most[0] : "";
  return sums;
}

function children(at) {
  return [...at.children.values()].filter((child) => child.size > 0);
}

function pathTo(at) {
  const path = [];
  for (let step = at; step; step = step.parent) path.unshift(step);
  return path.slice(path.indexOf(root));
}

function element(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...content);
  return made;
}

function amount(size) {
  return `${size.toLocaleString("en")} value${size === 1 ? "" : "s"}`;
}

const root = grown();
root.parent = null;
shown.focus = root;
