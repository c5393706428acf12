export { Cursor } from './cursor.js';
export { type Diagnostic, FormatError, type FormatErrorCode, formatPlace, isFormatError, type Place } from './errors.js';
export { type ByteSource, checkRange, MemorySource } from './source.js';
