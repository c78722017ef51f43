export const DEFAULT_QUEUE = "tlbi-replay";
/** A word that names a queue; a colon would part the keys of the library. */
export const QUEUE_NAME: RegExp = /^[A-Za-z0-9._-]{1,100}$/;
