/**
 * The one interface of everything that is live: queries, conflicts, quarantine, status.
 *
 * Whoever holds a live value can read it at any time and be told of its changes; a binding needs to know nothing
 * else. What is told is always whole: a listener never sees half of a transaction or of a batch that arrived.
 */

export interface Live<T> {
  /** The value as of now. The same reference for as long as nothing in it changed. */
  get(): T
  /**
   * Calls back once before it returns, with the value as of now, and then after every change, once for each tick.
   * Returns how to stop. What a listener throws is thrown again as an uncaught error of its own; others still hear.
   */
  subscribe(listener: (value: T) => void): () => void
}
