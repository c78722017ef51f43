/**
 * A machine that is none: a folder with the files of tracefs, and in front of PATH the few programs through
 * which a script sees or changes what plain files cannot be (making a tracing instance fills it, as the
 * kernel does). What a capture recorded is what "the kernel" recorded.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import * as v from "valibot";

const CAPTURES = path.resolve(fileURLToPath(import.meta.url), "../../../../fixtures/captures");

const RecordedFacts = v.object({
  kernel: v.string(),
  features: v.object({ detected: v.array(v.string()) }),
  kprobe_profile: v.record(v.string(), v.tuple([v.number(), v.number()])),
});

export interface FakeHostOptions {
  /** Folder of fixtures/captures whose trace the ring buffer holds. */
  readonly capture?: string;
  /** `uname -r`; that of the capture where it is not given. */
  readonly kernel?: string;
  readonly functions?: readonly string[];
  /** What the kernel log says of KVM. */
  readonly kvmLog?: string;
  /** The kernel finds fields by name. */
  readonly knowsFieldNames?: boolean;
  readonly uid?: number;
  /** `uname -m`. */
  readonly machine?: string;
  /** Body of the program trace-cmd; without it no trace.dat is asked for. */
  readonly traceCmd?: string;
}

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class FakeHost {
  readonly root: string = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-host-"));
  readonly tracefs: string = path.join(this.root, "tracefs");
  /** What a new instance holds. */
  readonly template: string = path.join(this.root, "template");
  readonly out: string = path.join(this.root, "recording");

  readonly #options: FakeHostOptions;

  constructor(options: FakeHostOptions) {
    this.#options = options;
    const folder = path.join(CAPTURES, options.capture ?? "tiny-612");
    const facts = v.parse(RecordedFacts, JSON.parse(read(folder, "capture.json")));
    const log = facts.features.detected.map((one) => `[    0.1] CPU features: detected: ${one}`);
    log.push(options.kvmLog ?? "[    1.6] kvm [1]: VHE mode initialized successfully");
    this.#makeTracefs(folder, facts.kprobe_profile, options);
    this.#makePrograms(options.kernel ?? facts.kernel, log.join("\n"), options.uid ?? 0);
  }

  get instance(): string {
    return path.join(this.tracefs, "instances/tlbi_replay");
  }

  /** Definitions that are in force, all groups. */
  liveProbes(): readonly string[] {
    const live = new Map<string, string>();
    for (const line of read(this.tracefs, "kprobe_events").split("\n")) {
      const removed = /^-:(\S+)/.exec(line)?.[1];
      if (removed !== undefined) live.delete(removed);
      else if (line !== "") live.set(/:(\S+)/.exec(line)![1]!, line);
    }
    return [...live.values()];
  }

  /** Definitions of our group in the order in which they were written, whether still in force or not. */
  writtenProbes(): readonly string[] {
    const lines = read(this.tracefs, "kprobe_events").split("\n");
    return lines.filter((line) => /^[prf]\d*:kvm_/.test(line));
  }

  /** The file of definitions as the kernel would show it: without what was removed. */
  forgetProbes(): void {
    const live = this.liveProbes();
    put(this.tracefs, { kprobe_events: live.map((line) => `${line}\n`).join("") });
  }

  saved(name: string): string {
    return read(this.out, name);
  }

  write(script: string, name = "record.sh"): string {
    const file = path.join(this.root, name);
    fs.writeFileSync(file, script);
    return file;
  }

  run(script: string, ...words: readonly string[]): Outcome {
    return this.runWithInput("", script, ...words);
  }

  runWithInput(input: string, script: string, ...words: readonly string[]): Outcome {
    const file = this.write(script);
    const { status, stdout, stderr } = spawnSync("sh", [file, ...words], {
      env: this.#environment(),
      encoding: "utf8",
      input,
    });
    return { code: status, out: stdout, err: stderr };
  }

  /** Runs until `file` exists, sends the signal, and waits for the end. */
  async interrupt(
    script: string,
    words: readonly string[],
    file: string,
    signal: NodeJS.Signals,
  ): Promise<Outcome> {
    const child = spawn("sh", [this.write(script), ...words], { env: this.#environment() });
    let err = "";
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const ended = once(child, "close");
    while (!fs.existsSync(file) && child.exitCode === null)
      await new Promise((go) => setTimeout(go, 20));
    child.kill(signal);
    await ended;
    return { code: child.exitCode, out: "", err };
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PATH: `${path.join(this.root, "bin")}:${process.env["PATH"] ?? ""}`,
      TRACEFS: this.tracefs,
      KALLSYMS: path.join(this.root, "kallsyms"),
      KVM_DEBUG: path.join(this.root, "kvm"),
      TRACE_DAT: this.#options.traceCmd === undefined ? "0" : "1",
      TMPDIR: this.root,
    };
  }

  #makeTracefs(
    folder: string,
    profile: Readonly<Record<string, readonly [number, number]>>,
    options: FakeHostOptions,
  ): void {
    const functions = options.functions ?? functionsOf(folder);
    const fields =
      options.knowsFieldNames === true ? "\t  <argname>[->field[->field|.field...]],\n" : "";
    const rows = Object.entries(profile).map(
      ([name, [hits, missed]]) => `  ${name} ${hits} ${missed}`,
    );
    put(this.tracefs, {
      kprobe_events: "p:other/theirs vfs_read\n",
      README: `tracing mini-HOWTO:\n${fields}`,
      available_filter_functions: `${functions.join("\n")}\nvfs_read\nkvm_unrelated [kvm]\n`,
      kprobe_profile: `  theirs 7 0\n${rows.join("\n")}\n`,
    });
    fs.mkdirSync(path.join(this.tracefs, "instances"));
    const stats = read(folder, "per_cpu_stats.txt")
      .split(/^== cpu\d+\n/m)
      .slice(1);
    put(this.template, {
      tracing_on: "1\n",
      trace_clock: "[local] global mono\n",
      trace_options: "print-parent\n",
      buffer_size_kb: "7\n",
      set_event: "kvm:kvm_entry\n",
      set_event_pid: "",
      trace: gunzipSync(fs.readFileSync(path.join(folder, "trace.txt.gz"))),
      "per_cpu/cpu0/stats": stats[0]!,
      "per_cpu/cpu1/stats": stats[1]!,
      "events/enable": "0\n",
      "events/kvm_s2/enable": "0\n",
      "events/kvm_x/enable": "0\n",
      "events/kvm_s2/map/format": "name: map\n",
      "events/kvm/kvm_entry/enable": "0\n",
      "events/kvm/kvm_entry/format": "name: kvm_entry\n",
      "events/kvm/kvm_guest_fault/enable": "0\n",
    });
    const symbols = functions.map((one, i) => `ffff80008${String(i).padStart(7, "0")} T ${one}`);
    put(this.root, {
      kallsyms: `${symbols.join("\n")}\nffff800090000000 T vfs_read\n`,
      "kvm/remote_tlb_flush": "5\n",
    });
  }

  #makePrograms(kernel: string, log: string, uid: number): void {
    const programs: Readonly<Record<string, string>> = {
      id: `echo ${uid}`,
      "trace-cmd": this.#options.traceCmd ?? "exit 1",
      dmesg: `cat <<'END'\n${log}\nEND`,
      uname: `case $1 in -r) echo '${kernel}';; -m) echo ${this.#options.machine ?? "aarch64"};; *) echo 'Linux ${kernel} #1 SMP aarch64';; esac`,
      mkdir: `case $1 in */instances/*) exec cp -r '${this.template}' "$1";; esac; exec /bin/mkdir "$@"`,
      rmdir: `case $1 in */instances/*) exec rm -r "$1";; esac; exec /bin/rmdir "$@"`,
    };
    for (const [name, text] of Object.entries(programs)) {
      put(path.join(this.root, "bin"), { [name]: `#!/bin/sh\n${text}\n` });
      fs.chmodSync(path.join(this.root, "bin", name), 0o755);
    }
  }
}

function functionsOf(folder: string): readonly string[] {
  const lines = read(folder, "kprobes.txt").split("\n");
  const symbols = lines.map((line) => /^p:\S+ (\S+)/.exec(line)?.[1] ?? "");
  return symbols.filter((symbol) => symbol !== "");
}

function read(folder: string, name: string): string {
  return fs.readFileSync(path.join(folder, name), "utf8");
}

function put(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
}
