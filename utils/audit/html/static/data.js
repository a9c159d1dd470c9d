// The sentences, which are decoded when they are needed.
// A row is [id, text, kind, source, size, doubtfulness, doubts, spans]; spans are four numbers each, as characters.

const [ID, TEXT, KIND, SOURCE, SIZE, DOUBT, DOUBTS, SPANS] = [0, 1, 2, 3, 4, 5, 6, 7];
const ROWS = DATA.rows;
const NUMBER_OF_ID = new Map(ROWS.map((row, number) => [row[ID], number]));
const LLM_ORIGINS = new Set(["entity", "pos"]);
const searchTexts = new Array(ROWS.length);

const tokensOf = (row) => (typeof row[TEXT] === "string" ? Array.from(row[TEXT]) : row[TEXT]);
const join = (tokens) => tokens.join(DATA.isDense ? "" : " ");
const isTarget = (label, origin) => label < DATA.targets && !LLM_ORIGINS.has(DATA.origins[origin]);

// The number of a character; see encoding.py.
function numberOf(character) {
  const code = character.codePointAt(0);
  if (code < 0x7f) return code - 0x5d;
  return (code >= 0xe000 ? code - 0x800 : code) - 0xa1 + 34;
}

// Calls visit(start, end, label, origin, score in thousandths or -1) for each span, until it returns true.
function eachSpan(row, visit) {
  let [start, length, pair, place] = [0, 0, 0, 0];
  for (const character of row[SPANS]) {
    const number = numberOf(character);
    if (place === 0) start += number % 2 ? -(number + 1) / 2 : number / 2;
    else if (place === 1) length = number;
    else if (place === 2) pair = number;
    else if (visit(start, start + length, ...DATA.pairs[pair], number - 1)) return true;
    place = (place + 1) % 4;
  }
  return false;
}

function spansOf(row) {
  const spans = [];
  eachSpan(row, (start, end, label, origin, score) => {
    spans.push({
      start, end, label: DATA.labels[label], origin: DATA.origins[origin], score: score < 0 ? null : score / 1000,
      isTarget: isTarget(label, origin), number: spans.length,
    });
  });
  return spans;
}

function searchText(number) {
  if (searchTexts[number] === undefined) {
    const text = ROWS[number][TEXT];
    searchTexts[number] = (typeof text === "string" ? text : join(text)).toLowerCase();
  }
  return searchTexts[number];
}

const isTargetLabel = (label) => {
  const number = DATA.labels.indexOf(label);
  return number >= 0 && number < DATA.targets;
};
