// reviewapp, the grading screens: keys, focus, conditions, drafts. Optional: every control is a plain form control.
(() => {
  const { acts } = window.reviewapp;
  // The next card must work the moment it is seen: a submit before it is set up would load a whole page.
  htmx.config.defaultSettleDelay = 0;
  const $ = (q, from = document) => from.querySelector(q);
  const $$ = (q, from = document) => [...from.querySelectorAll(q)];
  const card = () => $("#card");
  const form = () => $("#decide");
  const isPair = () => card().dataset.kind === "pair";
  const live = $("#live");
  const say = (text) => { if (text) live.textContent = text; };
  const isMac = /Mac|iP(hone|ad)/.test(navigator.platform);

  // ---- what is asked: one question holds the focus, number keys act on it alone ----
  const questions = () => $$(".crit[data-crit]:not([hidden])", form() ?? document.createElement("form"));
  const focused = () => questions().find((q) => q.classList.contains("is-focus"));
  const inputs = (q) => $$("input:not([type=hidden]), textarea, select", q);

  function focusOn(question, { intoInput = true } = {}) {
    for (const one of questions()) one.classList.toggle("is-focus", one === question);
    const at = $("#dock-at");
    if (at && question) at.textContent = `${questions().indexOf(question) + 1} of ${questions().length}`;
    if (!question) return;
    if (intoInput) {
      const target = $(":checked", question) ?? inputs(question)[0];
      target?.focus({ preventScroll: true });
    }
    question.scrollIntoView({ block: "nearest" });
  }
  function move(by) {
    const all = questions();
    if (!all.length) return;
    const at = all.indexOf(focused());
    focusOn(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length]);
  }

  // ---- conditions and counts: a hidden question counts as not answered ----
  const chosen = (name) => {
    const found = $$(`[name="${CSS.escape(name)}"]`, form()).filter((el) => !el.closest(".crit[hidden]"));
    return found.filter((el) => el.checked).map((el) => el.value);
  };
  function isAnswered(question) {
    if ($("input:checked", question)) return true;
    return inputs(question).some((el) => /^(text|textarea)$/.test(el.type) && el.value.trim());
  }
  function refresh() {
    if (!form()) return;
    for (const question of $$("[data-when]", form())) {
      const [name, values] = question.dataset.when.split("=");
      const wanted = values.split(",");
      question.hidden = !chosen(name).some((value) => wanted.includes(value));
    }
    if (!focused() && !isPair()) focusOn(questions()[0], { intoInput: false });
    let done = 0;
    for (const question of questions()) {
      const state = $(".crit-name .st", question);
      const has = isAnswered(question);
      done += Number(has);
      if (!state || state.classList.contains("st-bad") && !has) continue;
      state.dataset.open ??= has || state.classList.contains("st-bad") ? "open" : state.textContent;
      state.className = has ? "st st-good" : "st";
      state.textContent = has ? "graded" : state.dataset.open;
    }
    const tally = $("#tally");
    if (tally) tally.textContent = `${done} of ${questions().length} graded`;
    for (const strength of $$("[data-strength]", form())) {
      const name = $("input", strength).name === "strength" ? "winner" : $("input", strength).name.replace(/-strength$/, "");
      const [winner] = chosen(name);
      strength.disabled = winner === "tie" || winner === "both_bad";
      if (strength.disabled) for (const el of $$("input", strength)) el.checked = false;
    }
    if (isPair()) {
      const [winner] = chosen("winner");
      $(".side-a").classList.toggle("picked", winner === "left");
      $(".side-b").classList.toggle("picked", winner === "right");
    }
  }

  // ---- drafts ----
  let waiting = 0;
  let changed = false;
  const saved = (text, tone = "") => {
    const box = $("#saved");
    if (box) { box.className = `st ${tone}`; box.textContent = text; }
  };
  function keepSoon(delay) {
    changed = true;
    saved("Not saved yet");
    clearTimeout(waiting);
    waiting = setTimeout(keepNow, delay);
  }
  function keepNow() {
    clearTimeout(waiting);
    if (!changed || !form()) return;
    changed = false;
    htmx.trigger("#autosave", "save-draft");
  }

  // ---- time: counted while the tab is seen and something happened in the last minute ----
  let touched = performance.now();
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchmove", "scroll"])
    document.addEventListener(kind, () => { touched = performance.now(); }, { passive: true, capture: true });
  setInterval(() => {
    const box = form()?.elements.active_seconds;
    if (box && document.visibilityState === "visible" && performance.now() - touched < 60_000)
      box.value = String(Math.round((Number(box.value) + 1) * 10) / 10);
  }, 1000);

  // ---- acts of buttons ----
  const setOpen = (pop, isOpen) => { pop.open = isOpen; if (isOpen) $("input, textarea", pop)?.focus(); };
  Object.assign(acts, {
    prev() { move(-1); },
    next() { move(1); },
    keys() { $("#keys").showModal(); },
    dock(btn) {
      const isOpen = form().classList.toggle("is-open");
      btn.setAttribute("aria-expanded", String(isOpen));
      btn.textContent = isOpen ? "One question" : "Whole rubric";
    },
    side(btn) {
      $(".pair").dataset.side = btn.dataset.side;
      for (const one of $$("[data-act=side]")) one.setAttribute("aria-pressed", String(one === btn));
    },
    comment() {
      form().classList.add("is-open");
      $("#comment").focus();
      $("#comment").scrollIntoView({ block: "nearest" });
    },
    correct() {
      const box = $("#correct");
      form().classList.add("is-open");
      box.open = true;
      $("#correction").focus();
      box.scrollIntoView({ block: "nearest" });
    },
  });

  document.addEventListener("focusin", (e) => {
    const question = e.target.closest?.(".crit[data-crit]");
    if (question && !question.classList.contains("is-focus")) focusOn(question, { intoInput: false });
  });
  document.addEventListener("change", (e) => {
    if (e.target.form?.id !== "decide") return;
    const question = e.target.closest("[data-crit=multiselect]");
    if (question && e.target.checked)
      for (const el of $$("input", question)) if (el !== e.target && (el.value === "none") !== (e.target.value === "none")) el.checked = false;
    refresh();
    keepSoon(700);
  });
  document.addEventListener("input", (e) => {
    if (e.target.form?.id !== "decide" || /^(radio|checkbox)$/.test(e.target.type)) return;
    refresh();
    keepSoon(1500);
  });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") keepNow(); });
  // A source that a citation leads to is shown, also when it lies in a closed part.
  document.addEventListener("click", (e) => {
    const cite = e.target.closest(".cite");
    if (cite) document.getElementById(cite.hash.slice(1))?.closest("details")?.setAttribute("open", "");
    for (const pop of $$("details.pop[open]")) if (!pop.contains(e.target)) pop.open = false;
  });

  // ---- keys ----
  const isTyping = (el) => el.matches?.("textarea, select, [contenteditable], input:not([type=radio]):not([type=checkbox])");
  const isBusy = () => card().getAttribute("aria-busy") === "true";

  function press(el) {
    if (!el || el.disabled) return;
    const shown = el.closest("label") ?? el;
    shown.classList.add("pulse");
    setTimeout(() => shown.classList.remove("pulse"), 140);
    const pop = el.closest("summary") && el.closest("details.pop");
    if (pop) { setOpen(pop, !pop.open); return; }
    el.click();
    if (el.matches("input")) el.focus({ preventScroll: true });
  }
  function digit(number) {
    const question = focused();
    if (isPair() && (!question || !question.offsetParent)) {
      const box = $("[data-strength]:not(:disabled)", form());
      return press(box && $$("input", box)[number - 1]);
    }
    return press(question && $$(".opt input", question)[number - 1]);
  }
  const PICKS = { a: "left", ArrowLeft: "left", b: "right", ArrowRight: "right", t: "tie", x: "both_bad" };
  const STEPS = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };

  function single(e) {
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (form()) {
      if (key in STEPS) return () => move(STEPS[key]);
      if (/^[1-9]$/.test(key)) return () => digit(Number(key));
      if (isPair() && PICKS[key]) return () => press($(`[data-pick="${PICKS[key]}"]`));
      if (key === "Enter" && e.target.matches("input[type=radio], input[type=checkbox]")) return () => move(1);
    } else if (key === "Enter" && (e.target === document.body || e.target === card())) {
      return () => press($('[data-key="enter"]'));
    }
    const target = $(`[data-key="${CSS.escape(key.toLowerCase())}"]`);
    return target && (() => press(target));
  }
  document.addEventListener("keydown", (e) => {
    if (!card() || e.isComposing || e.repeat || $("dialog[open]")) return;
    const isChord = (e.ctrlKey || e.metaKey) && !e.altKey && !e.getModifierState("AltGraph");
    if (isChord && e.key === "Enter") {
      e.preventDefault();
      if (!isBusy()) press($('[data-key="mod+enter"]'));
      return;
    }
    if (e.key === "Escape") {
      const pop = e.target.closest?.("details.pop[open]");
      if (pop) { pop.open = false; $("summary", pop).focus(); } else if (isTyping(e.target)) { e.target.blur(); card().focus({ preventScroll: true }); }
      return;
    }
    // Enter in a field of the decision would submit it unread: it goes on instead.
    if (e.key === "Enter" && e.target.form?.id === "decide" && e.target.matches("input[type=text]")) {
      e.preventDefault();
      return move(1);
    }
    if (e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target) || isBusy()) return;
    const act = single(e);
    if (act) { e.preventDefault(); act(); }
  });

  // ---- requests: the card is busy while one that will replace it runs ----
  const replaces = (e) => e.detail.requestConfig?.target?.id === "card" || e.detail.target?.id === "card";
  const isDraft = (e) => e.detail.elt?.id === "autosave";
  function note(title, text, from) {
    $("#offline")?.remove();
    const box = document.createElement("div");
    box.id = "offline";
    box.dataset.from = from;
    box.className = "note note-warn bench-note";
    box.setAttribute("role", "alert");
    const head = document.createElement("h2");
    const body = document.createElement("p");
    head.textContent = title;
    body.textContent = text;
    box.append(head, body);
    card().prepend(box);
  }
  document.addEventListener("htmx:beforeRequest", (e) => {
    if (isDraft(e)) { saved("Saving draft…", "st-busy"); return; }
    if (replaces(e)) { clearTimeout(waiting); changed = false; card().setAttribute("aria-busy", "true"); }
  });
  document.addEventListener("htmx:afterRequest", (e) => {
    if (isDraft(e)) {
      if (e.detail.successful) { saved("Draft saved", "st-good"); $("#offline[data-from=draft]")?.remove(); }
      return;
    }
    card()?.removeAttribute("aria-busy");
  });
  document.addEventListener("htmx:sendError", (e) => failed(e, "No connection", "What you entered is still here. Send it again when the connection is back."));
  document.addEventListener("htmx:timeout", (e) => failed(e, "No answer yet", "What you entered is still here. Sending it again is safe: it counts once."));
  document.addEventListener("htmx:responseError", (e) => {
    if (isDraft(e) && e.detail.xhr.status === 409) return;
    failed(e, "This could not be done", `The answer was ${e.detail.xhr.status}. What you entered is still here; reload the page if it stays so.`);
  });
  function failed(e, title, text) {
    changed = true;
    saved("Not saved", "st-warn");
    card()?.removeAttribute("aria-busy");
    // A submit that failed stays told until it is sent again: a draft that got through meanwhile is no submit.
    note(title, text, isDraft(e) ? "draft" : "submit");
  }
  addEventListener("online", () => { $("#offline")?.remove(); say("The connection is back."); keepNow(); });

  function arrive(isSwap) {
    for (const el of $$("[data-mod]")) el.textContent = isMac ? "⌘ ↵" : "Ctrl ↵";
    refresh();
    const at = card();
    document.body.classList.toggle("has-dock", at.dataset.kind === "single");
    const wrong = $(".crit:has(.error)", form() ?? at);
    const pairFirst = isPair() && !wrong;
    if (isSwap) {
      changed = false;
      if (at.dataset.wrong === undefined) scrollTo({ top: 0 });
      at.focus({ preventScroll: true });
      say(at.dataset.say);
    }
    if (form() && !pairFirst) focusOn(wrong?.dataset.crit ? wrong : questions()[0], { intoInput: isSwap });
  }
  // With the swap, not after it has settled: a fast reviewer has pressed two keys by then, and would lose the focus.
  document.addEventListener("htmx:afterSwap", (e) => { if (e.target.id === "card") arrive(true); });
  arrive(false);
})();
