// The table: sorted by its heads, filtered with the rest, a row chooses its tensor. Only rows in sight are in the page.

const FEW = 300; // tensors whose rows are all laid out, so that the browser's own search finds them
const BEYOND = 15; // rows above and below what is seen
const MOST_PRINTED = 2000;
const scroller = document.getElementById("rows");
const body = document.querySelector("#table tbody");
const heads = [...document.querySelectorAll("#table thead th")];
const COLUMNS = ["name", "state", "size", "type", "declared", "optimizers", "changed", "saved", "codes"];

let order = tensors; // those that are shown, as they are sorted
let sorting = null; // a column, and whether it ascends
let rowAt = null; // the tensor whose row the Tab key reaches; arrows go on from it
let rowHeight = 28;
let laidOut = new Map(); // the rows in the page, by tensor
let isPrinted = false;

function sortKey(tensor, column) {
  const value = tensor[COLUMNS[column]];
  return typeof value === "string" ? value.toLowerCase() : typeof value === "number" ? value : value.length ? value[0][0] : "~";
}

function sortBy(head) {
  sorting = { column: heads.indexOf(head), ascending: head.getAttribute("aria-sort") !== "ascending" };
  for (const each of heads) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", sorting.ascending ? "ascending" : "descending");
  sortRows();
  scroller.scrollTop = 0;
  drawRows();
}

function sortRows() {
  if (!sorting) return;
  const keyed = order.map((tensor) => [sortKey(tensor, sorting.column), tensor]);
  keyed.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0) * (sorting.ascending ? 1 : -1));
  order = keyed.map(([, tensor]) => tensor);
}

function filterTable() {
  const inside = new Set();
  const waiting = [shown.focus];
  while (waiting.length) {
    const at = waiting.pop();
    if (at.tensor) inside.add(at.tensor);
    waiting.push(...at.children.values());
  }
  order = tensors.filter((tensor) => inside.has(tensor) && isShown(tensor));
  sortRows();
  if (!order.includes(rowAt)) rowAt = order[0] || null;
  document.getElementById("count").textContent = `${order.length.toLocaleString("en")} of ${tensors.length.toLocaleString("en")} tensors`;
  drawRows();
}

function tableRow(tensor, index) {
  const codes = tensor.codes.flatMap(([anchor, severity]) => [element("a", { class: `tone-${severity}`, href: `#${anchor}` }, anchor.split("-")[0]), " "]);
  const cells = [tensor.type, tensor.declared, tensor.optimizers, tensor.changed, tensor.saved];
  const link = element("a", { href: `#tensor=${encodeURIComponent(tensor.name)}`, tabindex: tensor === rowAt ? 0 : -1 }, tensor.name);
  const made = element("tr", { class: `state-${tensor.state}`, "aria-rowindex": index + 2, "aria-selected": tensor === shown.tensor ? "true" : null },
    element("th", { scope: "row", title: tensor.name }, link),
    element("td", {}, element("span", { class: "mark", "aria-hidden": "true" }), ` ${tensor.state}`),
    element("td", { class: "right" }, tensor.size.toLocaleString("en")),
    ...cells.map((text) => element("td", { title: text }, text)),
    element("td", {}, ...codes));
  made.tensor = tensor;
  return made;
}

function gap(rows) {
  const made = element("tr", { class: "gap", "aria-hidden": "true" }, element("td", { colspan: COLUMNS.length }));
  made.firstChild.style.height = `${rows * rowHeight}px`;
  return made;
}

// Which rows are in the page: from one, up to another.
function inSight() {
  if (isPrinted) return [0, Math.min(order.length, MOST_PRINTED)];
  if (order.length <= FEW) return [0, order.length];
  const first = Math.floor(scroller.scrollTop / rowHeight) - BEYOND;
  const last = first + Math.ceil(scroller.clientHeight / rowHeight) + 2 * BEYOND;
  return [Math.max(0, first), Math.min(order.length, last)];
}

function drawRows() {
  const [first, last] = inSight();
  const hadFocus = body.contains(document.activeElement) ? document.activeElement.closest("tr").tensor : null;
  const rows = order.slice(first, last).map((tensor, index) => tableRow(tensor, first + index));
  laidOut = new Map(rows.map((row) => [row.tensor, row]));
  body.replaceChildren(...(first ? [gap(first)] : []), ...rows, ...(last < order.length ? [gap(order.length - last)] : []));
  if (hadFocus) (laidOut.get(hadFocus)?.querySelector("th a") || scroller).focus({ preventScroll: true });
}

function revealRow(tensor) {
  const index = order.indexOf(tensor);
  if (index < 0) return;
  const headHeight = heads[0].offsetHeight;
  const top = index * rowHeight;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + rowHeight > scroller.scrollTop + scroller.clientHeight - headHeight) {
    scroller.scrollTop = top + rowHeight - scroller.clientHeight + headHeight;
  }
  drawRows();
}

function goTo(index) {
  rowAt = order[Math.max(0, Math.min(order.length - 1, index))];
  revealRow(rowAt);
  laidOut.get(rowAt)?.querySelector("th a").focus({ preventScroll: true });
}

let isDrawn = true;
scroller.addEventListener("scroll", () => {
  if (order.length <= FEW || !isDrawn) return;
  isDrawn = false;
  requestAnimationFrame(() => {
    isDrawn = true;
    drawRows();
  });
});

body.addEventListener("keydown", (event) => {
  const at = order.indexOf(event.target.closest("tr")?.tensor);
  const page = Math.max(1, Math.floor(scroller.clientHeight / rowHeight) - 2);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: order.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  goTo(to);
});

body.addEventListener("click", (event) => {
  const tensor = event.target.closest("tr")?.tensor;
  if (!tensor || event.target.closest("td a")) return; // to a finding
  event.preventDefault();
  rowAt = tensor;
  select(tensor, { scroll: true });
});

for (const head of heads) {
  const button = element("button", { type: "button", onclick: () => sortBy(head) }, head.textContent);
  head.replaceChildren(button);
}
scroller.tabIndex = 0;
listeners.push(filterTable);
