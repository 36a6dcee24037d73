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
type OptionalStringField = Field<string | undefined, string | undefined, string>
type SetField = Field<readonly string[], readonly string[] | undefined, SetPatch<string>>

export type SimulatedFields = {
  /** A person decides, or keeps all. */
  readonly title: StringField
  /** A function decides. */
  readonly place: OptionalStringField
  /** Two people who decide the same conflict make another one. */
  readonly mood: OptionalStringField
  /** Passive: writing it keeps no document from being deleted. */
  readonly seen: OptionalStringField
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

const perhapsString: StandardSchema<string | undefined, string | undefined> = {
  '~standard': { version: 1, vendor: 'rejoin', validate: value => ({ value: value as string | undefined }) },
}

/** All of several values, the same whoever joins them. */
export function joinSides(sides: readonly (string | undefined)[]): string {
  return [...new Set(sides.flatMap(side => side?.split(' & ') ?? []))].sort().join(' & ')
}

const fields: SimulatedFields = {
  title: ask(anyString, { keepAll: joinSides }),
  place: ask(perhapsString, { merge: (_, sides) => joinSides(sides) }),
  mood: ask(perhapsString, { onDoubleResolve: 'ask' }),
  seen: lww(perhapsString, { passive: true }),
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

const { title, place, mood, body, color, log } = fields
const fewerFields = { title, place, mood, body, color, log }

/** What a version of the application declares that does not know `tags`, `views` and `seen` yet. */
export const narrowCollections: Collections = {
  notes: collection('notes', fewerFields),
  drafts: collection('drafts', fewerFields, { onDelete: 'delete-wins' }),
  plans: collection('plans', fewerFields, { onDelete: 'ask' }),
  pairs: simulatedCollections.pairs,
  ballast: simulatedCollections.ballast,
}
