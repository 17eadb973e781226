// What pages do beyond HTML: copy what is shown. Every page works without it.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const words = button.textContent;
  button.textContent = "✓";
  setTimeout(() => (button.textContent = words), 1500);
});
