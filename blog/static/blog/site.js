// What the site adds where there is JavaScript; every page works without it.

// Bootstrap's light or dark: what the visitor has chosen, or what the system says.
const dark = matchMedia("(prefers-color-scheme: dark)");
let chosenTheme = "";
const setTheme = () => {
  const system = dark.matches ? "dark" : "light";
  document.documentElement.dataset.bsTheme = chosenTheme || system;
  const select = document.getElementById("theme");
  if (select) select.value = chosenTheme;
};
const readTheme = () => {
  try {
    chosenTheme = localStorage.getItem("theme") || "";
  } catch {
    // Where cookies are blocked, nothing is kept from page to page.
  }
  setTheme();
};
readTheme();
dark.addEventListener("change", setTheme);
addEventListener("storage", readTheme); // chosen in another tab
addEventListener("DOMContentLoaded", () => {
  const select = document.getElementById("theme");
  setTheme(); // now that there is a select
  select.parentElement.hidden = false;
  select.addEventListener("change", () => {
    chosenTheme = select.value;
    setTheme();
    localStorage.setItem("theme", chosenTheme); // last: an error where cookies are blocked
  });
});

// The menu of the bar closes as menus do.
const closeMenu = (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    menu.open = event.key !== "Escape" && menu.contains(event.target);
  }
};
document.addEventListener("click", closeMenu);
document.addEventListener("keydown", closeMenu);

// To the first field that was filled in wrongly; the browser's own autofocus has been by then.
addEventListener("load", () => document.querySelector("[aria-invalid=true]")?.focus());

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
    const show = (shown) => {
      field.type = shown ? "text" : "password";
      button.replaceChildren(shown ? "Hide" : "Show", what);
    };
    show(false);
    field.spellcheck = false; // some browsers check the spelling on a server
    field.autocapitalize = "none";
    button.addEventListener("click", () => show(field.type === "password"));
    field.form.addEventListener("submit", () => show(false));
    field.after(button);
    if (field.minLength > 0) countMissing(field);
  }
});

// How many characters of a new password are missing, while it is typed.
const countMissing = (field) => {
  const count = document.createElement("div");
  count.className = "form-text";
  count.setAttribute("role", "status");
  field.parentElement.append(count);
  field.addEventListener("input", () => {
    const missing = field.minLength - [...field.value].length;
    count.textContent =
      !field.value || missing < 1 ? "" : `${missing} more character${missing > 1 ? "s" : ""}`;
  });
};

// A picture is seen before it is sent.
addEventListener("DOMContentLoaded", () => {
  for (const picture of document.querySelectorAll("[data-preview]")) {
    const saved = picture.src;
    document.getElementById(picture.dataset.preview).addEventListener("change", (event) => {
      const [file] = event.target.files;
      const reader = new FileReader();
      reader.addEventListener("load", () => (picture.src = reader.result));
      if (file) reader.readAsDataURL(file);
      else picture.src = saved;
    });
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
  if (event.persisted) readTheme();
  if (event.persisted && "member" in document.body.dataset) location.reload();
});
