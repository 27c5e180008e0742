// Runs before the page is painted, so that a chosen theme never flashes. It stands alone: a script before the first paint imports nothing.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
} catch {
  // Site data is blocked: then the system's theme it is.
}
document.documentElement.classList.add("scripted");
