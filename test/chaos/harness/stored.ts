/**
 * What a relay has in its file, read past the relay: a digest of every row of every table, and the few numbers that
 * tests count by.
 */
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'

export interface Stored {
  /** Of all rows of all tables but those of the collection and the writer that were left out. */
  readonly digest: string
  /** How many commits each space had. */
  readonly positions: Readonly<Record<string, number>>
  /** Documents of the collection that was left out. */
  readonly leftOut: number
}

/** `but`: a collection, and its one writer, that are written to meanwhile. */
export function readStored(
  path: string,
  but: { readonly collection: string; readonly writer: string },
): Stored {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const hash = createHash('sha256')
    const listed = database.prepare("select name from sqlite_schema where type = 'table' order by name").all()
    const tables = listed.map(({ name }) => String(name)).filter(name => !name.startsWith('sqlite_'))
    let leftOut = 0
    const positions: Record<string, number> = {}
    for (const table of tables) {
      hash.update(table)
      for (const row of database.prepare(`select * from ${table}`).iterate()) {
        if (table === 'spaces') {
          // The record of a space moves with every commit; its position says with how many.
          positions[String(row['name'])] = Number(row['position'])
          hash.update(String(row['name']))
          continue
        }
        if (table === 'rows' && row['collection'] === but.collection) {
          leftOut += 1
          continue
        }
        if (table === 'writers' && row['id'] === but.writer) continue
        for (const [column, value] of Object.entries(row)) {
          hash.update(`|${column}=`)
          hash.update(value instanceof Uint8Array ? value : String(value))
        }
      }
    }
    return { digest: hash.digest('hex'), positions, leftOut }
  } finally {
    database.close()
  }
}
