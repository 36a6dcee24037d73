export { bodyKey, splitBodyKey, type Bodies, type BodyUpdates } from './bodies.ts'
export { compareBytes, isSameBytes, keyOfBytes } from './bytes.ts'
export type { AskCell, Sibling } from './cells/ask.ts'
export {
  contextOfCell,
  cellCovers,
  joinCells,
  joinSeen,
  lastOfCell,
  seenCovers,
  seenOfCell,
  strategies,
  type Cell,
  type Seen,
  type Strategy,
} from './cells/cell.ts'
export { sumOfCounter, type CounterCell, type CounterEntry } from './cells/counter.ts'
export type { LwwCell } from './cells/lww.ts'
export { isInSet, type SetCell, type SetElement } from './cells/set.ts'
export type { TextCell } from './cells/text.ts'
export type {
  Chunk,
  ForgottenChunk,
  OwnChunk,
  PulledChunk,
  RemadeChunk,
  RemadeMark,
  RemadeText,
  SettledChunk,
  SnapshotChunk,
  StoredVerdict,
  VerdictsChunk,
} from './chunk.ts'
export {
  earliestStamp,
  followingStamp,
  hearMark,
  isLater,
  skewOfMark,
  stampWrite,
  type Stamp,
} from './clock.ts'
export { disputeOf } from './conflict-writers.ts'
export {
  addToContext,
  contextCovers,
  contextCoversAll,
  emptyContext,
  joinContexts,
  lastOfContext,
  type Context,
} from './context.ts'
export { deletePolicies, joinDeletions, type DeletePolicy, type Deletion } from './deletion.ts'
export {
  assert,
  failure,
  RejoinError,
  type ErrorCode,
  type ErrorDetails,
  type Failure,
  type Outcome,
} from './errors.ts'
export { readField } from './field.ts'
export type {
  Field,
  FieldConflict,
  FieldResolution,
  FieldWrite,
  TextAnew,
  TextDocument,
  TextMove,
  TextSupport,
} from './field.ts'
export { emptyFingerprint, type Fingerprint } from './fingerprint.ts'
export { protocolVersion } from './frames.ts'
export type {
  AnswerFrame,
  ByeFrame,
  ChangedRow,
  ChangesFrame,
  CreditFrame,
  Cut,
  Frame,
  GivenFrame,
  GiveFrame,
  GoOnFrame,
  HeartbeatFrame,
  HelloFrame,
  Level,
  PassedContent,
  PassedFrame,
  PresenceFrame,
  QuorumFrame,
  Range,
  RangeBound,
  RangeFrame,
  RangeItem,
  RefuseFrame,
  RequestFrame,
  SubmitFrame,
  SubmittedTransaction,
  TextFrame,
  TextHead,
  TextPart,
  VerdictException,
  VerdictFrame,
  WantedText,
  WantFrame,
  WelcomeFrame,
  WriterRecord,
} from './frames.ts'
export {
  addPosition,
  coversPosition,
  coversPositions,
  heldPosition,
  impliedPosition,
  joinPositions,
  learnGenerations,
  lineageOf,
  noPositions,
  type Cursor,
  type Generation,
  type GenerationId,
  type GenerationTable,
  type Positions,
  type StoreId,
} from './generations.ts'
export { limits, type Limits } from './limits.ts'
export { keysOf, ListedMap, pick } from './listed-map.ts'
export {
  bytesOfWriter,
  compareMarks,
  formatMark,
  greaterMark,
  isSameMark,
  isWriterId,
  msLimit,
  tickLimit,
  writerFromBytes,
  yjsClientOf,
  type Mark,
  type WriterId,
} from './mark.ts'
export { createOutbox, oneCopy, type Copies, type Outbox, type OutboxEntry } from './outbox.ts'
export { madeAt, type OutboxCounts } from './outbox-counts.ts'
export {
  StorageCollision,
  type Channel,
  type Connect,
  type KeyRange,
  type Link,
  type LinkEvents,
  type LockRequest,
  type Locks,
  type OpenChannel,
  type OpenStorage,
  type Runtime,
  type Storage,
  type StorageLoss,
  type StorageRequest,
  type StoreKey,
  type StoreSchema,
} from './ports.ts'
export type {
  FeedPart,
  FeedRow,
  HeldRow,
  LoadedSpace,
  PeerState,
  RelayStore,
  SpaceCommit,
  SpaceRecord,
  PageStore,
  StoredPage,
  StoredText,
  TextFold,
  TextState,
} from './relay-store.ts'
export type { QuarantinedTransaction } from './replica/knowledge.ts'
export type { Applied, AppliedChunk } from './replica/applied.ts'
export { createReplicaState, type ReplicaState } from './replica/replica.ts'
export { GatheredKeys, keysOfRows, unionOfKeys } from './key-set.ts'
export { createRowMap, type RowMap } from './row-map.ts'
export { createRowPacker, packValue, type PackedValue, type RowPacker } from './row-packer.ts'
export {
  collectionOfKey,
  countParts,
  documentKey,
  emptyRow,
  fieldOfPart,
  idOfKey,
  isDeletionDisputed,
  joinRows,
  lastOfLww,
  lastOfOthers,
  lastOfRow,
  partName,
  rowExists,
  showsDelta,
  strategyOfPart,
  type DocumentKey,
  type PartName,
  type Row,
} from './row.ts'
export { readTogether, type OpenDocument, type ShownField } from './shown-columns.ts'
export { nothingCounted, seenByWrites, type SeenDocument } from './seen-document.ts'
export {
  noTexts,
  nothingReplaced,
  transactionId,
  type TextUpdates,
  type Transaction,
  type TransactionId,
  type Write,
} from './write.ts'
export { withMethods } from './with-methods.ts'
export { digestOfBytes, digestOfRow, formatDigest, type Digest } from './digest.ts'
export {
  addToFingerprint,
  isSameFingerprint,
  removeFromFingerprint,
  replaceInFingerprint,
} from './fingerprint.ts'
export { isForbiddenKey } from './forbidden-key.ts'
export { mintedId, parseMintedId, type MintedId } from './minted-id.ts'
export { decodeValue, encodeValue } from './value.ts'
export { readPlain } from './wire/value-reader.ts'
export { encodeCanonicalRow } from './wire/canonical-row.ts'
export { decodeChunk, encodeChunk } from './wire/chunks.ts'
export { createDictionary, type Dictionary } from './wire/dictionary.ts'
export {
  deflateFromBytes,
  isDeflated,
  restOfFrame,
  withDeflatedRest,
  withInflatedRest,
} from './wire/deflated.ts'
export { decodeAnswer, decodeFrame, encodeFrame, isLinked, typeOfFrame } from './wire/frames.ts'
export {
  bytesFor,
  createFrameEncoder,
  createRequestEncoder,
  createKnownNames,
  type EncodedFrame,
  type FrameEncoder,
  type KnownNames,
} from './wire/link-frames.ts'
export { decodeRowChanges, encodeRowChanges, type RowChanges } from './wire/row-changes.ts'
export {
  decodeDictionary,
  decodeHeldRow,
  decodeRow,
  encodeDictionary,
  encodeHeldRow,
  encodeHeldRows,
  encodeRow,
  type EncodedHeldRow,
} from './wire/rows.ts'
export type {
  ClientSession,
  LoadedRow,
  SessionEffect,
  SessionOptions,
  SessionPhase,
} from './client/effects.ts'
export { createOfferQueue, type Look, type OfferQueue } from './client/offer-queue.ts'
export { alone, createOffers, type Beside, type Offers } from './client/beside.ts'
export { createGrapevine, type Telling, type ToldElsewhere } from './client/told-elsewhere.ts'
export { createClientSession } from './client/session.ts'
export { limitOfRow } from './judge/growth.ts'
export { judgeGiven, judgeTransaction, type Judgement, type JudgeContext } from './judge/judge.ts'
export { judgeUpdate } from './judge/update.ts'
export type { ScreenText } from './judge/texts.ts'
export { createPeerPull, type PeerPull, type PulledTurn } from './relay/peer-pull.ts'
export {
  answerRanges,
  compareRanges,
  createRowIndex,
  firstRanges,
  rangesRise,
  type Comparison,
  type RowIndex,
} from './reconcile.ts'
export { createRelaySpace, type RelaySpace } from './relay/space.ts'
export type { Caller, Delivery, SpaceSession, TurnReads } from './relay/space-session.ts'
export type { Lead } from './relay/standing.ts'
export { makeAnew, type RemakeContext } from './remake/make-anew.ts'
export { bodiesToRemake, entriesToRemake, type RemakePlan } from './remake/plan.ts'
export {
  sizeOfCells,
  sizeOfChanged,
  sizeOfTexts,
  sizeOfTransaction,
  sizeOfWrite,
  sizeOfWriteAtMost,
  sizeOfWrites,
} from './size.ts'
