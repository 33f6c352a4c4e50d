// Set before paint, so that a dark room stays dark. Everything else waits in app.js.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  const kept = localStorage.getItem("theme");
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;
})();
