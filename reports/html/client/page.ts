// What the page's own controls do: light and dark, and panels of which one is shown.

const theme = document.getElementById("theme");
if (theme !== null) {
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const isDark =
      root.dataset["theme"] === undefined
        ? matchMedia("(prefers-color-scheme:dark)").matches
        : root.dataset["theme"] === "dark";
    root.dataset["theme"] = isDark ? "light" : "dark";
    theme.setAttribute("aria-pressed", String(!isDark));
    document.dispatchEvent(new Event("themechange"));
  });
}

/** `<select data-panels="name">` shows the `[data-panel=name]` whose data-value it has. */
for (const select of document.querySelectorAll<HTMLSelectElement>("select[data-panels]")) {
  const panels = document.querySelectorAll<HTMLElement>(
    `[data-panel="${CSS.escape(select.dataset["panels"] ?? "")}"]`,
  );
  const show = (): void => {
    for (const panel of panels) panel.hidden = panel.dataset["value"] !== select.value;
  };
  select.addEventListener("change", show);
  show();
}
