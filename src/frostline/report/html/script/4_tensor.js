// One tensor: what is known of it in words, and a timeline of its flag, the checks and its moves.

const panel = document.getElementById("tensor");
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 900;
const LEFT = 84;
const LANE = 28;
const UNSEEN = "unseen"; // somewhere between two checks
const ELSEWHERE = "elsewhere";

function select(tensor, { scroll = false } = {}) {
  for (let at = tensor.node.parent; at; at = at.parent) opened.add(at);
  show({ tensor });
  revealRow(tensor);
  drawTensor();
  history.replaceState(null, "", `#tensor=${encodeURIComponent(tensor.name)}`);
  if (scroll) panel.scrollIntoView({ block: "center" });
}

// Checks are made at steps 1, 2, 4, 8, …: on a logarithmic axis they are evenly apart.
function along(step) {
  return LEFT + (WIDTH - LEFT - 12) * (Math.log2(1 + Math.max(0, step)) / Math.log2(2 + record.steps));
}

function drawn(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

function movesOf(tensor) {
  return (tensor.facts.moves || []).map(([from, to, place, optimizer, gradient, moved, of, by]) => (
    { from, to, place, optimizer, gradient, moved, of, by }
  ));
}

// One lane for each optimizer that holds the tensor or moved it; below them what no check saw happen, and what happened in
// no optimizer's step.
function lanesOf(tensor) {
  const used = movesOf(tensor).map(laneOf);
  const others = [UNSEEN, ELSEWHERE];
  const optimizers = new Set([...tensor.held.map(([optimizer]) => optimizer), ...used.filter((lane) => !others.includes(lane))]);
  return [...optimizers, ...others.filter((lane) => used.includes(lane))];
}

function laneOf(move) {
  if (move.place === "between") return UNSEEN;
  return move.place === "step" && move.optimizer ? move.optimizer : ELSEWHERE;
}

function timeline(tensor) {
  const facts = tensor.facts;
  const moves = movesOf(tensor);
  const lanes = lanesOf(tensor);
  const bottom = 52 + LANE * lanes.length;
  const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${bottom}`, role: "img", "aria-label": "timeline; the list below says the same" });
  const label = (y, text) => svg.append(drawn("text", { x: 0, y }, text));
  label(22, "declared");
  let flag = facts.kind === "buffer" ? null : facts.first;
  let from = 0;
  for (const [step, now] of [...(facts.flips || []), [record.steps + 1, null]]) {
    if (flag !== null && flag !== undefined) {
      const colour = flag ? "var(--changed)" : "var(--frozen)";
      const width = Math.max(2, along(step) - along(from));
      svg.append(drawn("rect", { x: along(from), y: 10, width, height: 16, rx: 3, fill: colour, opacity: 0.55 }));
      if (width > 60) svg.append(drawn("text", { x: along(from) + 6, y: 22, style: "fill: var(--ink)" }, flag ? "trainable" : "frozen"));
    }
    [flag, from] = [now, step];
  }
  for (const [index, lane] of lanes.entries()) {
    const y = 48 + LANE * index;
    label(y + 4, lane.length > 12 ? `${lane.slice(0, 11)}…` : lane);
    svg.append(drawn("line", { x1: LEFT, x2: WIDTH - 12, y1: y, y2: y, stroke: "var(--line)" }));
    for (const step of record.optimizers[lane] || []) {
      svg.append(drawn("line", { x1: along(step), x2: along(step), y1: y - 7, y2: y + 7, stroke: "var(--soft)" }));
    }
    for (const move of moves.filter((each) => laneOf(each) === lane)) {
      svg.append(drawn("line", { x1: along(move.from), x2: along(move.to), y1: y, y2: y, stroke: "var(--changed)", "stroke-width": 3 }));
      svg.append(drawn("circle", { cx: along(move.to), cy: y, r: 5, fill: "var(--changed)" }));
    }
  }
  svg.append(drawn("text", { x: 0, y: bottom - 6 }, "step (log)"));
  const ends = [...new Set([0, 1, 10, 100, 1000, 10000, 100000, record.steps])].filter((step) => step <= record.steps);
  for (const step of ends) svg.append(drawn("text", { x: along(step), y: bottom - 6, "text-anchor": "middle" }, step.toLocaleString("en")));
  return svg;
}

function described(tensor) {
  const facts = tensor.facts;
  const lines = [`changed: ${tensor.changed}`];
  const words = { true: "trainable", false: "frozen" };
  if (facts.first !== undefined) lines.push(`declared ${words[facts.first]} at the first check`);
  for (const [step, now] of facts.flips || []) lines.push(`before step ${step}: flag turned ${now ? "on (trainable)" : "off (frozen)"}`);
  const moves = movesOf(tensor);
  for (const move of moves) {
    const when = move.to === move.from || move.place === "step" ? `step ${move.to}` : `between step ${move.from || 0} and ${move.to}`;
    const where = { step: `inside a step of ${move.optimizer}`, forward: "in a forward pass", outside: "outside every step", between: "between two checks" }[move.place];
    const gradient = move.gradient ? `, gradient ${move.gradient}` : "";
    const part = move.of ? `, ${move.moved.toLocaleString("en")} of ${move.of.toLocaleString("en")} elements` : "";
    lines.push(`${when}: moved ${where}${move.by ? ` (${move.by})` : ""}${gradient}${part}`);
  }
  if (!moves.length && tensor.state !== "unknown") lines.push(`no move was seen, though it was read ${facts.checks || 0} times, the last at step ${facts.until || 0}`);
  for (const [optimizer, lr, decay, gradients] of tensor.held) {
    const seen = Object.entries(gradients).map(([state, times]) => `${state} ${times}`).join(", ");
    lines.push(`held by ${optimizer}${lr !== null ? `, lr ${lr}` : ""}${decay ? `, weight decay ${decay}` : ""}${seen ? `; gradients at checks: ${seen}` : ""}`);
  }
  for (const [column, reason] of Object.entries(facts.unknown || {})) lines.push(`${column} is unknown: ${reason}`);
  if (facts.expected) lines.push(`expected ${facts.expected}`);
  if (facts.also) lines.push(`also known as ${facts.also.join(", ")}`);
  return lines;
}

function drawTensor() {
  const tensor = shown.tensor;
  const links = tensor.codes.flatMap(([anchor]) => [" ", element("a", { href: `#${anchor}` }, anchor)]);
  panel.replaceChildren(
    element("h3", {}, element("code", {}, tensor.name)),
    element("p", { class: "quiet" }, `${tensor.facts.owner || "tensor"}, ${tensor.type}, ${tensor.state}`, ...links),
    timeline(tensor),
    element("ul", {}, ...described(tensor).map((line) => element("li", {}, line))),
  );
}
