/** Rules, and parts of rules, whose breach no history can show, and why. */
export const unseen: readonly { readonly rule: string; readonly why: string }[] = [
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
  { rule: 'F1', why: 'simulated links are never full, but in tight worlds' },
  { rule: 'F2', why: 'it saves work and changes nothing' },
  { rule: 'F3', why: 'simulated sessions are too short to use up their credit, but in tight worlds' },
  { rule: 'F5', why: 'nobody sends so much in a history that it is held back, but in tight worlds' },
  { rule: 'X4', why: 'simulated clients speak one format; the screen is tested with the other' },
  { rule: 'X7', why: 'two of the 2^32 Yjs clients do not meet in a history' },
  { rule: 'H1', why: 'there is nothing to break' },
  {
    rule: 'P3 peers',
    why: 'a frontier that is ahead of the pull from a peer is right a few frames later, and no check meets it before',
  },
  {
    rule: 'P4 bodies',
    why: 'it takes a document that is deleted and inserted twice while somebody is away who was spared it; seeds.test.ts makes it happen',
  },
  {
    rule: 'P4 lists',
    why: 'it takes a link that is cut while a row is asked for, and another relay that knows less of it; a unit test makes it happen',
  },
  {
    rule: 'P4 pages',
    why: 'what was deleted since a page was made and is not told shows at the next cut, and is pulled (P5); a unit test makes it happen',
  },
  { rule: 'Q2 left', why: 'who was not sent away when the leader went is when it comes back' },
  {
    rule: 'P4 peers',
    why: 'where S2 and P3 hold, no relay is sent a part of a row that it lacks: it is a second line',
  },
  {
    rule: 'L2 asks',
    why: 'what is not asked for is told anyway by the echo of what joined, and asked for then (P4)',
  },
  {
    rule: 'S4 frontier',
    why: 'it takes a deletion that somebody was spared, and a relay that has not heard of it; spared.test.ts makes it happen',
  },
  {
    rule: 'fence',
    why: 'what two holders store is applied twice, which changes nothing; the fence has tests of its own',
  },
  {
    rule: 'X9 told',
    why: 'what is made anew has a new writer, by which an open text sees that it changed, told of it or not; unit tests hold what has none',
  },
]
