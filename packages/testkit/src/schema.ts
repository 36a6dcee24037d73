/** What simulated applications write: every strategy, every policy of deletion. */
import { collection, type Collection, type Collections } from '@rejoin/client'
import type { Field } from '@rejoin/core'
import {
  ask,
  counter,
  lww,
  set,
  text,
  type CounterPatch,
  type SetPatch,
  type StandardSchema,
  type TextField,
} from '@rejoin/resolve'

type StringField = Field<string, string, string>
type SetField = Field<readonly string[], readonly string[] | undefined, SetPatch<string>>

export type SimulatedFields = {
  readonly title: StringField
  readonly body: TextField
  readonly color: StringField
  readonly tags: SetField
  readonly views: Field<number, number | undefined, CounterPatch>
  /** One element for each write that touches the document: what an oracle looks for. */
  readonly log: SetField
}

export type PairFields = {
  readonly value: StringField
  readonly log: SetField
}

export type SimulatedCollections = {
  readonly notes: Collection<'notes', SimulatedFields>
  readonly drafts: Collection<'drafts', SimulatedFields>
  readonly plans: Collection<'plans', SimulatedFields>
  /** Two documents of which both are written by each transaction that writes one. */
  readonly pairs: Collection<'pairs', PairFields>
  /** Large values that nobody looks at. */
  readonly ballast: Collection<'ballast', { readonly value: StringField }>
}

export const documentNames = ['notes', 'drafts', 'plans'] as const
export type DocumentName = (typeof documentNames)[number]
export const pairIds = ['left', 'right'] as const

/** A validator that takes what it is given: simulated applications make no mistakes of form. */
const anyString: StandardSchema<string, string> = {
  '~standard': { version: 1, vendor: 'rejoin', validate: value => ({ value: value as string }) },
}

const fields: SimulatedFields = {
  title: ask(anyString),
  body: text(),
  color: lww(anyString),
  tags: set(anyString),
  views: counter(),
  log: set(anyString),
}

export const simulatedCollections: SimulatedCollections = {
  notes: collection('notes', fields),
  drafts: collection('drafts', fields, { onDelete: 'delete-wins' }),
  plans: collection('plans', fields, { onDelete: 'ask' }),
  pairs: collection('pairs', { value: lww(anyString), log: set(anyString) }),
  ballast: collection('ballast', { value: lww(anyString) }),
}

const { title, body, color, log } = fields
const fewerFields = { title, body, color, log }

/** What a version of the application declares that does not know `tags` and `views` yet. */
export const narrowCollections: Collections = {
  notes: collection('notes', fewerFields),
  drafts: collection('drafts', fewerFields, { onDelete: 'delete-wins' }),
  plans: collection('plans', fewerFields, { onDelete: 'ask' }),
  pairs: simulatedCollections.pairs,
  ballast: simulatedCollections.ballast,
}
