// Building blocks for the page: elements are made from text, never from HTML.

/** Make an element; `props` are attributes (`class`, `data-x` …), `onclick` a listener. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** The same for a drawing. */
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Set text only where it differs, so that screen readers are not told twice. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Make the children of `parent` match `rows`, keeping the node of a row whose content is the same:
 * focus and hover survive an update.
 */
export function match(parent, rows, key, make) {
  const before = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const after = rows.map((row) => {
    const print = JSON.stringify(row);
    const old = before.get(String(key(row)));
    if (old && old.print === print) return old;
    const node = make(row);
    node.dataset.key = key(row);
    node.print = print;
    if (old && old.contains(document.activeElement)) node.refocus = true;
    return node;
  });
  after.forEach((node, place) => {
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
  while (parent.children.length > after.length) parent.lastElementChild.remove();
  const focused = after.find((node) => node.refocus);
  if (focused) {
    focused.refocus = false;
    focused.querySelector("button, a")?.focus();
  }
}

/** Make one button of a group the pressed one. */
export function press(group, pressed) {
  for (const button of group.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button === pressed));
  }
}
