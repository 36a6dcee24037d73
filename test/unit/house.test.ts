import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')

test('the root holds exactly the entries of the floor plan', () => {
  const files = spawnSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).stdout.trim().split('\n')
  const entries = new Set(files.map(file => file.split('/')[0] ?? '').filter(entry => !entry.startsWith('.')))
  expect([...entries].sort()).toEqual([
    'LICENSE',
    'README.md',
    'apps',
    'package.json',
    'packages',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'test',
    'tsconfig.base.json',
  ])
})
