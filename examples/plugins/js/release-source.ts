// Release commands from a Releasefile: one `LABEL: COMMAND` a line.

import {
  type Collected,
  type Command,
  Failure,
  type Invocation,
  type Phase,
  type Provenance,
  settings,
  type Skipped,
  source,
  utf8,
} from "../../../sdk/js/index.js";

/** What a label may begin with, and the phase that it names. */
const PHASES: readonly Phase[] = ["gate", "after", "failed"];

export function collect(): Collected {
  const main = settings.get("file") ?? "Releasefile";
  const warnings: string[] = [];
  const commands: Command[] = [];
  const skipped: Skipped[] = [];
  const text = readIfThere(main);
  if (text === undefined) warnings.push(`there is no ${main}`);
  const rest = source.find("Releasefile.d/*");
  const files = [
    { file: main, text: text ?? "" },
    ...rest.map((file) => ({ file, text: read(file) })),
  ];
  for (const { file, text } of files) {
    for (const [index, line] of text.split("\n").entries()) {
      const entry = entryOf(line, { file, place: `line ${index + 1}` });
      if (entry && "label" in entry) commands.push(entry);
      else if (entry) skipped.push(entry);
    }
  }
  return { commands, skipped, warnings };
}

function readIfThere(file: string): string | undefined {
  try {
    return read(file);
  } catch (reason) {
    if (reason instanceof Failure && reason.code === "not-found") return;
    throw reason;
  }
}

function read(file: string): string {
  const text = utf8.decodeStrict(source.read(file));
  if (text === undefined) throw new Failure("invalid", `${file} is not text`);
  return text;
}

/** What a line says, if it says anything. */
function entryOf(
  line: string,
  provenance: Provenance,
): Command | Skipped | undefined {
  const entry = trim(line.replace(/\r$/, ""));
  if (entry === "" || entry.startsWith("#")) return;
  const colon = entry.indexOf(":");
  const label = trim(entry.slice(0, Math.max(colon, 0)));
  const command = trim(entry.slice(colon + 1));
  if (label === "" || command === "") {
    return { what: entry, reason: "a line is LABEL: COMMAND", provenance };
  }
  const phase = PHASES.find((phase) => label.startsWith(`${phase} `));
  return {
    label: phase ? trim(label.slice(phase.length)) : label,
    run: invocation(command),
    phase: phase ?? "release",
    entrypoint: "keep",
    provenance,
  };
}

function invocation(command: string): Invocation {
  if (!command.startsWith("exec ")) return { shell: command };
  const words = command.slice("exec ".length).split(" ");
  return { argv: words.filter((word) => word !== "") };
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}
