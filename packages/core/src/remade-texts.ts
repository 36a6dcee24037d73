/**
 * Texts that were made anew, as they were and as they are now: a tab that had not heard of it yet has typed on in the
 * old ones, and what comes of it is made anew by what this says (SPEC X9).
 *
 * How long such typing may be on its way cannot be told, since a tab may be frozen; so the latest are kept, up to a
 * bound in bytes. All of one chunk stay or go together, so that all tabs keep the same.
 */
import { bodyKey } from './bodies.ts'
import type { RemadeText } from './chunk.ts'
import type { Transaction } from './write.ts'

export interface RemadeTexts {
  /** Those of one body, the first first. */
  of(body: string): readonly RemadeText[]
  /** The position of the last chunk that made anew something of a body; 0 if none did. */
  lastOf(body: string): number
  all(): readonly RemadeText[]
}

export interface RemadeTextsKept extends RemadeTexts {
  /** Those of one chunk. */
  add(texts: readonly RemadeText[]): void
  /** Takes those of a snapshot instead. */
  replace(texts: readonly RemadeText[]): void
}

/** Of the latest chunk all is kept, however much it is. */
const keptBytes = 1024 * 1024

export function createRemadeTexts(): RemadeTextsKept {
  const byBody = new Map<string, RemadeText[]>()
  let kept: readonly RemadeText[] = []

  function replace(texts: readonly RemadeText[]): void {
    kept = texts
    byBody.clear()
    for (const text of texts) {
      const body = bodyKey(text.key, text.part)
      const list = byBody.get(body)
      if (list === undefined) byBody.set(body, [text])
      else list.push(text)
    }
  }

  return {
    of: body => byBody.get(body) ?? [],
    lastOf: body => byBody.get(body)?.at(-1)?.position ?? 0,
    all: () => kept,
    add(texts) {
      if (texts.length > 0) replace(latestOf([...kept, ...texts]))
    },
    replace,
  }
}

function latestOf(texts: readonly RemadeText[]): readonly RemadeText[] {
  const last = texts.at(-1)?.position ?? 0
  let from = last
  let bytes = 0
  for (let i = texts.length - 1; i >= 0; i--) {
    const { position, old, now } = texts[i] as RemadeText
    for (const update of [...old, ...now]) bytes += update.length
    if (bytes > keptBytes) {
      from = Math.min(last, position + 1)
      break
    }
    from = position
  }
  return texts.filter(({ position }) => position >= from)
}

/** The texts of a transaction that was made anew, or that left (null). */
export function remadeTextsOf(
  position: number,
  old: Transaction,
  now: Transaction | null,
): readonly RemadeText[] {
  return old.writes.flatMap(({ key, texts }) =>
    [...texts].map(([part, updates]): RemadeText => {
      const again = now?.writes.filter(write => write.key === key) ?? []
      return { key, part, position, old: updates, now: again.flatMap(write => write.texts.get(part) ?? []) }
    }),
  )
}
