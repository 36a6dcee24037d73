/**
 * Whose replica this is: the user that a relay named first, when somebody had signed in (SPEC Q4). It stands in the
 * database, so that what one person wrote and nobody has acknowledged is never sent in another one's name.
 *
 * Who uses it without a token is nobody yet: what they write goes with whoever signs in first.
 */
import { StorageCollision, type Storage } from '@rejoin/core'

export interface Owner {
  /** Undefined until a relay named one. */
  readonly user: string | undefined
  /** Whether a session in this user's name may go on. The first one that signed in becomes the owner, on disk. */
  admit(user: string, hasSignedIn: boolean): boolean | Promise<boolean>
  /** Another tab knows. */
  learn(user: string): void
}

export function createOwner(storage: Storage, stored: string | undefined): Owner {
  let owner = stored

  async function claim(user: string): Promise<boolean> {
    try {
      await storage.transact({
        stores: ['meta'],
        mode: 'readwrite',
        durability: 'strict',
        early: true,
        requests: [{ op: 'add', store: 'meta', key: 'user', value: user }],
      })
      owner = user
    } catch (error) {
      if (!(error instanceof StorageCollision)) throw error
      // Another tab was first.
      owner = await readOwner(storage)
    }
    return owner === user
  }

  return {
    get user() {
      return owner
    },
    admit(user, hasSignedIn) {
      if (owner !== undefined) return owner === user
      return hasSignedIn ? claim(user) : true
    },
    learn(user) {
      owner ??= user
    },
  }
}

export async function readOwner(storage: Storage): Promise<string | undefined> {
  const [user] = await storage.transact({
    stores: ['meta'],
    mode: 'readonly',
    early: true,
    requests: [{ op: 'get', store: 'meta', key: 'user' }],
  })
  return user as string | undefined
}
