/** The first byte of every value: what it is, and of small ones how much. */
export const tags = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** 64 and more. */
  number: 4,
  /** -1 minus the number that follows. */
  negative: 5,
  double: 6,
  bigint: 7,
  /** -1 minus the number that follows. */
  negativeBigint: 8,
  date: 9,
  text: 10,
  bytes: 11,
  list: 12,
  object: 13,
  /** And 31 more: texts of 0 to 31 bytes. */
  smallText: 0x20,
  /** And 63 more: 0 to 63. */
  smallNumber: 0x40,
  /** And 15 more: lists of 0 to 15 elements. */
  smallList: 0x80,
  /** And 15 more: objects of 0 to 15 keys. */
  smallObject: 0x90,
  end: 0xa0,
} as const

/** What stands before a text of so many bytes, as characters of ASCII, for as many as one byte says. */
export const headOfText: readonly string[] = Array.from({ length: 128 }, (_, length) =>
  length < 32 ? String.fromCharCode(tags.smallText + length) : String.fromCharCode(tags.text, length),
)

/** What stands before a text takes so many bytes at most. */
export const textHeadMax = 4
