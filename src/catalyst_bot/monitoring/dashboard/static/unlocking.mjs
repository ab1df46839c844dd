// Getting into the dashboard: a session, and the password where one is set.

import { byId } from "./dom.mjs";
import { openSession, unlock } from "./session.mjs";

/** A session ends after a day or a restart of the server: get a new one and try once more. */
export async function again(request) {
  try {
    return await request();
  } catch (error) {
    if (![401, 403].includes(error.status)) throw error;
    await ensureSession();
    return request();
  }
}

/** Get a session, by password where one is set. */
export async function ensureSession() {
  if (!(await openSession())) await askPassword();
}

/** Ask for the password until it is right. */
function askPassword() {
  const dialog = byId("unlock");
  const form = byId("unlock-form");
  dialog.oncancel = (event) => event.preventDefault();
  if (!dialog.open) dialog.showModal();
  return new Promise((done) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      try {
        await unlock(form.elements.token.value);
        form.reset();
        dialog.close();
        done();
      } catch (error) {
        byId("unlock-problem").textContent = error.message;
      }
    };
  });
}
