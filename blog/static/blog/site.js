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

// The Back button may bring a page back as it was left, forms sent and all. A member's page is
// left blank and asked for again, or it would come back after the logout.
addEventListener("pagehide", () => {
  document.documentElement.hidden = "member" in document.body.dataset;
});
addEventListener("pageshow", (event) => {
  sent.clear();
  if (event.persisted && "member" in document.body.dataset) location.reload();
});
