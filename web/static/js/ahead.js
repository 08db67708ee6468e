// The case that will be opened next is asked for before its key is pressed; what has changed since is forgotten.
const FRESH = 20000;
const DEPTH = 2;
const kept = new Map(); // address → { case, at, answer }

const caseOf = (address) => address.match(/\/inbox\/(\d+)/)?.[1];

async function read(address, signal) {
  const answer = await fetch(address, { headers: { "HX-Request": "true" }, signal });
  return { ok: answer.ok, redirect: answer.headers.get("HX-Redirect"), text: await answer.text() };
}

/** Asks for a case in advance; one that fails is asked for again when it is opened. */
export function ask(address) {
  const known = kept.get(address);
  if (known && performance.now() - known.at < FRESH) return known.answer;
  const calling = new AbortController();
  const one = { case: caseOf(address), at: performance.now(), calling };
  one.answer = read(address, calling.signal).catch(() => null).then((answer) => {
    if (!answer?.ok || answer.redirect) drop(address, one);
    return answer;
  });
  kept.set(address, one);
  return one.answer;
}

function drop(address, one) {
  if (kept.get(address) === one) kept.delete(address);
}

/** What was asked for in advance, or is asked for now; once. Throws what fetch throws. */
export async function take(address, signal) {
  const known = kept.get(address);
  kept.delete(address);
  const answer = known && performance.now() - known.at < FRESH ? await known.answer : null;
  signal.throwIfAborted();
  return answer?.ok && !answer.redirect ? answer : read(address, signal);
}

/** Of these cases (all of them when it is null) nothing is as it was. */
export function forget(ids = null) {
  for (const [address, one] of kept) {
    if (ids !== null && !ids.includes(Number(one.case))) continue;
    one.calling.abort();
    kept.delete(address);
  }
}

/** The rows that come next in the direction in which one goes; nothing else is kept. */
export async function lookAhead(row, step) {
  const wanted = [];
  for (let next = row; wanted.length < DEPTH; ) {
    next = step < 0 ? next?.previousElementSibling : next?.nextElementSibling;
    const link = next?.matches(".row") ? next.querySelector("a") : null;
    if (!link) break;
    wanted.push(link.getAttribute("href"));
  }
  for (const [address, one] of kept) if (!wanted.includes(address)) { one.calling.abort(); kept.delete(address); }
  for (const address of wanted) await ask(address);
}
