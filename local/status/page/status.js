/** Asks for /status.json again and again, and writes what it says into the page; elements stay, so that nothing that
 * somebody has opened or focused is lost. */

import { drawChart } from "./chart.js";

const PAUSE_MS = 2000;
const PATIENCE_MS = 10000;

const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const count = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

const byId = (id) => document.getElementById(id);
const parts = new Map();

async function keepAsking() {
  for (;;) {
    if (document.visibilityState === "visible") await ask();
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
}

async function ask() {
  try {
    const answer = await fetch("/status.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    show(await answer.json());
    markStale(false);
  } catch (error) {
    byId("trouble").textContent = `The platform does not answer (${error.message}). What stands here is from before.`;
    markStale(true);
  }
}

function markStale(isStale) {
  byId("trouble").hidden = !isStale;
  document.body.classList.toggle("stale", isStale);
}

function show(report) {
  const since = report.since ? ` Measured since ${day.format(new Date(report.since))}.` : " Nothing was measured yet.";
  byId("updated").textContent = `Updated at ${time.format(new Date(report.at))}.${since}`;
  for (const gauge of report.now) {
    part(gauge.key, byId("now"), buildGauge).textContent = gauge.value === null ? "not known" : count.format(gauge.value);
  }
  for (const group of report.groups) {
    const list = part(group.title, byId("groups"), buildGroup);
    for (const figure of group.figures) showFigure(part(figure.key, list, buildFigure), figure);
  }
  for (const step of report.funnel) {
    const { today, ever } = part(step.key, byId("funnel"), buildStep);
    today.textContent = count.format(step.today);
    ever.textContent = count.format(step.ever);
  }

  function buildGauge(parent, key) {
    const value = make("dd");
    parent.append(make("div", {}, make("dt", { textContent: titleOf(report.now, key) }), value));
    return value;
  }

  function buildStep(parent, key) {
    const today = make("td");
    const ever = make("td");
    parent.append(make("tr", {}, make("th", { scope: "row", textContent: titleOf(report.funnel, key) }), today, ever));
    return { today, ever };
  }
}

function titleOf(described, key) {
  return described.find((one) => one.key === key).title;
}

/** What `build` gave for this key when it was first asked for. */
function part(key, parent, build) {
  if (!parts.has(key)) parts.set(key, build(parent, key));
  return parts.get(key);
}

function buildGroup(parent, title) {
  const list = make("div", { className: "figures" });
  parent.append(make("section", {}, make("h2", { textContent: title }), list));
  return list;
}

function buildFigure(parent, key) {
  const built = {
    card: make("article", { className: "figure", id: key }),
    title: make("h3", { id: `${key}-title` }),
    value: make("p", { className: "value" }),
    over: make("p", { className: "over" }),
    target: make("span"),
    verdict: make("span", { className: "verdict" }),
    chart: document.createElementNS("http://www.w3.org/2000/svg", "svg"),
    caption: make("figcaption"),
    source: make("p"),
    expression: make("code"),
    rows: make("tbody"),
    details: make("details"),
  };
  built.card.setAttribute("aria-labelledby", built.title.id);
  built.chart.setAttribute("role", "img");
  built.figure = make("figure", {}, built.chart, built.caption);
  const head = make("tr", {}, make("th", { scope: "col", textContent: "Minutes ago" }), make("th", { scope: "col", textContent: "Value" }));
  built.table = make("table", {}, make("caption", { textContent: "Minute by minute" }), make("thead", {}, head), built.rows);
  built.details.append(make("summary", { textContent: "Where it comes from" }), built.source, built.expression, built.table);
  built.card.append(
    built.title, built.value, built.over, make("p", { className: "target" }, built.target, " ", built.verdict),
    built.figure, built.details,
  );
  parent.append(built.card);
  return built;
}

function showFigure(built, figure) {
  const { value, unit, target, minutes } = figure;
  built.title.textContent = figure.title;
  built.card.classList.toggle("absent", value === null);
  if (figure.onlyOnAws) built.value.textContent = "only on AWS";
  else if (value === null) built.value.textContent = "nothing yet";
  else built.value.replaceChildren(`${number.format(value)} `, make("span", { className: "unit", textContent: unit }));
  built.over.textContent = figure.over;
  built.over.hidden = figure.onlyOnAws;
  const goal = figure.better === null ? "Built to bear:" : figure.better === "higher" ? "Target: at least" : "Target: at most";
  built.target.textContent = `${goal} ${number.format(target)} ${unit}`;
  built.verdict.textContent = figure.isMet === null ? "" : figure.isMet ? "· met" : "· not met";
  built.verdict.dataset.met = String(figure.isMet);
  built.source.textContent = `${figure.source} (${figure.metrics.join("; ")}).`;
  built.expression.textContent = figure.expression ?? "";
  built.expression.hidden = figure.expression === null;
  built.figure.hidden = built.table.hidden = figure.onlyOnAws;
  if (!figure.onlyOnAws) showMinutes();

  function showMinutes() {
    const top = drawChart(built.chart, minutes, figure.isTargetByMinute ? target : null);
    const known = minutes.filter((minute) => minute !== null);
    const range = known.length
      ? `between ${number.format(Math.min(...known))} and ${number.format(Math.max(...known))} ${unit} in ${known.length} of 60 minutes`
      : "nothing in the last hour";
    built.chart.setAttribute("aria-label", `${figure.title}, minute by minute: ${range}`);
    built.caption.textContent = known.length ? `The last hour by minute, 0 to ${number.format(top)}` : "Nothing in the last hour";
    if (built.details.open) built.rows.replaceChildren(...minuteRows(minutes, unit));
  }
}

function minuteRows(minutes, unit) {
  return minutes
    .map((value, index) => [minutes.length - 1 - index, value])
    .filter(([, value]) => value !== null)
    .reverse()
    .map(([ago, value]) => make("tr", {}, make("th", { scope: "row", textContent: String(ago) }), make("td", { textContent: `${number.format(value)} ${unit}` })));
}

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

keepAsking();
