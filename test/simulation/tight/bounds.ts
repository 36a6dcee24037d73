/**
 * The product's bounds, and how small they are where worlds are tight: what takes thousands of rows elsewhere (a second
 * page, a full window, a folded journal) happens there all the time, and so do two of them at once.
 */
export interface TightBound {
  /** Below `packages`. */
  readonly file: string
  readonly name: string
  readonly value: number
}

export const tightBounds: readonly TightBound[] = [
  { file: 'core/src/relay/origins.ts', name: 'rowsMax', value: 3 },
  { file: 'core/src/relay/forwarding.ts', name: 'liveBytesMax', value: 400 },
  { file: 'core/src/outbox-line.ts', name: 'gapsMin', value: 2 },
  { file: 'core/src/size.ts', name: 'giveBytes', value: 300 },
  { file: 'core/src/client/wants.ts', name: 'keysPerFrameMax', value: 2 },
  { file: 'core/src/client/session-step.ts', name: 'creditBytes: number', value: 3000 },
  { file: 'core/src/client/giving.ts', name: 'rowsAtOnce', value: 2 },
  { file: 'core/src/client/giving.ts', name: 'unansweredMax', value: 2 },
  { file: 'core/src/client/reconciling.ts', name: 'askedMax', value: 4 },
  { file: 'core/src/client/inbox.ts', name: 'rowsMax', value: 3 },
  { file: 'core/src/client/inbox.ts', name: 'ampleFrames', value: 2 },
  { file: 'core/src/client/offer-window.ts', name: 'windowTransactions', value: 4 },
  { file: 'core/src/client/submitting.ts', name: 'frameBytes', value: 500 },
  { file: 'core/src/client/told-elsewhere.ts', name: 'toldMax', value: 2 },
  { file: 'core/src/replica/uncounted.ts', name: 'uncountedMax', value: 3 },
  { file: 'core/src/replica/uncounted.ts', name: 'countedAtOnce', value: 2 },
  { file: 'core/src/replica/fingerprint-count.ts', name: 'rowsPerStep', value: 1 },
  { file: 'core/src/reconcile.ts', name: 'itemsMax', value: 2 },
  { file: 'core/src/reconcile.ts', name: 'splitInto', value: 3 },
  { file: 'core/src/reconcile.ts', name: 'answerItemsMax', value: 6 },
  { file: 'core/src/reconcile.ts', name: 'answerRangesMax', value: 4 },
  { file: 'client/src/journal/look.ts', name: 'chunksPerRead', value: 25 },
  { file: 'client/src/journal/reader.ts', name: 'pagesPerRead', value: 4 },
  { file: 'client/src/journal/forget.ts', name: 'pagesPerRead', value: 4 },
  { file: 'client/src/journal/page.ts', name: 'pageRows', value: 4 },
  { file: 'client/src/journal/text-bodies.ts', name: 'bodiesPerStep', value: 1 },
  { file: 'client/src/journal/announcements.ts', name: 'announcedBytesMax', value: 200 },
  { file: 'client/src/journal/fold.ts', name: 'foldedBytes', value: 3000 },
  { file: 'client/src/journal/compact.ts', name: 'pagesPerStep', value: 1 },
  { file: 'client/src/journal/compact.ts', name: 'rowsPerStep', value: 3 },
  { file: 'client/src/journal/compact.ts', name: 'chunksPerDeletion', value: 3 },
  { file: 'client/src/journal/journal.ts', name: 'foldAt', value: 15 },
  { file: 'client/src/journal/journal.ts', name: 'pagesAtBytes', value: 6000 },
  { file: 'relay/src/kernel-port.ts', name: 'bufferedMarkBytes: number', value: 800 },
  { file: 'relay/src/kernel/inflow.ts', name: 'inflowBytesMax', value: 800 },
  { file: 'relay/src/kernel/pages.ts', name: 'pageRows', value: 4 },
  { file: 'relay/src/kernel/pages.ts', name: 'rowsAtOnceMin', value: 1 },
  { file: 'relay/src/kernel/pages.ts', name: 'answerRows', value: 1 },
  { file: 'relay/src/kernel/pages.ts', name: 'frameWriters', value: 1 },
  { file: 'relay/src/kernel/pages.ts', name: 'frameBytes', value: 300 },
  { file: 'relay/src/kernel/pages.ts', name: 'keptPageFrames', value: 2 },
  { file: 'relay/src/kernel/pages.ts', name: 'tailBytesMax', value: 40 },
  { file: 'relay/src/kernel/kept-pages.ts', name: 'keptBytesMax: number', value: 4000 },
  { file: 'relay/src/kernel/newcomer.ts', name: 'pageBytesMax', value: 1000 },
  { file: 'relay/src/kernel/resting.ts', name: 'grownRowsMin', value: 2 },
  { file: 'relay/src/kernel/resting.ts', name: 'looksMax', value: 1 },
  { file: 'relay/src/kernel/space-driver.ts', name: 'newRowsMin', value: 1 },
  { file: 'relay/src/kernel/space-driver.ts', name: 'turnFramesMax', value: 2 },
  { file: 'relay/src/kernel/turns.ts', name: 'portionMax', value: 1 },
  { file: 'relay/src/kernel/folding.ts', name: 'tailBytesMin', value: 30 },
  { file: 'relay/src/memory-store.ts', name: 'sliceRows', value: 2 },
]
