// The playground with JavaScript: the answer comes as it is written and can be stopped, and what would be held and the
// code follow the form. Without it the form is sent and a page comes back.

const form = document.getElementById("ask");
const answer = document.getElementById("answer"), refused = document.getElementById("refused");
const media = document.getElementById("media");
const answered = document.getElementById("answered"), stop = document.getElementById("stop");
const send = form?.querySelector("button.primary");
let running = null, looking = null, due = null;

const fields = () => new URLSearchParams(new FormData(form));

const show = (state) => {
  for (const one of document.querySelectorAll("[data-state]")) one.hidden = one.dataset.state !== state;
};

const pageOf = (text) => new DOMParser().parseFromString(text, "text/html");

// A part of another page of ours takes the place of its like here.
const replace = async (address, options, names) => {
  const reply = await fetch(address, options);
  const page = pageOf(await reply.text());
  for (const name of names) {
    const fresh = page.getElementById(name);
    if (fresh) document.getElementById(name).replaceWith(fresh);
  }
};

const look = async () => {
  looking?.abort();
  looking = new AbortController();
  try {
    await replace(form.dataset.look, { method: "POST", body: fields(), signal: looking.signal }, ["ahead", "code"]);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
};

// The events of a stream: what stands behind `event:` and `data:` of each.
async function* events(reply) {
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const data = /^data: (.*)$/m.exec(part);
      if (data) yield [/^event: (.*)$/m.exec(part)?.[1] ?? "message", JSON.parse(data[1])];
    }
  }
}

const told = (message) => {
  refused.textContent = message;
  refused.hidden = false;
};

const showMedium = ({ kind, source }) => {
  const shown = document.createElement(kind === "image" ? "img" : "audio");
  if (kind === "image") shown.alt = media.dataset.alt;
  else shown.controls = true;
  shown.src = source;
  media.append(shown);
};

const busy = (is) => {
  answered.setAttribute("aria-busy", is);
  stop.hidden = !is;
  send.disabled = is;
};

const ask = async () => {
  running = new AbortController();
  let id = "", state = "asked";
  document.getElementById("outcome").replaceChildren();
  answer.textContent = refused.textContent = "";
  media.replaceChildren();
  refused.hidden = true;
  busy(true);
  show(state);
  answered.scrollIntoView({ block: "nearest" });
  try {
    const options = { method: "POST", body: fields(), headers: { accept: "text/event-stream, text/html" }, signal: running.signal };
    const reply = await fetch(form.dataset.stream, options);
    if (reply.redirected) return location.reload();
    if (!reply.ok) {
      told(pageOf(await reply.text()).querySelector("main .lead")?.textContent ?? String(reply.status));
      state = "";
    } else {
      state = "broke";
      const text = answer.appendChild(new Text());
      for await (const [name, data] of events(reply)) {
        if (name === "began") id = data.id;
        else if (name === "failed") told(data.message);
        else if (name === "medium") showMedium(data);
        else if (name === "ended") state = refused.hidden ? "whole" : "";
        else {
          text.appendData(data.text);
          show("comes");
        }
      }
    }
  } catch (error) {
    state = running.signal.aborted ? "stopped" : "broke";
  }
  show(state);
  if (document.activeElement === stop) answer.focus();
  busy(false);
  if (!id) return;
  await replace(`/console/playground/calls/${id}`, {}, ["outcome"]);
  if (document.querySelector("#outcome [data-why]")) refused.hidden = true; // it says the same
};

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (stop.hidden) ask();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(send);
  });
  stop.addEventListener("click", () => running.abort());
  const changed = (wait) => {
    clearTimeout(due);
    due = setTimeout(look, wait);
  };
  document.addEventListener("change", (event) => event.target.form === form && changed(0));
  form.addEventListener("input", () => changed(600));
}
