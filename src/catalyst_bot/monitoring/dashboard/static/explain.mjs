// The drawer that says why: sections of rows, checks with limit and observed value.

import { byId, el } from "./dom.mjs";
import { ask } from "./session.mjs";
import { sentence } from "./format.mjs";

/** Open the explanation of a trade, order or decision. */
export async function explain(id) {
  const drawer = byId("explanation");
  say("Why", "Reading the journal…", []);
  mayPass("");
  if (!drawer.open) drawer.showModal();
  drawer.scrollTop = 0;
  try {
    const told = await ask(`/api/explain/${encodeURIComponent(id)}`);
    say(told.verdict, told.subject ?? "", told.sections.map(section));
    mayPass(told.may_pass ?? "");
  } catch (error) {
    say("No explanation", error.message, []);
  }
}

function say(title, summary, sections) {
  byId("explanation-title").textContent = title;
  byId("explanation-summary").textContent = summary;
  byId("explanation-body").replaceChildren(...sections);
}

/** Offer to let a refused intent pass; no intent, no offer. */
function mayPass(intentId) {
  const open = byId("override-open");
  open.dataset.intent = intentId;
  open.hidden = !intentId;
}

function section({ title, rows }) {
  const checked = rows.filter((row) => row.passed != null);
  const told = rows.filter((row) => row.passed == null);
  return el("section", {}, el("h3", {}, title), told.length ? facts(told) : null, checked.length ? checks(checked) : null);
}

function facts(rows) {
  return el("dl", { class: "facts" }, ...rows.flatMap((row) => [
    el("dt", {}, sentence(row.label.trim())),
    el("dd", {}, String(row.value ?? ""), row.note ? el("small", {}, row.note) : null),
  ]));
}

function checks(rows) {
  const head = el("tr", {}, ...["", "Check", "Observed", "Limit"].map((text, place) =>
    el("th", { scope: "col", class: place > 1 ? "n" : null }, text || el("span", { class: "hidden" }, "Result"))));
  return el("table", { class: "checks" }, el("thead", {}, head), el("tbody", {}, ...rows.map(check)));
}

function check(row) {
  const passed = row.passed !== false;
  return el("tr", { "data-passed": String(passed) },
    el("td", { class: "mark" }, el("span", { role: "img", "aria-label": passed ? "passed" : "failed" }, passed ? "✓" : "✕")),
    el("td", {}, sentence(row.label.trim()), row.note ? el("small", {}, row.note) : null),
    el("td", { class: "n" }, String(row.value ?? "")),
    el("td", { class: "n" }, String(row.limit ?? "")));
}

/** A click beside the drawer closes it. */
export function wireExplanation() {
  const drawer = byId("explanation");
  drawer.addEventListener("click", ({ target }) => {
    if (target === drawer) drawer.close();
  });
}
