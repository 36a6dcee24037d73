/**
 * What a relay has in its file, read past the relay: a digest of every row of every table, and the few numbers that
 * tests count by. It is read in a copy, since a store has its latest changes in a log until it is opened again.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from '@rejoin/relay'

export interface Stored {
  /** Of all rows of all tables but those of the collection and the writer that were left out. */
  readonly digest: string
  /** How many commits each space had. */
  readonly positions: Readonly<Record<string, number>>
  /** Documents of the collection that was left out. */
  readonly leftOut: number
}

/** `but`: a collection, and its one writer, that are written to meanwhile. */
export async function readStored(
  path: string,
  but: { readonly collection: string; readonly writer: string },
): Promise<Stored> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-stored-'))
  try {
    const copy = join(folder, 'rejoin.db')
    const database = new DatabaseSync(path, { readOnly: true })
    database.prepare('vacuum into ?').run(copy)
    database.close()
    await (await sqlite(copy)()).close()
    return readTables(copy, but)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Reading it opens the copy once more each time; and pages are made of the rows, when a relay rests. */
const besideData: ReadonlySet<string> = new Set(['openings', 'pages'])

function readTables(path: string, but: { readonly collection: string; readonly writer: string }): Stored {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const hash = createHash('sha256')
    const listed = database.prepare("select name from sqlite_schema where type = 'table' order by name").all()
    const tables = listed
      .map(({ name }) => String(name))
      .filter(name => !name.startsWith('sqlite_') && !besideData.has(name))
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
