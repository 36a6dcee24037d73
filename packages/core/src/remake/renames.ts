/**
 * What a pass calls marks now (SPEC W6 (4)). A mark that was borne by what is made anew has one other name; one that nothing
 * bears any more has another in what each writer wrote, of that writer, since a relay knows no other (SPEC T1).
 */
import { formatMark, type Mark } from '../mark.ts'
import type { ReplicaState } from '../replica/replica.ts'
import type { DocumentKey } from '../row.ts'
import type { Write } from '../write.ts'

export interface Renames {
  /** The mark of a write as it is now; itself if it stays. */
  note(write: Write, now: Mark): void
  /** What stands, in a write, for a mark that nothing bears any more. */
  noteGone(write: Write, gone: Mark, now: Mark): void
  /** Whether either was noted of a mark, as a write names it. */
  has(write: Write, mark: Mark): boolean
  /** The name of a mark that a write names; itself if nothing was noted. */
  of(write: Write, mark: Mark): Mark
  /** The same of what something bears. */
  ofBorne(key: DocumentKey, mark: Mark): Mark
}

export function createRenames({ remadeMarks }: Pick<ReplicaState, 'remadeMarks'>): Renames {
  /** By what they were when the pass began, for each row. */
  const borneByKey = new Map<DocumentKey, Map<string, Mark>>()
  const goneByName = new Map<string, Mark>()

  function ofBorne(key: DocumentKey, mark: Mark): Mark {
    const before = remadeMarks.now(key, mark)
    return borneByKey.get(key)?.get(formatMark(before)) ?? before
  }

  const nameGone = ({ key, mark: { writer } }: Write, gone: Mark): string =>
    `${writer} ${formatMark(remadeMarks.now(key, gone))} ${key}`

  return {
    note({ key, mark }, now) {
      const borne = borneByKey.get(key) ?? new Map<string, Mark>()
      borneByKey.set(key, borne)
      borne.set(formatMark(remadeMarks.now(key, mark)), now)
    },
    noteGone: (write, gone, now) => void goneByName.set(nameGone(write, gone), now),
    has: (write, mark) =>
      borneByKey.get(write.key)?.has(formatMark(remadeMarks.now(write.key, mark))) === true ||
      goneByName.has(nameGone(write, mark)),
    of: (write, mark) => goneByName.get(nameGone(write, mark)) ?? ofBorne(write.key, mark),
    ofBorne,
  }
}
