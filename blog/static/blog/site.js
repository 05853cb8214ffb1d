// What the site adds where there is JavaScript; every page works without it.

// Bootstrap's light or dark, as the visitor's system says.
const dark = matchMedia("(prefers-color-scheme: dark)");
const followSystem = () => {
  document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light";
};
followSystem();
dark.addEventListener("change", followSystem);

// A double click sends a form once.
const sent = new Set();
document.addEventListener("submit", (event) => {
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
});

// A button at each password that shows what was typed. It goes back into hiding when the form is
// sent, or the browser would not know it for a password to keep.
addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("input[type=password]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "show-password btn btn-sm";
    button.innerHTML = 'Show<span class="visually-hidden"> password</span>';
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

// The Back button may bring a page back as it was left, forms sent and all. A member's page is
// left blank and asked for again, or it would come back after the logout.
addEventListener("pagehide", () => {
  document.documentElement.hidden = "member" in document.body.dataset;
});
addEventListener("pageshow", (event) => {
  sent.clear();
  if (event.persisted && "member" in document.body.dataset) location.reload();
});
