/** Which turn took over from which: one that is edited, merged or asked again goes on in another one. */

/** @typedef {import("./types.js").Turn} Turn */

/** States in which a turn has no answer of its own. */
export const WITHOUT_REPLY = ["merged", "superseded", "withdrawn"];

/** Which turn took over from which. @param {Turn[]} turns @returns {Map<Turn["id"], Turn["id"]>} */
export function successors(turns) {
  const known = new Set(turns.map((turn) => turn.id));
  const next = new Map();
  for (const turn of turns) {
    if (turn.merged_into !== null && WITHOUT_REPLY.includes(turn.state) && known.has(turn.merged_into))
      next.set(turn.id, turn.merged_into);
    if (turn.retry_of !== null && known.has(turn.retry_of)) next.set(turn.retry_of, turn.id);
  }
  return next;
}

/** @param {Turn["id"]} id @param {Map<Turn["id"], Turn["id"]>} next @returns {Turn["id"]} */
export function last(id, next) {
  // Bounded, so that a circle in broken data can't hang the page.
  for (let hops = 0; next.has(id) && hops < next.size; hops += 1) id = next.get(id) ?? id;
  return id;
}
