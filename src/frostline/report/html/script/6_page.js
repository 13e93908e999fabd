// The page as a whole: what a script adds is shown, filters, light and dark, and links into the page.

document.querySelector(".scripted").hidden = false;

document.getElementById("filter").addEventListener("input", (event) => show({ text: event.target.value.trim().toLowerCase() }));
for (const box of document.querySelectorAll(".chip input")) {
  box.addEventListener("change", () => {
    if (box.checked) shown.states.add(box.value);
    else shown.states.delete(box.value);
    show({});
  });
}

const theme = document.getElementById("theme");
const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
function setTheme(dark) {
  document.body.dataset.theme = dark ? "dark" : "light";
  theme.textContent = dark ? "Light" : "Dark";
}
theme.hidden = false;
theme.addEventListener("click", () => setTheme(document.body.dataset.theme !== "dark"));
setTheme(prefersDark);

// On paper: light, with the evidence of every finding and the rows of the table.
let before = null;
window.addEventListener("beforeprint", () => {
  const closed = [...document.querySelectorAll("details:not([open])")];
  before = { dark: document.body.dataset.theme === "dark", closed };
  setTheme(false);
  for (const each of closed) each.open = true;
  isPrinted = true;
  drawRows();
  if (order.length > MOST_PRINTED) document.getElementById("count").append(`; the first ${MOST_PRINTED.toLocaleString("en")} are printed`);
});
window.addEventListener("afterprint", () => {
  setTheme(before.dark);
  for (const each of before.closed) each.open = false;
  isPrinted = false;
  show({});
});

function linked() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return ""; // cut off within a %xx
  }
}

function follow() {
  const hash = linked();
  if (hash.startsWith("tensor=")) {
    const tensor = tensors.find((each) => each.name === hash.slice(7));
    if (tensor) select(tensor, { scroll: true });
  } else if (hash) document.getElementById(hash)?.focus();
}
window.addEventListener("hashchange", follow);
window.addEventListener("resize", drawRows);
show({});
rowHeight = laidOut.values().next().value?.offsetHeight || rowHeight;
drawRows();
follow();
