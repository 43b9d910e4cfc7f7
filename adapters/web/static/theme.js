/**
 * Light or dark, before anything is drawn: this script is no module, so the browser waits for it. What was chosen is
 * in the browser's storage (`looks.js` puts it there); otherwise the system decides, and may change its mind.
 */
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  const apply = () => {
    let chosen = root.dataset.chosen ?? "";
    try {
      chosen = JSON.parse(localStorage.getItem("kagentbot.theme") ?? '""') || chosen;
    } catch {
      // Storage is forbidden, or holds something else: what was chosen lasts as long as the page.
    }
    const theme = chosen === "dark" || chosen === "light" ? chosen : dark.matches ? "dark" : "light";
    root.dataset.theme = theme;
    for (const meta of document.querySelectorAll("meta[name='theme-color']"))
      meta.setAttribute("content", theme === "dark" ? "#131412" : "#f4f2ed");
  };

  apply();
  dark.addEventListener("change", apply);
  // Another tab has chosen, or this one has.
  window.addEventListener("storage", apply);
  document.addEventListener("kagentbot:theme", apply);
})();
