/** What a refused transaction held, in the words of the application. */
import { collectionOfKey, fieldOfPart, idOfKey, type QuarantinedTransaction, type Write } from '@rejoin/core'
import type { Collections } from './collection.ts'
import type { QuarantinedItem, QuarantinedWrite } from './quarantine.ts'
import { explainRefusal } from './refusal-words.ts'

export function describeTransaction(held: QuarantinedTransaction, collections: Collections): QuarantinedItem {
  const { transaction, error } = held
  return {
    id: transaction.id,
    error,
    why: explainRefusal(error),
    writes: transaction.writes.map(write => describeWrite(write, collections)),
    at: Math.max(0, ...transaction.writes.slice(0, 1).map(write => write.mark.ms)),
  }
}

/** A field that is not declared (any more) is named without its value, which nothing here can read. */
function describeWrite(write: Write, collections: Collections): QuarantinedWrite {
  const { key, delta } = write
  const name = collectionOfKey(key)
  const declared = Object.values(collections).find(collection => collection.name === name)?.parts ?? []
  const values: Record<string, unknown> = {}
  const texts: string[] = []
  for (const [part, cell] of delta.cells) {
    const field = declared.find(one => one.part === part)?.field
    if (cell.strategy === 'text') texts.push(fieldOfPart(part))
    else values[fieldOfPart(part)] = field?.read(cell)
  }
  return { collection: name, id: idOfKey(key), kind: kindOf(write), values, texts }
}

function kindOf({ delta, whole }: Write): QuarantinedWrite['kind'] {
  if (delta.deletion !== null) return 'delete'
  if (whole) return 'insert'
  return delta.revival !== null && delta.cells.size === 0 ? 'undelete' : 'update'
}
