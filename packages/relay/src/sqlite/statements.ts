/**
 * Every statement of the store, prepared once for its connection.
 */
import type { Database, Statement } from './database.ts'

export interface Statements {
  readonly findSpace: Statement
  readonly addSpace: Statement
  readonly putSpace: Statement
  readonly listGenerations: Statement
  readonly addGeneration: Statement
  readonly findWriter: Statement
  readonly listWriters: Statement
  readonly putWriter: Statement
  readonly findRow: Statement
  readonly findRows: Statement
  readonly putRow: Statement
  readonly listFeed: Statement
  readonly listCommit: Statement
  readonly listRows: Statement
  readonly addToLog: Statement
  readonly listLog: Statement
  readonly clearLog: Statement
  readonly findSnapshot: Statement
  readonly listTail: Statement
  readonly addToTail: Statement
  readonly sizeText: Statement
  readonly findEnd: Statement
  readonly putSnapshot: Statement
  readonly cutTail: Statement
  readonly findPage: Statement
  readonly findAnyPage: Statement
  readonly countStretch: Statement
  readonly nextPage: Statement
  readonly cutPages: Statement
  readonly addPage: Statement
  readonly clearPages: Statement
}

export function prepareStatements(database: Database): Statements {
  const { prepare } = database
  const row = 'collection, id, position, state'
  return {
    findSpace: prepare('select space, position, record from spaces where name = ?'),
    addSpace: prepare('insert into spaces (name, position, record) values (?, ?, ?) returning space'),
    putSpace: prepare('update spaces set position = ?, record = ? where space = ?'),
    listGenerations: prepare(
      'select id, store, parent, start from generations where space = ? order by number',
    ),
    addGeneration: prepare(`insert into generations (space, id, store, parent, start) values (?, ?, ?, ?, ?)
      on conflict (space, id) do nothing`),
    findWriter: prepare('select * from writers where space = ? and id = ?'),
    listWriters: prepare('select * from writers where space = ? and position > ? order by position, id'),
    putWriter: prepare('insert or replace into writers values (?, ?, ?, ?, ?, ?, ?)'),
    findRow: prepare('select state from rows where space = ? and collection = ? and id = ?'),
    // The ids in JSON; crosswise, or each row of the collection is looked for among them.
    findRows: prepare(`select collection, rows.id, state from json_each(?) cross join rows
      on space = ? and collection = ? and rows.id = value`),
    putRow: prepare(`insert into rows (space, ${row}) values (?, ?, ?, ?, ?)
      on conflict (space, collection, id) do update set position = excluded.position, state = excluded.state`),
    listFeed: prepare(`select ${row} from rows where space = ? and position > ? order by position limit ?`),
    listCommit: prepare(`select ${row} from rows where space = ? and position = ?`),
    listRows: prepare(`select ${row} from rows where space = ? and (collection, id) > (?, ?)
      order by collection, id limit ?`),
    addToLog: prepare('insert into log (space, position, record, changes) values (?, ?, ?, ?)'),
    listLog: prepare(`select log.space, name, log.position, log.record, changes
      from log join spaces using (space) order by number`),
    clearLog: prepare('delete from log'),
    findSnapshot: prepare('select position, snapshot from texts where space = ? and key = ? and part = ?'),
    listTail:
      prepare(`select position, bytes from text_tails where space = ? and key = ? and part = ? and position > ?
      order by position, n`),
    addToTail: prepare(
      'insert into text_tails (space, key, part, position, n, bytes) values (?, ?, ?, ?, ?, ?)',
    ),
    sizeText: prepare(`select
      (select length(snapshot) from texts where space = ? and key = ? and part = ?) as snapshot,
      (select sum(length(bytes)) from text_tails where space = ? and key = ? and part = ?) as tail`),
    findEnd: prepare(
      'select max(position) as position from text_tails where space = ? and key = ? and part = ?',
    ),
    putSnapshot: prepare(
      'insert or replace into texts (space, key, part, position, snapshot) values (?, ?, ?, ?, ?)',
    ),
    cutTail: prepare('delete from text_tails where space = ? and key = ? and part = ? and position <= ?'),
    findPage: prepare('select * from pages where space = ? and begins = ?'),
    findAnyPage: prepare('select 1 from pages limit 1'),
    countStretch: prepare(
      'select count(*) as rows from rows where space = ? and position > ? and position <= ?',
    ),
    nextPage: prepare('select min(begins) as begins from pages where space = ? and begins > ?'),
    cutPages: prepare('delete from pages where space = ? and begins < ? and ends > ?'),
    addPage: prepare('insert into pages values (?, ?, ?, ?, ?, ?, ?)'),
    clearPages: prepare('delete from pages'),
  }
}
