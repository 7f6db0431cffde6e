/** A bar for each minute. What it shows also stands beside it as text. */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 72;
const GAP = 1;
/** So that a zero can be told from nothing. */
const LEAST_HEIGHT = 1.5;
/** A target further away than this many times the highest value would leave nothing of the bars, if there are any. */
const TARGET_IN_SIGHT = 3;

/** target: drawn as a line when it is in sight; null draws none. Returns the value at the top. */
export function drawChart(svg, minutes, target) {
  const known = minutes.filter((value) => value !== null);
  const highest = Math.max(0, ...known);
  const shownTarget = target !== null && (highest === 0 || target <= highest * TARGET_IN_SIGHT) ? target : null;
  const top = Math.max(highest, shownTarget ?? 0) || 1;
  const width = WIDTH / minutes.length;
  const drawn = [shape("line", "axis", { x1: 0, y1: HEIGHT, x2: WIDTH, y2: HEIGHT })];
  minutes.forEach((value, minute) => {
    if (value === null) return;
    const height = Math.max((Math.max(value, 0) / top) * HEIGHT, LEAST_HEIGHT);
    drawn.push(shape("rect", "bar", { x: minute * width, y: HEIGHT - height, width: width - GAP, height }));
  });
  if (shownTarget !== null) {
    const y = HEIGHT - (shownTarget / top) * HEIGHT;
    drawn.push(shape("line", "goal", { x1: 0, y1: y, x2: WIDTH, y2: y }));
  }
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren(...drawn);
  return top;
}

function shape(name, kind, attributes) {
  const element = document.createElementNS(SVG, name);
  element.setAttribute("class", kind);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, String(value));
  return element;
}
