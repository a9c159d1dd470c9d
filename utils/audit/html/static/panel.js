// The panel below a sentence in which its spans are corrected.

function field(label, input) {
  return make("label", {}, t(label), " ", input);
}

const labelInput = (value) => make("input", { value, list: "label-names", spellcheck: false, size: 14, class: "label" });
const numberInput = (value, most) => make("input", { type: "number", min: 0, max: most, value, class: "number" });

const isSpan = (span, length) => Number.isInteger(span.start) && Number.isInteger(span.end) && span.start >= 0
  && span.start < span.end && span.end <= length && span.label.trim() !== "" && span.label !== "O";

function spanRow(row, span, changed) {
  const tokens = tokensOf(row);
  const own = corrections.get(row[ID]);
  const isWrong = span.added === undefined && own?.spans[span.number] === "wrong";
  const [label, start, end] = [labelInput(span.label), numberInput(span.start, tokens.length - 1), numberInput(span.end, tokens.length)];
  const mention = join(tokens.slice(span.start, span.end));
  for (const [input, key] of [[label, "correct.label"], [start, "correct.start"], [end, "correct.end"]]) {
    input.setAttribute("aria-label", `${t(key)}: ${mention}`);
    input.disabled = isWrong;
    input.addEventListener("change", () => {
      const wanted = { start: Number(start.value), end: Number(end.value), label: label.value.trim() };
      if (!isSpan(wanted, tokens.length)) return changed(t("correct.bad"));
      changeSentence(row[ID], (one) => {
        if (span.added !== undefined) one.added[span.added] = wanted;
        else {
          const old = spansOf(row)[span.number];
          const isSame = old.start === wanted.start && old.end === wanted.end && old.label === wanted.label;
          if (isSame) delete one.spans[span.number];
          else one.spans[span.number] = wanted;
        }
      });
      return changed();
    });
  }
  const wrong = make("button", { type: "button", class: "wrong-button", onclick: () => {
    changeSentence(row[ID], (one) => {
      if (span.added !== undefined) one.added.splice(span.added, 1);
      else if (one.spans[span.number] === "wrong") delete one.spans[span.number];
      else one.spans[span.number] = "wrong";
    });
    changed();
  } }, t(isWrong ? "correct.keep" : "correct.wrong"));
  wrong.setAttribute("aria-label", `${wrong.textContent}: ${span.label} ${mention}`);
  const score = span.score === null || span.score === undefined ? "" : ` ${span.score.toFixed(3)}`;
  return make("tr", { class: isWrong ? "is-wrong" : "" },
    make("td", {}, make("bdi", {}, mention)), make("td", {}, label), make("td", {}, start), make("td", {}, end),
    make("td", {}, t("origin." + span.origin) + score), make("td", {}, wrong));
}

function spanTable(row, spans, changed) {
  const heads = ["span", "label", "start", "end", "origin"].map((name) => make("th", { scope: "col" }, t("correct." + name)));
  const body = make("tbody", {}, ...spans.map((span) => spanRow(row, span, changed)));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads, make("td", {}))), body);
  return make("div", { class: "wide" }, table);
}

// A click on a token begins the new span, another one ends it.
function adder(row, changed) {
  const tokens = tokensOf(row);
  const [start, end, label] = [numberInput("", tokens.length - 1), numberInput("", tokens.length), labelInput("")];
  const picks = make("div", { class: "picks", dir: directionOf(tokens) });
  const show = () => [...picks.children].forEach((pick, place) => {
    pick.setAttribute("aria-pressed", String(place >= Number(start.value) && place < Number(end.value) && start.value !== ""));
  });
  tokens.forEach((token, place) => picks.append(make("button", { type: "button", "aria-pressed": "false", onclick: () => {
    const isLast = start.value !== "" && Number(end.value) === Number(start.value) + 1 && place > Number(start.value);
    if (!isLast) start.value = place;
    end.value = place + 1;
    show();
    if (isLast) label.focus();
  } }, make("bdi", {}, token))));
  for (const input of [start, end]) input.addEventListener("input", show);
  const add = () => {
    const wanted = { start: parseInt(start.value, 10), end: parseInt(end.value, 10), label: label.value.trim() };
    if (!isSpan(wanted, tokens.length)) return changed(t("correct.bad"));
    const isThere = correctedSpans(row).some((one) => one.state !== "wrong" && one.start === wanted.start && one.end === wanted.end && one.label === wanted.label);
    if (isThere) return changed(t("correct.exists"));
    changeSentence(row[ID], (one) => one.added.push(wanted));
    return changed();
  };
  label.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); add(); }
  });
  const button = make("button", { type: "button", class: "add-button", onclick: add }, t("correct.add"));
  return make("div", { class: "adder" }, make("p", {}, t("correct.add.text")), picks,
    make("p", { class: "fields" }, field("correct.start", start), " ", field("correct.end", end), " ", field("correct.label", label), " ", button));
}

function toggleDrop(row) {
  changeSentence(row[ID], (one) => { one.drop = !one.drop; });
}

function undoSentence(row) {
  corrections.delete(row[ID]);
  kept.write(STORE, [...corrections]);
  showCorrections();
}

function panelOf(row, message, changed) {
  const isDropped = corrections.get(row[ID])?.drop;
  const drop = make("button", { type: "button", onclick: () => { toggleDrop(row); changed(); } }, t(isDropped ? "correct.undrop" : "correct.drop"));
  const undo = make("button", { type: "button", disabled: !isCorrected(row[ID]), onclick: () => { undoSentence(row); changed(); } }, t("correct.undo"));
  const hasGold = spansOf(row).some((span) => span.origin === "gold");
  const spans = correctedSpans(row).filter((span) => isVisible(span) || span.state);
  return make("div", { class: "panel" },
    ...(isDropped ? [] : [spans.length ? spanTable(row, spans, changed) : "", adder(row, changed)]),
    make("p", { class: "buttons" }, drop, " ", undo),
    make("p", { role: "status", class: "message" }, message ?? ""),
    hasGold ? make("p", { class: "muted" }, t("correct.gold")) : null);
}
