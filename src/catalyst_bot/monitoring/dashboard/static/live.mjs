// The stream of changes and the two ages: of the connection (wall clock) and of the data.

import { byId, say } from "./dom.mjs";
import * as as from "./format.mjs";

const SILENT_MS = 12_000;
const RETRY_MS = 3_000;

/** Follow the server; `onState` gets everything once per connection, `onChange` what changed. */
export function follow({ ensureSession, onState, onChange, status }) {
  let heardAt = Date.now();
  let skewMs = 0;

  const heard = (event) => {
    const message = JSON.parse(event.data);
    heardAt = Date.now();
    skewMs = Date.parse(message.now) - heardAt;
    return message;
  };
  const show = () => showAges({ silentMs: Date.now() - heardAt, now: Date.now() + skewMs, status: status() });

  function open() {
    const stream = new EventSource("/api/events");
    stream.addEventListener("state", (event) => { onState(heard(event)); show(); });
    stream.addEventListener("change", (event) => { onChange(heard(event)); show(); });
    stream.addEventListener("beat", (event) => { heard(event); show(); });
    stream.addEventListener("error", () => {
      // After a refusal (full house, restarted server) the browser gives up; we do not.
      if (stream.readyState === EventSource.CLOSED) setTimeout(reopen, RETRY_MS);
    });
  }

  function reopen() {
    ensureSession().then(open, () => setTimeout(reopen, RETRY_MS));
  }

  open();
  setInterval(show, 1_000);
}

function showAges({ silentMs, now, status }) {
  const isSilent = silentMs > SILENT_MS;
  const ageMs = status?.last_at ? now - Date.parse(status.last_at) : null;
  const isReplay = status?.clock === "replay";
  const isOld = !isReplay && status?.session_open && ageMs > 1000 * (status.stale_after_s ?? 600);
  document.body.dataset.stale = isSilent ? "connection" : isOld ? "data" : "";
  say(byId("connection"), status === undefined ? "○ connecting…" : isSilent ? `○ last update ${as.span(silentMs)} ago` : "● connected");
  byId("data-age").replaceChildren(...dataAge({ status, ageMs, isReplay, isOld }));
}

function dataAge({ status, ageMs, isReplay, isOld }) {
  if (!status?.last_at) return [status === undefined ? "" : "no data yet"];
  if (status.stopped_at) return ["run ended at ", as.time(status.last_at, as.dayAndClock)];
  if (isReplay) return ["replaying ", as.time(status.last_at, as.dayAndClock)];
  if (isOld) return [`▲ data is ${as.span(ageMs)} old`];
  if (status.session_open === false) return ["market closed · data of ", as.time(status.last_at, as.dayAndClock)];
  return [`data ${as.span(ageMs)} old`];
}
