// The table: sorted by its heads, filtered with the rest, a row chooses its tensor. Rows are laid out as one scrolls.

const ROWS_AT_ONCE = 200;
let limit = ROWS_AT_ONCE;

const body = document.querySelector("#table tbody");
const heads = [...document.querySelectorAll("#table thead th")];

function cellValue(row, column, kind) {
  const text = row.cells[column].textContent.trim();
  return kind === "number" ? Number(text.replaceAll(",", "")) : text.toLowerCase();
}

function sortBy(head) {
  const column = heads.indexOf(head);
  const ascending = head.getAttribute("aria-sort") !== "ascending";
  for (const each of heads) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const keyed = [...body.rows].map((row) => [cellValue(row, column, head.dataset.sort), row]);
  keyed.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0) * (ascending ? 1 : -1));
  const table = body.parentNode;
  body.remove(); // rows move faster outside the page
  body.append(...keyed.map(([, row]) => row));
  limitRows();
  table.append(body);
}

function filterTable() {
  let count = 0;
  const inside = new Set();
  const waiting = [shown.focus];
  while (waiting.length) {
    const at = waiting.pop();
    if (at.tensor) inside.add(at.tensor);
    waiting.push(...at.children.values());
  }
  for (const tensor of tensors) {
    const wanted = inside.has(tensor) && isShown(tensor);
    if (tensor.row.hidden === wanted) tensor.row.hidden = !wanted;
    count += wanted;
  }
  limit = ROWS_AT_ONCE;
  limitRows();
  document.getElementById("count").textContent = `${count.toLocaleString("en")} of ${tensors.length.toLocaleString("en")} tensors`;
}

function limitRows() {
  let left = limit;
  for (const row of body.rows) {
    const far = !row.hidden && left-- <= 0;
    if (row.classList.contains("far") !== far) row.classList.toggle("far", far);
  }
  more.hidden = left >= 0;
}

function showMore() {
  limit += ROWS_AT_ONCE;
  limitRows();
}

const more = document.getElementById("more");
more.addEventListener("click", showMore);
new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && showMore(), { rootMargin: "600px" }).observe(more);

for (const head of heads) {
  const button = element("button", { type: "button", onclick: () => sortBy(head) }, head.textContent);
  head.replaceChildren(button);
}
body.addEventListener("click", (event) => {
  if (event.target.closest("td a")) return; // to a finding
  event.preventDefault();
  select(tensors.find((tensor) => tensor.row === event.target.closest("tr")), { scroll: true });
});
listeners.push(filterTable);
