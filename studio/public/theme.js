// Before the first paint, so that nothing flashes in the other theme.
try {
  const theme = localStorage.getItem("studio.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's theme holds.
}
