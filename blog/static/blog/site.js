// What the site adds where there is JavaScript; every page works without it.

// Bootstrap's light or dark, as the visitor's system says.
const dark = matchMedia("(prefers-color-scheme: dark)");
const followSystem = () => {
  document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light";
};
followSystem();
dark.addEventListener("change", followSystem);

// A double click sends a form once, and its button shows that it is at work, until there is an
// answer, or none will come: after Stop, or when the network is away.
const atWork = new Map(); // the form, and the button that sent it
const forget = (form) => {
  atWork.get(form)?.removeAttribute("aria-busy");
  atWork.delete(form);
};
const forgetAll = () => [...atWork.keys()].forEach(forget);
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (atWork.has(form)) event.preventDefault();
  if (event.defaultPrevented) return;
  event.submitter?.setAttribute("aria-busy", "true");
  atWork.set(form, event.submitter);
  // Older browsers do not say that nothing will come.
  if (!window.navigation) setTimeout(forget, 5000, form); // milliseconds
});
window.navigation?.addEventListener("navigateerror", forgetAll);

// A button at each password that shows what was typed. It goes back into hiding when the form is
// sent, or the browser would not know it for a password to keep.
addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("input[type=password]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "show-password btn btn-sm";
    const what = document.createElement("span");
    what.className = "visually-hidden";
    what.textContent = " password";
    button.append("Show", what);
    const show = (shown) => {
      field.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", shown);
    };
    show(false);
    field.spellcheck = false; // some browsers check the spelling on a server
    field.autocapitalize = "none";
    button.addEventListener("click", () => show(field.type === "password"));
    field.form.addEventListener("submit", () => show(false));
    field.after(button);
  }
});

// Copy and print what is shown only once.
addEventListener("DOMContentLoaded", () => {
  const onClick = (selector, action) => {
    for (const button of document.querySelectorAll(selector)) {
      button.hidden = false;
      button.addEventListener("click", () => action(button));
    }
  };
  onClick("[data-print]", () => print());
  onClick("[data-copy]", async (button) => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
});

// The Back button may bring a page back as it was left, forms sent and all. A member's page is
// left blank and asked for again, or it would come back after the logout.
addEventListener("pagehide", () => {
  document.documentElement.hidden = "member" in document.body.dataset;
});
addEventListener("pageshow", (event) => {
  forgetAll();
  if (event.persisted && "member" in document.body.dataset) location.reload();
});
