export type Theme = "system" | "light" | "dark";
const KEY = "studio.theme";

function stored(): Theme {
  const theme = document.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : "system";
}

class ThemeStore {
  value = $state<Theme>(stored());

  set(theme: Theme): void {
    this.value = theme;
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
    try {
      if (theme === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
  }
}

export const theme = new ThemeStore();
