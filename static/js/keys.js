// Security keys and passkeys: a button asks the browser, the browser asks the key, the form carries the answer.
(() => {
  const WORDS = {
    NotAllowedError: "Nothing was chosen, or the key did not answer in time. Try again.",
    InvalidStateError: "This key is registered for you already.",
    SecurityError: "The browser refuses keys at this address. Open the page at its usual name over HTTPS.",
    NotSupportedError: "This device cannot make the kind of key that is asked for.",
  };

  async function options(btn) {
    const given = document.getElementById("key-options");
    if (given) return JSON.parse(given.textContent);
    const answer = await fetch(btn.dataset.options, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`options: ${answer.status}`);
    return answer.json();
  }

  async function create(data) {
    const box = document.querySelector('input[name="passwordless"]');
    const wish = data.creation_options.publicKey.authenticatorSelection;
    wish.residentKey = box?.checked ? "required" : "discouraged";
    wish.requireResidentKey = Boolean(box?.checked);
    if (box?.checked) wish.userVerification = "required";
    return webauthnJSON.create(data.creation_options);
  }

  document.addEventListener("click", async (e) => {
    const btn = e.target.closest("[data-key]");
    if (!btn) return;
    const form = btn.form;
    const said = form.querySelector("[data-key-error]");
    said.hidden = true;
    btn.disabled = true;
    try {
      const data = await options(btn);
      const answer = btn.dataset.key === "create" ? await create(data) : await webauthnJSON.get(data.request_options);
      form.elements.credential.value = JSON.stringify(answer);
      form.submit();
    } catch (error) {
      said.textContent = WORDS[error.name] ?? "The key could not be asked. Reload the page and try again.";
      said.hidden = false;
      btn.disabled = false;
    }
  });
})();
