// Requests to our own server: the session cookie goes along by itself, the CSRF token by hand.

let csrfToken = "";
let asksToken = false;

export const needsPassword = () => asksToken;

/** GET or, with a body, POST; throws an Error with the server's sentence and `status`. */
export async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": csrfToken },
    body: JSON.stringify(body),
  }).catch(() => { throw Object.assign(new Error("The dashboard's server does not answer."), { status: 0 }); });
  if (answer.ok) return answer.json();
  const text = await answer.text();
  throw Object.assign(new Error(reason(text, answer.status)), { status: answer.status });
}

function reason(text, status) {
  try {
    const { detail } = JSON.parse(text);
    return typeof detail === "string" ? detail : `The server refused what was entered (${status}).`;
  } catch {
    return text.trim() || `The server answered ${status}.`;
  }
}

/** Get a session; false means a password is needed first. */
export async function openSession() {
  try {
    ({ csrf_token: csrfToken } = await ask("/api/session"));
    return true;
  } catch (error) {
    if (error.status !== 401) throw error;
    asksToken = true;
    return false;
  }
}

export async function unlock(token) {
  asksToken = true;
  ({ csrf_token: csrfToken } = await ask("/api/session", { token }));
}
