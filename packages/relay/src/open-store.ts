/**
 * How a relay gets its store: it opens it when it begins to listen, since an opening is a generation.
 */
import type { RelayStore } from '@rejoin/core'

/** Rejects with `storage-blocked` if somebody else writes there, or `storage-closed` if it cannot be opened. */
export type OpenRelayStore = () => Promise<RelayStore>
