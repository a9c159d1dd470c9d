// Texts of the page in two languages. An element with data-t shows the text with this key.

const byId = (id) => document.getElementById(id);
const DATA = JSON.parse(byId("data").textContent);
let language = DATA.language;

function t(key, values = {}) {
  const texts = DATA.texts[language];
  const text = Object.hasOwn(texts, key) ? texts[key] : key.replace(/^(reason|origin)\./, "");
  return text.replace(/\{(\w+)\}/g, (place, name) => (Object.hasOwn(values, name) ? String(values[name]) : place));
}

function translatePage() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-t]")) {
    if (Object.hasOwn(DATA.texts[language], element.dataset.t)) element.textContent = t(element.dataset.t);
  }
  for (const element of document.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
  for (const element of document.querySelectorAll("[data-t-placeholder]")) element.placeholder = t(element.dataset.tPlaceholder);
}

// Makes an element; texts become text nodes, so that nothing in them is read as HTML.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// What the browser keeps between visits; a page from a file may not be allowed to.
const kept = {
  read(name) {
    try { return JSON.parse(localStorage.getItem(name)); } catch { return null; }
  },
  write(name, value) {
    try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* not kept */ }
  },
};
