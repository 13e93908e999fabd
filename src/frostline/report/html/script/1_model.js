// The record as a tree of modules over its leaves, and what is shown of it. Everything else listens to `show`.

const record = JSON.parse(document.getElementById("record").textContent);
const tableRows = [...document.querySelectorAll("#table tbody tr")];
const states = [...document.querySelectorAll(".chip input")].map((box) => box.value);

const leaves = record.leaves.map((facts, index) => {
  const row = tableRows[index];
  const numbers = Number(row.cells[2].textContent.replaceAll(",", ""));
  return { index, row, facts, numbers, name: row.cells[0].textContent, state: row.className.split(" ")[0].replace("state-", "") };
});

const shown = { focus: null, folded: new Set(), states: new Set(states), text: "", leaf: null };
const listeners = [];

function show(change) {
  Object.assign(shown, change);
  count(root);
  for (const listen of listeners) listen();
}

function isShown(leaf) {
  return shown.states.has(leaf.state) && leaf.name.toLowerCase().includes(shown.text);
}

function node(name, parent) {
  return { name, parent, depth: parent ? parent.depth + 1 : 0, children: new Map(), leaf: null, numbers: 0, state: "" };
}

function grown() {
  const top = node("all models", null);
  for (const leaf of leaves) {
    let at = top;
    for (const part of leaf.facts.p) {
      if (!at.children.has(part)) at.children.set(part, node(part, at));
      at = at.children.get(part);
    }
    at.leaf = leaf;
    leaf.node = at;
  }
  return top.children.size === 1 ? [...top.children.values()][0] : top;
}

// How many numbers of each node are shown, and the state that stands for it: a contradiction wins, else the most numbers.
function count(at) {
  const sums = new Map();
  if (at.leaf && isShown(at.leaf)) sums.set(at.leaf.state, Math.max(1, at.leaf.numbers));
  for (const child of at.children.values()) {
    for (const [state, numbers] of count(child)) sums.set(state, (sums.get(state) || 0) + numbers);
  }
  at.numbers = [...sums.values()].reduce((sum, numbers) => sum + numbers, 0);
  const most = [...sums.entries()].sort((one, other) => other[1] - one[1])[0];
  at.state = sums.has("contradicted") ? "contradicted" : most ? most[0] : "";
  return sums;
}

function children(at) {
  return [...at.children.values()].filter((child) => child.numbers > 0);
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

function amount(numbers) {
  return `${numbers.toLocaleString("en")} number${numbers === 1 ? "" : "s"}`;
}

const root = grown();
root.parent = null;
shown.focus = root;
