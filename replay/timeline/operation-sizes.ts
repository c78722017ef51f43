/** Operations of one policy by how many TLBI instructions each took. */
export interface OperationSizeRow {
  readonly policy: string;
  /** TLBI instructions of an operation: from (included) … */
  readonly tlbi_from: number;
  /** … to (not included). */
  readonly tlbi_below: number;
  readonly operations: number;
}

/** What the same operations cost under two policies. */
export interface PairedRow {
  readonly policy: string;
  readonly than: string;
  /** Operations in which either issues anything. */
  readonly operations: number;
  /** Of those: in which `policy` takes fewer TLBI instructions than `than`, as many, more. */
  readonly fewer: number;
  readonly equal: number;
  readonly more: number;
  /** Sum of the differences, `policy` minus `than`. */
  readonly tlbi_difference: number;
  readonly least_difference: number;
  readonly largest_difference: number;
}

const BUCKETS = 54;

/**
 * Sizes of operations, in powers of two, and differences between each policy and the first, operation
 * by operation: every policy sees the same ones, so their differences are paired.
 */
export class OperationSizes {
  readonly #policies: number;
  readonly #sizes: Float64Array;
  readonly #operations: Float64Array;
  readonly #fewer: Float64Array;
  readonly #more: Float64Array;
  readonly #sum: Float64Array;
  readonly #least: Float64Array;
  readonly #largest: Float64Array;

  constructor(policies: number) {
    const each = (): Float64Array => new Float64Array(policies);
    this.#policies = policies;
    this.#sizes = new Float64Array(policies * BUCKETS);
    this.#operations = each();
    this.#fewer = each();
    this.#more = each();
    this.#sum = each();
    this.#least = each();
    this.#largest = each();
  }

  /** One operation; `tlbi` by policy, the reference first. */
  add(tlbi: Float64Array): void {
    const reference = tlbi[0]!;
    for (let policy = 0; policy < this.#policies; policy += 1) {
      const size = tlbi[policy]!;
      if (size > 0) this.#sizes[policy * BUCKETS + bucketOf(size)]! += 1;
      if (size === 0 && reference === 0) continue;
      const difference = size - reference;
      this.#operations[policy]! += 1;
      if (difference < 0) this.#fewer[policy]! += 1;
      else if (difference > 0) this.#more[policy]! += 1;
      this.#sum[policy]! += difference;
      this.#least[policy] = Math.min(this.#least[policy]!, difference);
      this.#largest[policy] = Math.max(this.#largest[policy]!, difference);
    }
  }

  sizeRows(policies: readonly string[]): OperationSizeRow[] {
    const rows: OperationSizeRow[] = [];
    for (const [at, policy] of policies.entries()) {
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
        const operations = this.#sizes[at * BUCKETS + bucket]!;
        if (operations === 0) continue;
        rows.push({ policy, tlbi_from: 2 ** bucket, tlbi_below: 2 ** (bucket + 1), operations });
      }
    }
    return rows;
  }

  pairedRows(policies: readonly string[]): PairedRow[] {
    return policies.slice(1).map((policy, i) => {
      const at = i + 1;
      const [operations, fewer, more] = [this.#operations[at]!, this.#fewer[at]!, this.#more[at]!];
      return {
        policy,
        than: policies[0]!,
        operations,
        fewer,
        equal: operations - fewer - more,
        more,
        tlbi_difference: this.#sum[at]!,
        least_difference: this.#least[at]!,
        largest_difference: this.#largest[at]!,
      };
    });
  }
}

function bucketOf(size: number): number {
  return Math.min(BUCKETS - 1, Math.floor(Math.log2(size)));
}
