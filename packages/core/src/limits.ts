/** Every loop, queue, frame and batch has its bound here (SPEC F4). A peer that goes beyond is refused by code. */
export interface Limits {
  /** Bytes of one value. */
  readonly valueBytesMax: number
  /** Bytes of one submitted transaction. */
  readonly submitBytesMax: number
  /** Bytes of one frame, its head included, on the wire and when it is inflated. */
  readonly frameBytesMax: number
  /** Bytes of a hello, which comes before anybody is known. */
  readonly helloBytesMax: number
  /** Rows in one frame. */
  readonly rowsPerFrameMax: number
  /** Parts (cells, deletions, revivals) in one frame. */
  readonly partsPerFrameMax: number
  readonly transactionsPerFrameMax: number
  /** Own transactions that go to the disk as one record. */
  readonly transactionsPerChunkMax: number
  readonly writesPerTransactionMax: number
  /** Cells of one row. */
  readonly fieldsPerRowMax: number
  /** About how many bytes the cells of one row take, and the values in them: its texts are beside it. */
  readonly rowBytesMax: number
  readonly rowValueBytesMax: number
  readonly siblingsMax: number
  /** Elements of a set, those that are out included. */
  readonly setElementsMax: number
  /** Writers in the context of one cell. */
  readonly contextWritersMax: number
  /** Bytes of a collection's or a field's name. */
  readonly nameBytesMax: number
  /** Bytes of a document's id. */
  readonly idBytesMax: number
  readonly tokenBytesMax: number
  /** Nesting, keys and length inside one value. */
  readonly valueDepthMax: number
  readonly valueKeysMax: number
  /** Bytes of one text update on the wire; larger ones are split by the client at transaction ends. */
  readonly textUpdateBytesMax: number
  /** Bytes of a text as a relay stores it. */
  readonly textBytesMax: number
  /** Clients in one text's state vector. */
  readonly textClientsMax: number
  /** How far a mark in a submit may be beyond the relay's time (SPEC C4). */
  readonly skewMs: number
  /** How far a mark may be beyond the greatest that its row holds (SPEC C4). */
  readonly rowStepMs: number
  /** How far a received or forced mark moves the local clock beyond now (SPEC C3, W4). */
  readonly clockLeadMs: number
  /** How long tombstones stay at clients (T in SPEC D2). */
  readonly tombstoneMs: number
  /**
   * How long a write waits in the outbox for relays that have not acknowledged it, once those that were wanted have
   * (SPEC L2). A relay that is away for longer is brought up by its peers, or by a give; the outbox stays bounded. Well
   * below `tombstoneMs`, so that no write waits for longer than what it touched is remembered.
   */
  readonly handOffMs: number
  /** Generations of one store that are told to a peer. */
  readonly lineageMax: number
}

export const limits: Limits = {
  valueBytesMax: 256 * 1024,
  submitBytesMax: 1024 * 1024,
  frameBytesMax: 4 * 1024 * 1024,
  helloBytesMax: 64 * 1024,
  rowsPerFrameMax: 16_384,
  partsPerFrameMax: 131_072,
  transactionsPerFrameMax: 4096,
  transactionsPerChunkMax: 16_384,
  writesPerTransactionMax: 8192,
  fieldsPerRowMax: 256,
  rowBytesMax: 960 * 1024,
  rowValueBytesMax: 768 * 1024,
  siblingsMax: 32,
  setElementsMax: 10_000,
  contextWritersMax: 65_536,
  nameBytesMax: 256,
  idBytesMax: 256,
  tokenBytesMax: 16 * 1024,
  valueDepthMax: 32,
  valueKeysMax: 10_000,
  textUpdateBytesMax: 256 * 1024,
  textBytesMax: 16 * 1024 * 1024,
  textClientsMax: 65_536,
  skewMs: 5 * 60_000,
  rowStepMs: 1000,
  clockLeadMs: 60_000,
  tombstoneMs: 90 * 24 * 3_600_000,
  handOffMs: 30 * 24 * 3_600_000,
  lineageMax: 256,
}
