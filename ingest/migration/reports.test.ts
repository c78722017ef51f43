import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MIGRATION_FORMATS, readMigrationReport } from "./registry.ts";
import type { MigrationReport, ReportedField } from "./report.ts";

const MIB = 1_048_576;

function read(text: string): MigrationReport {
  return readMigrationReport(text, "report");
}

function values(report: MigrationReport): Partial<Record<ReportedField, number>> {
  return Object.fromEntries(
    Object.entries(report.values)
      .filter(([, one]) => one.kind === "measured")
      .map(([name, one]) => [name, one.value]),
  );
}

/** What QEMU 10 answered after a migration of 384 MiB; the numbers are of a real one. */
const COMPLETED = {
  status: "completed",
  "setup-time": 234,
  downtime: 254,
  "total-time": 10893,
  ram: {
    total: 393356 * 1024,
    "postcopy-requests": 0,
    "dirty-sync-count": 4,
    "multifd-bytes": 0,
    "pages-per-second": 3220,
    "downtime-bytes": 1410 * 1024,
    "page-size": 4096,
    remaining: 0,
    "postcopy-bytes": 0,
    mbps: 126.66,
    transferred: 164801 * 1024,
    "dirty-sync-missed-zero-copy": 0,
    "precopy-bytes": 163356 * 1024,
    duplicate: 61251,
    "dirty-pages-rate": 0,
    "normal-bytes": 40977 * 4096,
    normal: 40977,
  },
};

describe("QMP", () => {
  it("reads query-migrate with its units: megabits are decimal", () => {
    const report = read(JSON.stringify({ return: COMPLETED, id: "libvirt-42" }));
    expect(report).toMatchObject({ format: "qmp", vmm: "qemu", outcome: "completed" });
    expect(values(report)).toEqual({
      totalMs: 10893,
      setupMs: 234,
      downtimeMs: 254,
      ramTotalBytes: 402_796_544,
      ramTransferredBytes: 168_756_224,
      precopyBytes: 167_276_544,
      downtimeBytes: 1_443_840,
      postcopyBytes: 0,
      bandwidthBytesPerS: 15_832_500,
      pageBytes: 4096,
      passes: 4,
      zeroPages: 61251,
      normalPages: 40977,
    });
    expect(report.unknownFields).toEqual([]);
    expect(report.contradictions).toEqual([]);
  });

  it("marks what is left at 0 after the end, and a limit shown as an expectation", () => {
    const done = read(JSON.stringify(COMPLETED));
    expect(done.values.dirtyRatePagesPerS).toMatchObject({ value: 0, kind: "placeholder" });
    expect(done.values.ramRemainingBytes).toMatchObject({ kind: "placeholder" });
    const running = {
      status: "active",
      "expected-downtime": 300,
      ram: { "dirty-pages-rate": 0, remaining: 5, total: 9 },
    };
    expect(read(JSON.stringify(running)).values.expectedDowntimeMs).toMatchObject({
      kind: "placeholder",
    });
    const measured = { ...running, ram: { ...running.ram, "dirty-pages-rate": 17 } };
    expect(read(JSON.stringify(measured)).values.expectedDowntimeMs).toMatchObject({
      kind: "measured",
      value: 300,
    });
  });

  it("reads a session: the greeting's version, parameters, events between, the last answer", () => {
    const session = [
      {
        QMP: {
          version: { qemu: { micro: 2, minor: 0, major: 10 }, package: "Debian 1:10.0.2" },
          capabilities: [],
        },
      },
      { return: {} },
      { return: { "downtime-limit": 500, "max-bandwidth": 134_217_728, "multifd-channels": 2 } },
      {
        timestamp: { seconds: 1, microseconds: 2 },
        event: "MIGRATION",
        data: { status: "active" },
      },
      {
        return: {
          status: "active",
          "total-time": 10,
          "expected-downtime": 500,
          ram: { remaining: 7, total: 8 },
        },
      },
      { return: COMPLETED },
    ];
    const report = read(session.map((one) => JSON.stringify(one, undefined, 1)).join("\r\n"));
    expect(report.version).toBe("10.0.2 (Debian 1:10.0.2)");
    expect(report.outcome).toBe("completed");
    expect(values(report)).toMatchObject({
      downtimeMs: 254,
      downtimeLimitMs: 500,
      maxBandwidthBytesPerS: 128 * MIB,
    });
    expect(report.notes).toContain("2 answers of query-migrate: the last one counts");
    expect(report.values.expectedDowntimeMs).toMatchObject({ kind: "placeholder" });
  });

  it.each([
    ["page-sampling", "sampled-content", { sampledPagesPerGiB: 512 }],
    ["dirty-bitmap", "unique-pages", {}],
    ["dirty-ring", "ring-pushes", {}],
  ] as const)("reads query-dirty-rate of mode %s, in MiB/s", (mode, kind, more) => {
    const report = read(
      JSON.stringify({
        return: {
          "sample-pages": 512,
          status: "measured",
          "dirty-rate": 108,
          mode,
          "start-time": 3_665_220,
          "calc-time": 10,
          "calc-time-unit": "second",
          "vcpu-dirty-rate": [
            { id: 0, "dirty-rate": 100 },
            { id: 1, "dirty-rate": 8 },
          ],
        },
      }),
    );
    expect(report.dirtyRateKind).toBe(kind);
    expect(values(report)).toEqual({
      dirtyRateBytesPerS: 113_246_208,
      dirtyRatePeriodMs: 10_000,
      ...more,
    });
    expect(report.vcpuDirtyRates).toEqual([
      { vcpu: 0, bytesPerS: 104_857_600 },
      { vcpu: 1, bytesPerS: 8_388_608 },
    ]);
  });

  it("takes calc-time in milliseconds, and a rate that is not measured for none", () => {
    const report = read(
      '{"return": {"status": "measuring", "dirty-rate": 3, "calc-time": 250, "calc-time-unit": "millisecond", "mode": "dirty-bitmap"}}',
    );
    expect(values(report)).toEqual({ dirtyRatePeriodMs: 250 });
    expect(report.notes[0]).toContain("not measured yet");
  });

  it("converts microseconds of throttling, and per cent", () => {
    const report = read(
      '{"status": "active", "cpu-throttle-percentage": 40, "dirty-limit-throttle-time-per-round": 1500, "dirty-limit-ring-full-time": 250, "ram": {}}',
    );
    expect(values(report)).toEqual({
      throttleShare: 0.4,
      dirtyLimitThrottleMs: 1.5,
      dirtyLimitRingFullMs: 0.25,
    });
  });

  it("names fields that it does not know, and values that are no numbers", () => {
    const report = read(
      '{"status": "active", "remaining": 5, "ram": {"total": "a lot", "new-thing": 1, "remaining": 3}}',
    );
    expect(report.unknownFields).toEqual([
      "remaining",
      'ram.total = "a lot", not a number',
      "ram.new-thing",
    ]);
    expect(values(report)).toEqual({ ramRemainingBytes: 3 });
    expect(read('{"status": "teleported", "ram": {"total": 1}}')).toMatchObject({
      outcome: "unknown",
      unknownFields: ["status = teleported"],
    });
  });

  it("reads what is whole of a file that is cut", () => {
    const text = `${JSON.stringify({ return: COMPLETED })}\n{"return": {"status": "act`;
    const report = read(text);
    expect(report.outcome).toBe("completed");
    expect(report.unknownFields).toEqual(["1 piece of broken JSON"]);
  });
});

describe("info migrate", () => {
  const text = `globals:
store-global-state: on
clear-bitmap-shift: 18
Migration status: completed
total time: 10893 ms
downtime: 254 ms
setup: 234 ms
transferred ram: 164801 kbytes
throughput: 126.66 mbps
remaining ram: 0 kbytes
total ram: 393356 kbytes
duplicate: 61251 pages
normal: 40977 pages
normal bytes: 163908 kbytes
dirty sync count: 4
page size: 4 kbytes
multifd bytes: 0 kbytes
pages-per-second: 3220
precopy ram: 163356 kbytes
downtime ram: 1410 kbytes
`;

  it("says what query-migrate says: kbytes are KiB", () => {
    const report = read(text);
    expect(report).toMatchObject({
      format: "info-migrate",
      outcome: "completed",
      unknownFields: [],
      contradictions: [],
    });
    const { postcopyBytes, ...json } = values(read(JSON.stringify(COMPLETED)));
    expect(postcopyBytes).toBe(0);
    expect(values(report)).toEqual(json);
  });

  it("keeps the numbers of a migration that was cancelled, and its outcome", () => {
    const active = text
      .replace("completed", "active")
      .replace("downtime: 254", "expected downtime: 300");
    const report = read(`${active}\nMigration status: cancelled\ntotal time: 0 ms\n`);
    expect(report.outcome).toBe("cancelled");
    expect(values(report)).toMatchObject({ ramTotalBytes: 402_796_544 });
    expect(report.values.totalMs).toMatchObject({ value: 10_893, kind: "placeholder" });
    expect(report.notes).toContain(
      "the migration did not complete: its total time is only the time so far",
    );
    expect(report.values.expectedDowntimeMs).toMatchObject({ kind: "placeholder" });
    expect(report.values.ramRemainingBytes).toMatchObject({ kind: "placeholder" });
  });

  it("names lines of other units", () => {
    const report = read(
      "Migration status: active\ntotal time: 12 fortnights\ntotal ram: 4 kbytes\n",
    );
    expect(report.unknownFields).toEqual(["total time: 12 fortnights"]);
  });
});

describe("virsh domjobinfo", () => {
  const printed = `Job type:         Completed
Operation:        Outgoing migration
Time elapsed:     10893        ms
Time elapsed w/o network: 10890        ms
Data processed:   160.938 MiB
Data remaining:   0.000 B
Data total:       384.137 MiB
Memory processed: 160.938 MiB
Memory remaining: 0.000 B
Memory total:     384.137 MiB
Memory bandwidth: 15.099 MiB/s
Dirty rate:       0            pages/s
Page size:        4096         bytes
Iteration:        4
Postcopy requests: 0
Constant pages:   61251
Normal pages:     40977
Normal data:      160.066 MiB
Total downtime:   254          ms
Downtime w/o network: 251          ms
Setup time:       234          ms
`;
  const raw = `Job type:         Completed
operation: 3
time_elapsed: 10893
time_elapsed_net: 3
data_total: 402796544
data_processed: 168756224
data_remaining: 0
memory_total: 402796544
memory_processed: 168756224
memory_remaining: 0
memory_bps: 15832500
memory_constant: 61251
memory_normal: 40977
memory_normal_bytes: 167841792
memory_dirty_rate: 0
memory_iteration: 4
memory_page_size: 4096
downtime: 254
downtime_net: 251
setup_time: 234
`;

  it("reads both forms, which agree to what is printed", () => {
    const told = values(read(printed));
    const exact = values(read(raw));
    expect(Object.keys(told).sort()).toEqual(Object.keys(exact).sort());
    expect(exact).toMatchObject({
      downtimeMs: 254,
      downtimeWithoutNetworkMs: 251,
      bandwidthBytesPerS: 15_832_500,
      passes: 4,
    });
    for (const name of Object.keys(exact) as ReportedField[]) {
      const wanted = exact[name]!;
      expect(Math.abs(told[name]! - wanted)).toBeLessThanOrEqual(0.001 * wanted);
    }
    expect(read(printed)).toMatchObject({
      unknownFields: [],
      contradictions: [],
      outcome: "completed",
      vmm: "libvirt",
    });
    expect(read(raw).unknownFields).toEqual([]);
  });

  it("takes the downtime of a job that runs for an expectation", () => {
    const report = read(raw.replace("Completed", "Unbounded"));
    expect(report.outcome).toBe("active");
    expect(report.values.downtimeMs!.kind).toBe("placeholder");
    expect(values(report)).toMatchObject({ expectedDowntimeMs: 254 });
  });

  it("keeps the versions of `virsh version`, and names what it does not know", () => {
    const report = read(
      `Using library: libvirt 11.3.0\nRunning hypervisor: QEMU 10.0.2\n${printed}Moon phase: full\n???\n`,
    );
    expect(report.version).toBe("libvirt 11.3.0, QEMU 10.0.2");
    expect(report.unknownFields).toEqual(["Moon phase", "???"]);
  });
});

describe("virsh domstats --dirtyrate", () => {
  const text = `Domain: 'vm'
  dirtyrate.calc_status=2
  dirtyrate.calc_start_time=12345
  dirtyrate.calc_period=2
  dirtyrate.megabytes_per_second=10
  dirtyrate.calc_mode=dirty-ring
  dirtyrate.vcpu.0.megabytes_per_second=7
  dirtyrate.vcpu.1.megabytes_per_second=3
  dirtyrate.mood=good
`;

  it("has MiB, seconds and vCPUs, and says what it counts", () => {
    const report = read(text);
    expect(report).toMatchObject({
      format: "domstats",
      dirtyRateKind: "ring-pushes",
      unknownFields: ["dirtyrate.mood"],
    });
    expect(values(report)).toEqual({ dirtyRateBytesPerS: 10 * MIB, dirtyRatePeriodMs: 2000 });
    expect(report.vcpuDirtyRates).toEqual([
      { vcpu: 0, bytesPerS: 7 * MIB },
      { vcpu: 1, bytesPerS: 3 * MIB },
    ]);
  });

  it("does not take a rate that is being measured for one", () => {
    expect(values(read(text.replace("calc_status=2", "calc_status=1")))).toEqual({
      dirtyRatePeriodMs: 2000,
    });
  });
});

describe("Cloud Hypervisor", () => {
  const log = `cloud-hypervisor: 12.345s: <vmm> INFO:src/main.rs:1 -- Cloud Hypervisor v52.0.0-12-gabcdef
iter=0 curr=1024MiB total=1024MiB bw=1000.00MiB/s transfer=1.02s overhead=3ms est_downtime=0ms elapsed=1.03s avg_bw=994.17MiB/s
cloud-hypervisor: 14s: <vmm> INFO -- Precopy: iter=1 curr=200MiB total=1224MiB bw=1000.00MiB/s transfer=0.20s overhead=2ms est_downtime=200ms elapsed=1.24s avg_bw=987.10MiB/s
iter=2 curr=40MiB total=1264MiB bw=1000.00MiB/s transfer=0.04s overhead=2ms est_downtime=40ms elapsed=1.29s avg_bw=979.84MiB/s
Migration downtime: 105ms (final_iter:42ms state:20ms send_state:30ms complete:12ms)
`;

  it("reads a line a pass, and the downtime with its parts", () => {
    const report = read(log);
    expect(report).toMatchObject({
      format: "cloud-hypervisor-log",
      version: "52.0.0-12-gabcdef",
      outcome: "completed",
    });
    expect(
      report.passes.map(({ number, bytes, durationMs, estimatedDowntimeMs }) => [
        number,
        bytes,
        durationMs,
        estimatedDowntimeMs,
      ]),
    ).toEqual([
      [1, 1024 * MIB, 1023, undefined],
      [2, 200 * MIB, 202, 200],
      [3, 40 * MIB, 42, 40],
    ]);
    expect(report.passes[1]!.startMs).toBeCloseTo(1038, 6);
    expect(report.downtimeParts).toEqual([
      { name: "last pass", ms: 42 },
      { name: "device state", ms: 20 },
      { name: "sending the state", ms: 30 },
      { name: "completion and resume", ms: 12 },
    ]);
    expect(values(report)).toMatchObject({
      downtimeMs: 105,
      ramTotalBytes: 1024 * MIB,
      ramTransferredBytes: 1264 * MIB,
      passes: 3,
      expectedDowntimeMs: 40,
    });
    expect(report.contradictions).toEqual([]);
  });

  it("says where lines are missing, and what it does not know", () => {
    const report = read(
      log
        .replace(/^.*iter=1.*\n/m, "")
        .replace("overhead=2ms", "overhead=2ms mood=good")
        .replace("transfer=0.04s", "transfer=soon"),
    );
    expect(report.contradictions).toEqual([
      "pass 3 follows pass 1: lines are missing, or of another migration",
    ]);
    expect(report.unknownFields).toEqual(["transfer=soon", "mood"]);
    expect(report.passes.at(-1)).toMatchObject({ durationMs: undefined, startMs: undefined });
  });

  it("of two lines of one pass takes the later", () => {
    const twice = log.replace(
      "iter=2 curr=40MiB",
      "iter=2 curr=9MiB total=1224MiB bw=1.00MiB/s transfer=0.20s overhead=1ms est_downtime=9ms elapsed=1.25s avg_bw=1.00MiB/s\niter=2 curr=40MiB",
    );
    expect(read(twice).passes).toHaveLength(3);
  });
});

describe("QEMU's trace", () => {
  const trace = `498@1763600000.000100:migration_bitmap_sync_start
498@1763600000.000600:migration_bitmap_sync_end dirty_pages 98305
498@1763600000.010000:kvm_clear_dirty_log slot#2 start 0x0 size 0x10000
498@1763600001.000000:migrate_transferred transferred 15832500 time_spent 1000 bandwidth 15832 max_size 4749600
498@1763600001.000100:migrate_pending_estimate estimate pending size 4000000 (pre = 4000000 post=0)
498@1763600002.000600:migration_bitmap_sync_end dirty_pages 3538
498@1763600002.001000:migrate_pending_exact exact pending size 14491648 (pre = 14491648 post=0)
498@1763600003.000000:vmstate_downtime_checkpoint src-downtime-start
498@1763600003.003000:vmstate_downtime_checkpoint src-vm-stopped
498@1763600003.203000:vmstate_downtime_checkpoint src-iterable-saved
498@1763600003.210000:vmstate_downtime_save type=non-iterable idstr=cpu_common instance_id=0 downtime=1500
498@1763600003.220000:vmstate_downtime_save type=non-iterable idstr=virtio-net instance_id=0 downtime=9000
498@1763600003.233000:vmstate_downtime_checkpoint src-non-iterable-saved
498@1763600003.254000:vmstate_downtime_checkpoint src-downtime-end
498@1763600003.300000:migrate_set_state new state completed
498@1763600003.400000:qemu_file_fclose
not a trace line at all
`;

  it("splits the blackout at the checkpoints", () => {
    const report = read(trace);
    expect(report).toMatchObject({
      format: "qemu-trace",
      outcome: "completed",
      unknownFields: [],
      contradictions: [],
    });
    expect(
      report.downtimeParts.map(({ name, ms }) => [name, Math.round(ms * 1000) / 1000]),
    ).toEqual([
      ["stopping the vCPUs", 3],
      ["last pass", 200],
      ["device state", 30],
      ["end on the source", 21],
    ]);
    expect(report.values.downtimeMs!.value).toBeCloseTo(254, 9);
    expect(report.notes[0]).toBe("2 devices were saved in 10.5 ms, virtio-net in 9.0 ms");
  });

  it("gives passes, clears, bandwidth and the limit", () => {
    const report = read(trace);
    expect(report.passes).toEqual([
      expect.objectContaining({ number: 1, dirtyPages: 98_305, startMs: 0.5, durationMs: 2000 }),
      expect.objectContaining({ number: 2, dirtyPages: 3538, durationMs: undefined }),
    ]);
    expect(report.clears).toEqual([{ slot: 2, firstPage: 0, pages: 65_536, tsNs: 9_900_000 }]);
    expect(values(report)).toMatchObject({
      bandwidthBytesPerS: 15_832_000,
      downtimeLimitMs: 300,
      ramRemainingBytes: 14_491_648,
      passes: 2,
    });
  });

  it("works without times, and says what they would have given", () => {
    const report = read(trace.replace(/^\d+@[\d.]+:/gm, ""));
    expect(report.downtimeParts).toEqual([]);
    expect(report.values.downtimeMs).toBeUndefined();
    expect(report.notes).toContain("checkpoints of the downtime without times: not used");
    expect(report.passes.map(({ dirtyPages }) => dirtyPages)).toEqual([98_305, 3538]);
  });

  it("names events of a shape that it does not know", () => {
    const report = read(
      "migrate_transferred lots of it\nkvm_clear_dirty_log everything\nmigration_bitmap_sync_end dirty_pages 1\n",
    );
    expect(report.unknownFields).toEqual([
      "migrate_transferred lots of it",
      "kvm_clear_dirty_log everything",
    ]);
  });
});

describe("contradictions", () => {
  const cases: readonly (readonly [string, object, string])[] = [
    [
      "more is left than there is",
      { ram: { ...COMPLETED.ram, remaining: 9e9 }, status: "active" },
      "is more than ram.total",
    ],
    [
      "downtime above the total",
      { ...COMPLETED, downtime: 20_000 },
      "downtime (20000) is more than total-time",
    ],
    [
      "parts above the whole",
      { ...COMPLETED, ram: { ...COMPLETED.ram, "downtime-bytes": 9e8 } },
      "of 168756224 in all",
    ],
    [
      "another throughput",
      { ...COMPLETED, ram: { ...COMPLETED.ram, mbps: 500 } },
      "62500000 are reported",
    ],
    [
      "a downtime of a failure",
      { ...COMPLETED, status: "failed" },
      "the migration failed, and still a downtime",
    ],
    ["a negative time", { ...COMPLETED, "setup-time": -3 }, "setup-time is negative (-3)"],
    [
      "bytes that are not its pages",
      { ...COMPLETED, ram: { ...COMPLETED.ram, normal: 5 } },
      "ram.normal-bytes",
    ],
    [
      "throttling above 100 %",
      { ...COMPLETED, "cpu-throttle-percentage": 130 },
      "throttled by 130 %",
    ],
  ];
  it.each(cases)("%s", (_name, body, sentence) => {
    const { contradictions } = read(JSON.stringify(body));
    expect(contradictions).toHaveLength(1);
    expect(contradictions[0]).toContain(sentence);
  });

  it("parts of a downtime that do not add up", () => {
    const report = read("x: 500ms (final_iter:42ms state:20ms send_state:30ms complete:12ms)");
    expect(report.contradictions).toEqual([
      "the parts of the downtime add up to 104 ms, not to 500 ms",
    ]);
  });
});

describe("texts that are none", () => {
  it.each([
    ["", "empty"],
    ["   \n", "empty"],
    ["hello\nworld", "begins with: hello"],
    ["[1, 2, 3]", "begins with"],
    ['{"return": {}}', "holds nothing that can be read"],
    ['{"return": {"running": true, "status": "running"}}', "holds nothing that can be read"],
  ])("%j", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it("never throw anything but a TraceError, whatever they hold", () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '{"return":',
        '"ram":{',
        "iter=0 curr=",
        "Job type: Completed\n",
        "Migration status: x\n",
        "}}",
        "total time: ",
        "final_iter:3ms",
        "1@2.000003:migrate_transferred bandwidth 0 max_size 9\n",
      ),
      fc.json(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join("");
        try {
          for (const one of Object.values(read(text).values)) {
            expect(Number.isFinite(one.value) && one.value >= 0).toBe(true);
          }
        } catch (error) {
          expect((error as Error).name).toBe("TraceError");
        }
      }),
    );
  });

  it("are told apart by one format each", () => {
    const samples = [
      JSON.stringify(COMPLETED),
      "iter=0 curr=1MiB",
      "migrate_set_state new state active",
      "Job type: None\nMemory total: 1 B",
      "dirtyrate.calc_mode=x",
      "Migration status: x\ntotal ram: 1 kbytes",
    ];
    expect(
      samples.map((text) =>
        MIGRATION_FORMATS.filter((one) => one.applies(text)).map(({ id }) => id),
      ),
    ).toEqual(MIGRATION_FORMATS.map(({ id }) => [id]));
  });
});
