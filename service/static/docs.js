// The panel that sends requests. Answers are shown as they came: numbers keep their digits.
"use strict";

const form = document.getElementById("console");
const { method, path, body } = form.elements;
const status = document.getElementById("status");
const answer = document.getElementById("answer");
const curl = document.getElementById("curl");

function indented(text) {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) || [];
  let depth = 0;
  let written = "";
  const newline = () => "\n" + "  ".repeat(depth);
  tokens.forEach((token, index) => {
    const next = tokens[index + 1];
    if (token === "{" || token === "[") {
      depth += 1;
      written += token + (next === "}" || next === "]" ? "" : newline());
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const empty = tokens[index - 1] === "{" || tokens[index - 1] === "[";
      written += (empty ? "" : newline()) + token;
    } else {
      written += token === "," ? token + newline() : token === ":" ? ": " : token;
    }
  });
  return written;
}

function quoted(text) {
  return "'" + text.replaceAll("'", "'\\''") + "'";
}

function describe() {
  const sends = method.value !== "GET" && method.value !== "DELETE";
  body.hidden = !sends;
  const verb = method.value === "GET" ? "" : `-X ${method.value} `;
  const data = sends ? ` -H 'Content-Type: application/json' -d ${quoted(body.value)}` : "";
  curl.textContent = `curl ${verb}${quoted(location.origin + path.value)}${data}`;
  return sends;
}

async function send() {
  const options = { method: method.value };
  if (describe()) {
    options.body = body.value;
    options.headers = { "Content-Type": "application/json" };
  }
  const begun = performance.now();
  try {
    const response = await fetch(path.value, options);
    const text = await response.text();
    const range = response.headers.get("Content-Range");
    const size = new Blob([text]).size.toLocaleString("en");
    const figures = [`${Math.round(performance.now() - begun)} ms`, `${size} bytes`, range && `records ${range}`];
    show(`${response.status} ${response.statusText}`, figures.filter(Boolean).join(" · "), !response.ok);
    answer.textContent = (response.headers.get("Content-Type") || "").includes("json") ? indented(text) : text;
  } catch (error) {
    show("No answer", error.message, true);
    answer.textContent = "";
  }
}

function show(headline, figures, failed) {
  const strong = document.createElement("b");
  strong.textContent = headline;
  status.replaceChildren(strong, " " + figures);
  status.className = failed ? "failed" : "";
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.run");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    method.value = "GET";
    path.value = link.getAttribute("href");
    send();
  }
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
form.addEventListener("input", describe);
document.getElementById("copy").addEventListener("click", () => navigator.clipboard.writeText(curl.textContent));
document.querySelectorAll(".origin").forEach((origin) => { origin.textContent = location.origin; });
form.hidden = false;
// Where the panel lies over the text, it stays small until it is asked for something.
if (matchMedia("(min-width: 75rem)").matches) {
  send();
} else {
  describe();
}
