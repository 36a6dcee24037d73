/** A live query: the documents of a collection that match, in order. */
import type { Live } from '../live.ts'

export type LiveQuery<Document> = Live<readonly Document[]>
