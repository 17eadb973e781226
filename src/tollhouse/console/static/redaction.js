// Takes secrets out of what somebody pastes, in the browser, by the same expressions as the server (access/redaction.py).

const REDACTED = "[redacted key]";

export const reader = (shapes) =>
  shapes.map(([pattern, anyCase]) => new RegExp(pattern, anyCase ? "gi" : "g"));

export const redact = (expressions, text, most) => {
  let found = 0;
  let left = Array.from(text).slice(0, most).join("");
  for (const expression of expressions) {
    left = left.replace(expression, (all, kept) => {
      found += 1;
      return (kept ?? "") + REDACTED;
    });
  }
  return { text: left, found };
};

const box = globalThis.document?.getElementById("redaction");
if (box) {
  const expressions = reader(JSON.parse(box.dataset.shapes));
  const most = Number(box.dataset.textMax);
  const from = document.getElementById("unredacted"), to = document.getElementById("redacted");
  const copy = document.getElementById("copy-redacted"), count = document.getElementById("redacted-count");
  box.hidden = false;
  from.addEventListener("input", () => {
    const { text, found } = redact(expressions, from.value, most);
    to.value = copy.dataset.copy = text;
    count.textContent = found;
  });
}
