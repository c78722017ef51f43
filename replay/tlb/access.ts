/**
 * One use of a translation. Page numbers count granules; a class is 0 for a page, 1 for a block of level
 * 2, 2 for a block of level 1. Reused from access to access.
 */
export interface Access {
  /** VM that runs, 0…vms−1; each has two key spaces: its IPA, and the VA of its current ASID. */
  vm: number;
  ipaSpace: number;
  vaSpace: number;
  vaPage: number;
  ipaPage: number;
  /** Class of the guest's own mapping, and of the stage-2 leaf. */
  stage1Class: number;
  stage2Class: number;
  /** Class of the stage-2 leaves that map the guest's page tables. */
  tableClass: number;
  /** Only writes can be wrong on an entry whose write permission was taken away. Default: a read. */
  isWrite?: boolean;
  /** An instruction fetch: it looks into the first level's instruction side. Default: data. */
  isFetch?: boolean;
}

/** Where a translation was found. */
export const Found = { first: 0, second: 1, nowhere: 2 } as const;
