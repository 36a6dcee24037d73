// What an application answers a relay's three questions may be anything: rules are written without a compiler, too.
import type { Frame } from '@rejoin/core'
import type { KernelOptions } from '@rejoin/relay/kernel'
import { helloWith } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { insertOf } from '../core/relay-scene.ts'
import { attach, openKernel, simulatedRuntime } from './bare-kernel.ts'

type Answers = { readonly [Question in 'token' | 'access' | 'accept']?: () => unknown }

/** What a relay says to who greets it and inserts a document, and what it logs as an error. */
async function ask(
  answers: Answers,
): Promise<{ readonly said: readonly Frame[]; readonly errors: readonly string[] }> {
  const { clock, runtime } = simulatedRuntime()
  const errors: string[] = []
  const questions = {
    token: async () => ({ user: 'alice' }),
    access: async () => 'write',
    accept: () => true,
    ...answers,
  } as unknown as Pick<KernelOptions, 'token' | 'access' | 'accept'>
  const kernel = await openKernel({
    ...questions,
    runtime,
    log: { error: (_, message) => void errors.push(message), info: () => {}, debug: () => {} },
  })
  const said: Frame[] = []
  const session = attach(kernel, frame => void said.push(frame))
  session.receive(helloWith())
  await clock.advance(1000)
  if (said[0]?.type === 'welcome') {
    session.receive({ type: 'submit', round: 0, transactions: [insertOf('n', 500)] })
    await clock.advance(1000)
  }
  return { said, errors }
}

test.each([undefined, null, false, {}, { user: 7 }])(
  '[Q4] a token for which %o stands is nobody\u2019s',
  async identity => {
    const { said } = await ask({ token: async () => identity })
    expect(said).toMatchObject([{ type: 'refuse', error: { code: 'unauthenticated' } }])
  },
)

test('[F4] a user whose name no frame tells is refused by the limit', async () => {
  const { said } = await ask({ token: async () => ({ user: 'ä'.repeat(129) }) })
  expect(said).toMatchObject([{ error: { code: 'limit-exceeded', details: { actual: 258 } } }])
})

test.each([undefined, null, false, true, 'none', 'admin'])('[Q4] an access of %o is none', async grant => {
  const { said } = await ask({ access: async () => grant })
  expect(said).toMatchObject([{ type: 'refuse', error: { code: 'not-permitted' } }])
})

test.each([false, null, 0, {}, Promise.resolve(true)])(
  '[Q1] a rule that gives back %o refuses, and is logged',
  async verdict => {
    const { said, errors } = await ask({ accept: () => verdict })
    expect(said.at(-1)).toMatchObject({
      type: 'verdict',
      exceptions: [{ kind: 'refused', error: { code: 'refused-by-rule' } }],
    })
    expect(errors).toEqual(['a rule of the application failed'])
  },
)

test('[Q1] the reason of a rule is told as far as a frame has room for thousands', async () => {
  const { said } = await ask({ accept: () => 'no'.repeat(1_000_000) })
  expect(said.at(-1)).toMatchObject({ exceptions: [{ error: { details: { reason: 'no'.repeat(250) } } }] })
})
