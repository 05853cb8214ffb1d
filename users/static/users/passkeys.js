// Passkeys: a form asks the site for a challenge, the browser for its answer, and sends that.

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const problem = form.querySelector("[role=alert]");
  const button = form.querySelector("[type=submit]");
  const make = "make" in form.dataset;

  button.hidden = !window.PublicKeyCredential?.parseRequestOptionsFromJSON;
  if (button.hidden) problem.textContent = "This browser knows no passkeys.";

  const answer = async () => {
    const response = await fetch(form.dataset.passkey, {
      method: "POST",
      body: new FormData(form),
      redirect: "manual",
    });
    // The site asks for something else first, such as the proof; so does this page, and says why.
    if (response.type === "opaqueredirect") return location.assign(location.href);
    if (!response.ok) throw new Error("That was tried too often. Please try again later.");
    const options = await response.json();
    const { credentials } = navigator;
    const credential = make
      ? await credentials.create({
          publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
        })
      : await credentials.get({
          publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
        });
    form.elements.credential.value = JSON.stringify(credential);
    form.requestSubmit(button);
    form.elements.credential.value = ""; // it counts once, also if the page is come back to
  };

  form.addEventListener("submit", (event) => {
    if (form.elements.credential.value) return; // the second time it is sent
    event.preventDefault();
    if (button.ariaBusy) return; // a double click
    button.ariaBusy = "true";
    problem.textContent = "";
    answer().catch((error) => {
      button.ariaBusy = null;
      // The browser's own are of another kind, and in its words.
      const ours = error.name === "Error";
      problem.textContent = ours
        ? error.message
        : "Your browser gave no passkey. Please try again.";
    });
  });
}
