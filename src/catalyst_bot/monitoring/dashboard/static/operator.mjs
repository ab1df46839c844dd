// What a person may command (halt, reduce, resume, let a refusal pass), each in its own dialog.

import { byId, el } from "./dom.mjs";
import * as as from "./format.mjs";
import { stateSentence } from "./panels.mjs";
import { ask, needsPassword } from "./session.mjs";
import { again } from "./unlocking.mjs";

const HALT_LABELS = { hold: "Halt, hold positions", close: "Halt, sell everything" };

/** Wire the dialogs; `state()` gives the newest sections. */
export function wireOperator(state) {
  wireHalt(state);
  wireResume(state);
  wireReduce();
  wireOverride();
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
}

function wireHalt(state) {
  const form = byId("halt-form");
  const refresh = () => {
    byId("halt-confirm").disabled = form.elements.confirm.value.trim() !== "HALT";
    byId("halt-confirm").textContent = HALT_LABELS[form.elements.policy.value];
  };
  form.addEventListener("input", refresh);
  byId("halt-open").addEventListener("click", () => {
    form.reset();
    byId("halt-problem").textContent = "";
    byId("halt-close-note").textContent = closeNote(state().positions ?? []);
    refresh();
    byId("halt").showModal();
    form.elements.confirm.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { policy, reason, confirm } = form.elements;
    send("halt", { confirm: confirm.value.trim(), positions_policy: policy.value, reason: reason.value });
  });
}

function closeNote(positions) {
  if (!positions.length) return "nothing is open now; what fills late is sold";
  const value = positions.reduce((sum, row) => sum + Number(row.market_value_usd), 0);
  return `sell ${as.count(positions.length, "position")} worth ${as.money(value, { digits: 0 })} at market`;
}

function wireResume(state) {
  const form = byId("resume-form");
  byId("resume-open").addEventListener("click", () => {
    form.reset();
    byId("resume-problem").textContent = "";
    byId("resume-cause").textContent = stateSentence(state().status);
    byId("resume-token").hidden = !needsPassword();
    byId("resume").showModal();
    form.elements.reason.focus();
    showChecklist(byId("resume-items"));
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { reason, token } = form.elements;
    const confirmed = [...byId("resume-items").querySelectorAll("input")].map((box) => box.name);
    send("resume", { reason: reason.value.trim(), token: token.value, confirmed });
  });
}

function wireReduce() {
  const form = byId("reduce-form");
  byId("reduce-open").addEventListener("click", () => {
    form.reset();
    byId("reduce-problem").textContent = "";
    byId("reduce").showModal();
    form.elements.reason.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send("reduce", { reason: form.elements.reason.value.trim() });
  });
}

/** The button stands in the drawer that explains a refusal, and knows which one. */
function wireOverride() {
  const form = byId("override-form");
  const open = byId("override-open");
  open.addEventListener("click", () => {
    form.reset();
    byId("override-problem").textContent = "";
    byId("override-what").textContent = byId("explanation-title").textContent;
    byId("override-token").hidden = !needsPassword();
    byId("override").showModal();
    form.elements.reason.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { reason, minutes, token } = form.elements;
    send("override", {
      intent_id: open.dataset.intent, reason: reason.value.trim(), minutes: Number(minutes.value), token: token.value,
    });
  });
}

/** Every question with its answer; what nothing settled has a box, and the form waits for all of them. */
async function showChecklist(place) {
  const submit = byId("resume-form").querySelector("[type=submit]");
  place.hidden = submit.disabled = true;
  let items = [];
  try {
    ({ items } = await ask("/api/checklist"));
  } catch (error) {
    byId("resume-problem").textContent = `The checklist cannot be read: ${error.message}`;
  } finally {
    submit.disabled = false;
  }
  const [open, met] = [false, true].map((isMet) => items.filter((item) => item.is_met === isMet));
  const told = (item) => el("span", {}, el("b", {}, item.question), el("small", {}, item.note));
  place.replaceChildren(
    el("legend", {}, open.length ? "Tick what you have looked at" : "Nothing is left to look at"),
    ...open.map((item) => el("label", { class: "choice" },
      el("input", { type: "checkbox", name: item.name, required: true }), told(item))),
    ...met.map((item) => el("p", { class: "settled" }, el("span", { "aria-label": "settled" }, "✓"), told(item))),
  );
  place.hidden = !items.length;
}

async function send(command, body) {
  const submit = byId(`${command}-form`).querySelector("[type=submit]");
  submit.disabled = true;
  try {
    await again(() => ask(`/api/${command}`, body));
    byId(command).close();
  } catch (error) {
    byId(`${command}-problem`).textContent = `${error.message} Trading is unchanged.`;
  } finally {
    submit.disabled = false;
  }
}
