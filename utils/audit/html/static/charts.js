// Saves a chart as SVG or PNG, in the colours that it has now.

const ZOOM = 3;

function standalone(svg) {
  const copy = svg.cloneNode(true);
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  for (const [name, value] of Object.entries({ xmlns: "http://www.w3.org/2000/svg", width, height })) copy.setAttribute(name, value);
  const style = getComputedStyle(document.documentElement);
  for (const element of copy.querySelectorAll("[fill], [stroke]")) {
    for (const name of ["fill", "stroke"]) {
      const variable = /^var\((--[\w-]+)\)$/.exec(element.getAttribute(name) ?? "");
      if (variable) element.setAttribute(name, style.getPropertyValue(variable[1]).trim());
    }
  }
  const back = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ width: "100%", height: "100%", fill: style.getPropertyValue("--page").trim() })) back.setAttribute(name, value);
  copy.prepend(back);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

function saveChart(figure, kind) {
  const { text, width, height } = standalone(figure.querySelector("svg"));
  const blob = new Blob([text], { type: "image/svg+xml" });
  if (kind === "svg") return save(blob, `${figure.dataset.name}.svg`);
  const picture = new Image();
  picture.onload = () => {
    const canvas = make("canvas", { width: width * ZOOM, height: height * ZOOM });
    canvas.getContext("2d").drawImage(picture, 0, 0, width * ZOOM, height * ZOOM);
    canvas.toBlob((made) => save(made, `${figure.dataset.name}.png`), "image/png");
  };
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  return undefined;
}
