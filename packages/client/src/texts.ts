/**
 * Texts: live documents over the bodies of `text` fields.
 *
 * All handles of one body in this tab share one document. What is typed becomes writes of the document, gathered by
 * tick; what arrives is applied; and when something had to be taken out of the body, the document is built again,
 * since a live Y.Doc cannot forget (SPEC X9).
 */

export interface TextHandle<Text = unknown, Document = unknown> {
  readonly id: string
  readonly field: string
  /** Resolves when the body is loaded. Rejects if it cannot be, or with `closed`. */
  readonly whenReady: Promise<void>
  /** The real Y.Text. Another one after `onReplaced`. Throws `closed` before `whenReady` and after `close`. */
  readonly text: Text
  /** The real Y.Doc. As `text`. */
  readonly document: Document
  /** Calls back when `text` and `document` were replaced, so that editors attach again. Returns how to stop. */
  onReplaced(listener: () => void): () => void
  /** Sends what was typed and lets go. The document closes with its last handle. */
  close(): void
}
