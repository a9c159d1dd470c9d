// Draws the spans of a sentence as bars with names below its tokens. Nested and crossing spans are in different lanes.

const NAME_FONT = 6.3, WIDE = 16.5, NARROW = 8.6, GAP = 5; // pixels of a character of a name, of a wide and narrow one, of a space
const WIDE_CHARACTER = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3ffff}]/u;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]|[\u{10800}-\u{10fff}]|[\u{1e800}-\u{1efff}]/u;
const NUM_COLOURS = 8;

const widthOf = (text) => Array.from(text).reduce((sum, one) => sum + (WIDE_CHARACTER.test(one) ? WIDE : NARROW), 0);
const nameWidth = (text) => Array.from(text).reduce((sum, one) => sum + (WIDE_CHARACTER.test(one) ? 10.5 : NAME_FONT), 0) + 8;

function colourOf(span) {
  if (!span.isTarget) return span.origin === "pos" ? "muted" : "c5";
  return "c" + (Math.max(0, DATA.labels.indexOf(span.label)) % NUM_COLOURS);
}

// Longer spans take the upper lanes; each span takes the first lane in which its tokens are free.
function addLanes(spans) {
  const taken = [];
  for (const span of [...spans].sort((one, other) => other.end - other.start - (one.end - one.start) || one.start - other.start)) {
    let lane = 0;
    while (taken[lane]?.some((other) => other.start < span.end && span.start < other.end)) lane += 1;
    (taken[lane] ??= []).push(span);
    span.lane = lane;
  }
}

// Space after the last token of a span whose name is wider than its tokens; inner spans first.
function spacesAfter(tokens, spans) {
  const gap = DATA.isDense ? 0 : GAP;
  const widths = tokens.map((token) => widthOf(token) + gap);
  const spaces = tokens.map(() => gap);
  for (const span of [...spans].sort((one, other) => one.end - one.start - (other.end - other.start))) {
    const width = widths.slice(span.start, span.end).reduce((sum, one) => sum + one, 0);
    const missing = nameWidth(span.name ?? span.label) - width;
    if (missing > 0) {
      widths[span.end - 1] += missing;
      spaces[span.end - 1] += missing;
    }
  }
  return spaces;
}

function barOf(span, place) {
  const isStart = place === span.start, isEnd = place === span.end - 1;
  const classes = ["bar", `o-${span.origin}`, span.isTarget ? "target" : "extension", ...(span.state ? [span.state] : [])];
  if (!["gold", "ner", "copied", "patch", "entity", "pos"].includes(span.origin)) classes[1] = "o-other";
  if (isStart) classes.push("start");
  if (isEnd) classes.push("end");
  const bar = make("span", { class: classes.join(" "), style: `--lane:${span.lane};--colour:var(--${colourOf(span)})` });
  if (isStart) bar.append(make("bdi", { class: "name" }, span.name ?? span.label));
  const score = span.score === null || span.score === undefined ? "" : ` ${span.score.toFixed(3)}`;
  bar.title = `${span.label} [${span.start}, ${span.end}) ${t("origin." + span.origin)}${score}`;
  return bar;
}

// The direction of the first letter; dir="auto" does not look into the elements of the tokens.
function directionOf(tokens) {
  const first = /\p{L}/u.exec(tokens.join(" "));
  return first && RIGHT_TO_LEFT.test(first[0]) ? "rtl" : "ltr";
}

function drawSentence(tokens, spans) {
  addLanes(spans);
  const spaces = spacesAfter(tokens, spans);
  const line = make("div", { class: "sentence", dir: directionOf(tokens) });
  tokens.forEach((token, place) => {
    const own = spans.filter((span) => span.start <= place && place < span.end);
    const lanes = own.reduce((most, span) => Math.max(most, span.lane + 1), 0);
    const shown = make("span", { class: "token", style: `--lanes:${lanes};--space:${spaces[place].toFixed(1)}px` });
    shown.append(make("bdi", {}, token === " " ? "\u00a0" : token), ...own.map((span) => barOf(span, place)));
    shown.dataset.place = place;
    line.append(shown, DATA.isDense ? "" : " ");
  });
  return line;
}
