// Keys for the queue and the card: an element names its keys in data-key. Pages work without this file.
"use strict";

const inField = (element) =>
  element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));

const byKey = (key) => document.querySelector(`[data-key~="${CSS.escape(key)}"]`);

// A summary opens its part and puts the cursor into the first field; anything else is clicked.
const use = (element) => {
  if (element.tagName !== "SUMMARY") {
    element.click();
    return;
  }
  const part = element.parentElement;
  part.open = element.dataset.key === "?" ? !part.open : true;
  const field = part.querySelector("label:not([hidden]) > input:not([type=hidden]), label > select");
  (field || element).focus();
};

// Moves through the rows of the queue; false where there are none.
const move = (step) => {
  const links = [...document.querySelectorAll("[data-row] a.open")];
  if (links.length === 0) return false;
  const here = links.findIndex((link) => link === document.activeElement);
  const there = here < 0 && step < 0 ? 0 : Math.min(links.length - 1, Math.max(0, here + step));
  links[there].focus();
  links[there].scrollIntoView({ block: "nearest" });
  return true;
};

const openRow = () => {
  const row = document.activeElement && document.activeElement.closest("[data-row]");
  if (!row) return false;
  row.querySelector("a.open").click();
  return true;
};

const leave = () => {
  const help = document.querySelector("details.keys[open]");
  if (help) help.open = false;
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    leave();
    return;
  }
  if (event.repeat || inField(event.target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const moved = (key === "j" && move(1)) || (key === "k" && move(-1)) || (key === "o" && openRow());
  const element = moved ? null : byKey(key);
  if (element) use(element);
  if (moved || element) event.preventDefault();
});

// A decision is sent once, however often the key or the button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.target === "_blank") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// The note of an outage goes once the next part of the page has come.
document.addEventListener("htmx:afterRequest", (event) => {
  const note = event.detail.successful && document.querySelector("#messages .problem");
  if (note) note.remove();
});

// Screen readers speak a live region only when it changes after the page is there.
const messages = document.getElementById("messages");
if (messages && messages.firstElementChild) {
  const note = messages.firstElementChild;
  note.remove();
  setTimeout(() => messages.append(note), 50);
}
for (const label of document.querySelectorAll(".scripted")) label.hidden = false;
