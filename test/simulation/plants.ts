/**
 * Planted bugs: each breaks one rule of SPEC.md at one place of the product's source, to prove that the simulator can
 * see it. A plant names the text that it replaces, which must stand exactly once; so a plant that no longer fits says
 * so instead of proving nothing.
 */
export interface Plant {
  /** The rule that it breaks, and a letter where there are several. */
  readonly name: string
  /** What the broken product does. */
  readonly does: string
  readonly find: string
  readonly replace: string
}

export const plants: readonly Plant[] = [
  {
    name: 'A1',
    does: 'a relay answers before its commit is on disk',
    find: 'if (draft !== null) await commit(draft)\n      deliver(space.committed())',
    replace: 'deliver(space.committed())\n      if (draft !== null) await commit(draft)',
  },
  {
    name: 'A1 client',
    does: 'own writes are stored so that a power loss takes them',
    find: "chunk => append(chunk, { durability: 'strict' })",
    replace: "chunk => append(chunk, { durability: 'relaxed' })",
  },
  {
    name: 'join lww',
    does: 'the copy that arrives last stands',
    find: 'return order > 0 || (order === 0 && compareBytes(b.value, a.value) > 0) ? b : a',
    replace: 'return order === 0 ? a : b',
  },
  {
    name: 'join ask',
    does: 'what was replaced comes back with an old copy',
    find: 'else if (!contextCovers(b.context, sibling.mark)) siblings.push(sibling)',
    replace: 'else siblings.push(sibling)',
  },
  {
    name: 'join set',
    does: 'a removal is lost in a join',
    find: 'const removed = greaterMark(a.removed, b.removed)',
    replace: 'const removed = a.removed',
  },
  {
    name: 'join counter',
    does: "of each writer's increments the first ones alone count",
    find: 'if (mine !== undefined && !isLater(theirs, mine)) continue',
    replace: 'if (mine !== undefined) continue',
  },
  {
    name: 'join text',
    does: 'a text cell does not grow',
    find: "return context === a.context ? a : { strategy: 'text', context }",
    replace: "return a.context.size > 0 ? a : { strategy: 'text', context }",
  },
  {
    name: 'deletion seen',
    does: 'of two deletions, what the second one saw is thrown away',
    find: 'const joined = mine === undefined ? theirs : joinSeen(mine, theirs)',
    replace: 'const joined = mine ?? theirs',
  },
  {
    name: 'revival',
    does: 'whoever was inserted once exists for ever',
    find: 'return row.revival !== null && compareMarks(row.revival, deletion.mark) >= 0',
    replace: 'return row.revival !== null',
  },
  {
    name: 'exists delete-wins',
    does: 'an edit that a deletion had not seen keeps a document that must go',
    find: "return deletion.policy !== 'delete-wins' && hasUnseenWrites(row, deletion)",
    replace: 'return hasUnseenWrites(row, deletion)',
  },
  {
    name: 'exists edit-wins',
    does: 'a deletion hides edits that it had not seen',
    find: "return deletion.policy !== 'delete-wins' && hasUnseenWrites(row, deletion)",
    replace: 'return false',
  },
  {
    name: 'W1',
    does: 'a write is not seen before it is on disk',
    find: 'batch.note(state.write(transaction))',
    replace: '',
  },
  {
    name: 'W2',
    does: 'a relay takes of a transaction what it does not refuse',
    find: "if (error !== null) return { kind: 'refused', write: i, error }",
    replace: 'if (error !== null) continue',
  },
  {
    name: 'W4',
    does: 'a write may bear a mark that is smaller than what its writer saw',
    find: 'if (over === null || isLater(stamp, over)) return { stamp, clock: stamp }',
    replace: 'if (over !== undefined) return { stamp, clock: stamp }',
  },
  {
    name: 'W6 (1)',
    does: 'what is made anew bears the time at which it is made anew',
    find: 'return { ms: Math.max(0, Math.floor(Math.min(shifted, context.now))), tick }',
    replace: 'return { ms: Math.max(shifted, Math.floor(context.now)), tick }',
  },
  {
    name: 'W6 (3)',
    does: 'what is made anew may bear a mark that is smaller than what its writer saw',
    find: 'return isAbove ? stamp : followingStamp(over)',
    replace: 'return isAbove ? stamp : stamp',
  },
  {
    name: 'W6 (4)',
    does: 'what named an old mark goes on naming it',
    find: 'const rename = (mark: Mark): Mark => renamed.get(formatMark(mark)) ?? mark',
    replace:
      'const rename = (mark: Mark): Mark => (renamed.size < 0 ? (renamed.get(formatMark(mark)) ?? mark) : mark)',
  },
  {
    name: 'W6 (5)',
    does: 'what stands on a refused insert is sent all the same',
    find: 'if (write.delta.revival === null && !stands && !rowExists(state.confirmed(key))) return key',
    replace: 'if (stands && key === null) return key',
  },
  {
    name: 'L3',
    does: 'what stands on a refused write is not made anew',
    find: 'submitting.remake({ from: id, keys, refused: { transaction: entry.transaction, error } })',
    replace:
      'submitting.remake({ from: id, keys: new Set(), refused: { transaction: entry.transaction, error } })',
  },
  {
    name: 'L3 relay',
    does: 'a relay does not skip what follows a refusal',
    find: 'if (session.skipping || round !== session.round) return judgeShown',
    replace: 'if (round !== session.round) return judgeShown',
  },
  {
    name: 'L1',
    does: 'after a refusal own writes that wait go out of sight',
    find: 'for (const write of outbox.writesOf(key)) row = joinRows(row ?? emptyRow, write.delta)',
    replace: 'if (outbox === null) row = base',
  },
  {
    name: 'P1',
    does: 'the cursor is stored in a chunk of its own, ahead of the rows',
    find: 'const position = await journal.append(chunk, { durability, fence })\n    // Stored',
    replace:
      "if (chunk.kind === 'pulled' && chunk.cursor !== null && chunk.rows.length > 0)\n      await journal.append({ ...chunk, rows: [], texts: [] }, { durability, fence })\n    const position = await journal.append(chunk, { durability, fence })\n    // Stored",
  },
  {
    name: 'P2',
    does: 'a walk sends what changed after its place, not after its cut',
    find: '? null : select(session, key, held, session.cut, texts)',
    replace: '? null : select(session, key, held, session.place, texts)',
  },
  {
    name: 'P2 echo',
    does: 'a part that joined to something else than came is not sent back',
    find: 'if (isSamePart(row, brought, part)) origins.set(part, session.id)',
    replace: 'if (brought !== null) origins.set(part, session.id)',
  },
  {
    name: 'P3 peers',
    does: "a relay joins its peer's frontier before it has come to a cut",
    find: 'joined: atCut && !outstanding ? frontier : noPositions,',
    replace: 'joined: frontier,',
  },
  {
    name: 'P4',
    does: 'a client takes a part of a row that it does not know',
    find: 'if (parts > 0 && (lacksBody || countParts(joinRows(held, delta)) < parts)) keys.push(key)',
    replace: 'if (parts < 0) keys.push(key)',
  },
  {
    name: 'P4 bodies',
    does: 'a relay calls a row complete of whose body it sends the latest updates alone',
    find: 'parts: isWhole ? 0 : all',
    replace: 'parts: sent === all ? 0 : all',
  },
  {
    name: 'S2',
    does: 'a relay goes on from a cut that its lineage does not hold',
    find: 'if (cut > impliedPosition(generations, generation, position, from)) return',
    replace: 'if (cut < 0) return',
  },
  {
    name: 'R1 gives',
    does: 'reconciling gives nothing',
    find: 'if (conversation.mayWrite) giving.give(mine)',
    replace: 'if (conversation.mayWrite) giving.give([])',
  },
  {
    name: 'D1',
    does: 'a relay forgets what was deleted',
    find: 'rows.set(key, { row: taken.row, position, positions,',
    replace:
      "const gone = taken.row.deletion?.policy === 'delete-wins'\n      const row = gone ? { cells: new Map(), deletion: null, revival: null } : taken.row\n      rows.set(key, { row, position, positions,",
  },
  {
    name: 'D2 tombstones',
    does: 'relays tell nobody what was deleted',
    find: 'const isSpared = session.fresh > 0 && session.cut === 0 && held.position <= session.fresh',
    replace: 'const isSpared = session.fresh >= 0',
  },
  {
    name: 'C4',
    does: 'a relay takes marks from the future',
    find: 'if (mark.ms <= limit) return 0\n',
    replace: 'if (mark.ms > 0) return 0\n',
  },
  {
    name: 'A2',
    does: 'what is on disk here is told to be on a relay',
    find: "if (entry !== undefined && entry.position > 0) return 'local'",
    replace: "if (entry !== undefined && entry.position > 0) return 'relay'",
  },
  {
    name: 'Q1',
    does: 'what is refused is told to be accepted',
    find: "answer.exceptions.push({ index, kind: 'refused', write: judgement.write, error: judgement.error })",
    replace:
      "if (answer === null) answer.exceptions.push({ index, kind: 'refused', write: judgement.write, error: judgement.error })",
  },
  {
    name: 'Q3',
    does: 'what is refused is thrown away',
    find: 'quarantine.set(id, { transaction: old.transaction, error })',
    replace: '',
  },
  {
    name: 'T1 marks',
    does: 'a write may name what nobody wrote',
    find: "if (!rowKnows(row, mark)) return failure('unknown-mark', { mark: formatMark(mark) })",
    replace: '',
  },
  {
    name: 'T2',
    does: 'what is given back may be from the future',
    find: 'if (skewOfMark(mark, context.now, last) > 0) return skewed(mark, context.now, last)',
    replace: '',
  },
  {
    name: 'X3',
    does: 'a text cell is taken without its updates',
    find: "if (strategy === 'text' && (texts.get(name) ?? []).length === 0)",
    replace: "if (strategy === 'text' && name === null)",
  },
  {
    name: 'K1',
    does: 'a write does not replace what its writer saw',
    find: 'const context = addToContext(known?.context ?? emptyContext, mark)',
    replace: 'const context = addToContext(known === null ? emptyContext : new Map(), mark)',
  },
  {
    name: 'K2',
    does: 'the smallest of several is shown',
    find: 'const winner = sides.at(-1)?.value as Output',
    replace: 'const winner = sides.at(0)?.value as Output',
  },
  {
    name: 'tabs',
    does: 'a message between tabs that is lost is lost data',
    find: 'if (position !== seen + 1 || running !== null) return false',
    replace: 'if (running !== null) return false',
  },
  {
    name: 'status',
    does: '`synced` is said with writes pending',
    find: "synced: outer.connection === 'online' && isLevel && local.pending === 0",
    replace: "synced: outer.connection === 'online'",
  },
]

/** Bugs that dozens of histories have not shown: for each a check or a fault is missing, or chance. Not run by `--plants`. */
export const elusive: readonly Plant[] = [
  {
    name: 'A4',
    does: 'a write that is shown already is judged like a new one',
    find: 'if (shown !== null) return shown',
    replace: '',
  },
  {
    name: 'W3',
    does: 'there are sixteen writers, which come up again and again',
    find: 'const draw = (): WriterId => writerFromBytes(runtime.randomBytes(8))',
    replace:
      'const draw = (): WriterId =>\n    writerFromBytes(runtime.randomBytes(8).map((byte, i) => (i === 0 ? byte % 16 : 0)))',
  },
  {
    name: 'W6 (2)',
    does: 'what is made anew bears its old writer',
    find: 'const mark: Mark = { ms: stamp.ms, tick: stamp.tick, writer: context.writer }',
    replace: 'const mark: Mark = { ms: stamp.ms, tick: stamp.tick, writer: write.mark.writer }',
  },
  {
    name: 'L2',
    does: 'rows of which an acknowledgement says that they lack something are not asked for',
    find: '(write.whole ? lacking.has(i) : state.confirmed(write.key) === undefined)',
    replace: '(write.whole ? lacking.has(-2 - i) : false)',
  },
  {
    name: 'P2 texts',
    does: 'deletes of a text that are known go to and fro between peers',
    find: "const isPulled = attached.pull !== null && frame.type === 'changes'",
    replace: "const isPulled = attached.pull === undefined && frame.type === 'changes'",
  },
  {
    name: 'P3',
    does: "a client joins the relay's frontier before it has come to a cut",
    find: "frontier: isLevel ? { positions: frontier, how: 'join' } : null,",
    replace: "frontier: { positions: frontier, how: 'join' },",
  },
  {
    name: 'P4 peers',
    does: 'a relay takes a part of a row that it does not know',
    find: 'if (parts > 0 && !wants.has(key) && (lacksBody || countParts(joinRows(mine, delta)) < parts)) {',
    replace: 'if (parts < 0) {',
  },
  {
    name: 'S3',
    does: 'a relay says that it covers every reach, so nobody gives it back what it lost',
    find: 'covers: coversPositions(generations, frontier, frame.reach)',
    replace: 'covers: true',
  },
  {
    name: 'A3',
    does: 'what is on the leader alone is told to be at quorum',
    find: 'const position = [...held.values()].sort((a, b) => b - a)[replicas - 1] ?? 0',
    replace: 'const position = space.position',
  },
  {
    name: 'A3 told',
    does: 'of a quorum that moves on, who waits for it is not told',
    find: 'if (quorum.count(attachedBySession.values())) tellQuorum()',
    replace: '',
  },
  {
    name: 'Q2',
    does: 'a follower that has its leader back does not ask again for what it dropped',
    find: 'for (const attached of [...passed.values(), ...waiting]) sendAway(attached, retryMs)',
    replace: '',
  },
  {
    name: 'Q2 left',
    does: 'a follower that lost its leader lets those wait whose answers are lost',
    find: 'for (const one of [...passed.values()]) sendAway(one, retryMs)',
    replace: '',
  },
  {
    name: 'S4',
    does: 'after a join the frontier goes on saying what an older relay held',
    find: "frontier: { positions: pull.frontier, how: 'replace' },",
    replace: 'frontier: null,',
  },
  {
    name: 'R1 takes',
    does: 'reconciling takes nothing',
    find: 'for (const key of theirs) differing.add(key)\n        wants.rows(theirs)',
    replace: 'for (const key of theirs) differing.add(key)',
  },
  {
    name: 'D2',
    does: 'a client forgets rows that exist',
    find: 'return row !== undefined && !rowExists(row) && !changed.has(key) && may(key)',
    replace: 'return row !== undefined && !changed.has(key) && may(key)',
  },
  {
    name: 'C2',
    does: 'a device does not correct its clock',
    find: 'return clock.measured(effect.relayTime + halfTripMs)',
    replace: 'return',
  },
  {
    name: 'T1 writer',
    does: 'whoever names a writer may write as it',
    find: 'if (record !== undefined && record.user !== context.user) {',
    replace: 'if (record === null) {',
  },
  {
    name: 'T1 own',
    does: 'a write may bear a mark of somebody else',
    find: 'if (!named)\n      return failure',
    replace: 'if (named === null)\n      return failure',
  },
  {
    name: 'T4',
    does: 'the last user of a writer stands',
    find: "const { user, device }: Pick<WriterRecord, 'user' | 'device'> = held ?? {",
    replace: "const { user, device }: Pick<WriterRecord, 'user' | 'device'> = {",
  },
  {
    name: 'X5',
    does: 'a text may be typed under another name',
    find: "if (ownership && run.client !== client) return failure('text-not-owned', { client: run.client })",
    replace: '',
  },
  {
    name: 'X9',
    does: 'a refused text stays in the document',
    find: 'const touch = (transaction: Transaction): void => {\n    for (const { key, texts } of transaction.writes) {\n      keys.add(key)\n      for (const part of texts.keys()) layers.changes.rebuilt.add(bodyKey(key, part))',
    replace:
      'const touch = (transaction: Transaction): void => {\n    for (const { key } of transaction.writes) {\n      keys.add(key)',
  },
  {
    name: 'K4',
    does: 'two decisions of one conflict are a new conflict',
    find: 'return sibling.answers === null ? formatMark(sibling.mark) : `answers ${keyOfBytes(sibling.answers)}`',
    replace: 'return formatMark(sibling.mark)',
  },
  {
    name: 'fence',
    does: 'a holder that was taken over goes on',
    find: "const [answer] = await (fence?.transact(request) ?? storage.transact({ ...request, mode: 'readwrite' }))",
    replace: "const [answer] = await storage.transact({ ...request, mode: 'readwrite' })",
  },
]

/** Rules whose breach no history can show, and why. */
export const unseen: readonly { readonly rule: string; readonly why: string }[] = [
  { rule: 'W5', why: 'what an insert empties is what the log cannot tell, so any answer is taken' },
  {
    rule: 'L4',
    why: 'what shows and what is confirmed are the same when nothing waits, which is when they are compared',
  },
  {
    rule: 'P5',
    why: 'it heals what the other rules do not let happen; damaged-relay.test.ts damages a disk for it',
  },
  { rule: 'S1', why: 'it is the form of frames, which the tests of the wire hold' },
  { rule: 'R2', why: 'it is a report that decides nothing' },
  { rule: 'R3', why: 'it is not built yet' },
  { rule: 'C1', why: 'nobody makes 65,536 writes in a millisecond here' },
  {
    rule: 'C3',
    why: 'a clock that runs ahead within what relays take changes no outcome that the log decides',
  },
  {
    rule: 'Q4',
    why: 'tokens of simulated devices do not expire; token-source and connection are tested for it',
  },
  { rule: 'T3', why: 'simulated peers do not lie' },
  { rule: 'F1', why: 'simulated links are never full' },
  { rule: 'F2', why: 'it saves work and changes nothing' },
  { rule: 'F3', why: 'simulated sessions are too short to use up their credit' },
  { rule: 'F4', why: 'simulated documents are far within all bounds' },
  { rule: 'X1', why: 'it saves work and changes nothing' },
  { rule: 'X2', why: 'it is not built yet' },
  { rule: 'X4', why: 'simulated clients speak one format; the screen is tested with the other' },
  { rule: 'X6', why: 'simulated bodies are too short for a head' },
  { rule: 'X7', why: 'two of the 2^32 Yjs clients do not meet in a history' },
  { rule: 'X8', why: 'what a client keeps of a body is compared as X3 says' },
  { rule: 'K3', why: 'it is a list of what K1 and K2 hold' },
  { rule: 'K5', why: 'no simulated field has a function that merges' },
  { rule: 'H1', why: 'there is nothing to break' },
]
