// The app's static server: what leaves it, with which headers, and that nothing else can.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readSite } from '@rejoin/notes/site.ts'

const around = mkdtempSync(join(tmpdir(), 'rejoin-site-'))
const folder = join(around, 'site')
mkdirSync(join(folder, 'assets'), { recursive: true })
writeFileSync(join(around, 'secret.txt'), 'secret')
writeFileSync(join(folder, 'index.html'), '<html><head><title>x</title></head></html>')
writeFileSync(join(folder, 'icon.svg'), '<svg/>')
writeFileSync(join(folder, 'assets', 'index-abc.js'), 'let x')
afterAll(() => rmSync(around, { recursive: true }))

const site = readSite({ folder, relay: null, development: true })

describe('the site', () => {
  test('makes the page anew for each request, with a nonce that only its own policy knows', () => {
    const [first, second] = [site('GET', '/?space=a'), site('GET', '/')]
    const nonces = [first, second].map(answer => {
      const nonce = /name="csp-nonce" content="([^"]+)"/.exec(Buffer.from(answer.body).toString())?.[1]
      expect(answer.headers['content-security-policy']).toContain(`style-src 'self' 'nonce-${nonce}'`)
      return nonce
    })
    expect(nonces[0]).not.toBe(nonces[1])
    expect(first.headers['cache-control']).toBe('no-store')
    expect(first.headers['content-security-policy']).not.toContain('unsafe')
  })

  test('lets browsers keep what is named by its content, and nothing else', () => {
    expect(site('GET', '/assets/index-abc.js').headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    })
    expect(site('GET', '/icon.svg').headers).toMatchObject({
      'content-type': 'image/svg+xml',
      'cache-control': 'no-cache',
    })
  })

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '//secret.txt',
    '/assets/',
    '/assets/../icon.svg',
    '/__proto__',
  ])('has nothing at %s', path => {
    expect(site('GET', path).status).toBe(404)
  })

  test('is only read', () => {
    expect(site('POST', '/').status).toBe(405)
  })

  test('lets the page connect to the relay that it names, and says which one', () => {
    const named = readSite({ folder, relay: 'wss://relay.example/v1/sync', development: false })('GET', '/')
    expect(named.headers['content-security-policy']).toContain(`connect-src 'self' wss://relay.example;`)
    expect(Buffer.from(named.body).toString()).toContain(
      'name="rejoin-relay" content="wss://relay.example/v1/sync"',
    )
  })
})
