/** Whose session it is, where a test is about something else. */
import type { SessionOptions, StoreId } from '@rejoin/core'

export const sessionOptions: SessionOptions = {
  space: 's',
  token: 't',
  replica: 'replica' as StoreId,
  device: 'd',
  level: 'relay',
}
