// What holds for a step whatever its plugin: version, mix, failure, what to keep.

import type { Plugin } from "@/api/plugins";
import { FieldWords, NumberField } from "@/params/NumberField";
import { mayShorten } from "@/plugins/find";
import { type DraftStep, MIX, MIX_FULL, type Note } from "./draft";
import { noteAt } from "./pointers";
import styles from "./chain.module.css";
import paramStyles from "@/params/params.module.css";

type Props = {
  id: string;
  step: DraftStep;
  plugin: Plugin | undefined;
  /** Every version there is, the newest first. */
  versions: readonly string[];
  notes: readonly Note[];
  onChange: (field: string, change: Partial<DraftStep>) => void;
};

export function StepOptions({ id, step, plugin, versions, notes, onChange }: Props) {
  const shortens = mayShorten(plugin);
  const analyses = plugin !== undefined && !plugin.passes.process;
  const note = (field: string) => noteAt(notes, step.key, field);
  return (
    <fieldset className={styles.options}>
      <legend>How it is used</legend>
      {!analyses && !shortens && MIX.kind.type === "float" && (
        <NumberField
          id={`${id}-mix`}
          param={MIX}
          kind={MIX.kind}
          entry={step.mix === MIX_FULL ? null : step.mix}
          note={note("mix")}
          onEnter={(mix) => onChange("mix", { mix })}
          onReset={() => onChange("mix", { mix: MIX_FULL })}
        />
      )}
      {shortens && (
        <p className="muted">
          This step may make the recording shorter, so it cannot be mixed with the original, and what it removes cannot
          be kept.
        </p>
      )}
      <div className={styles.pair}>
        <p className={styles.field}>
          <label htmlFor={`${id}-failure`}>If it fails</label>
          <select
            id={`${id}-failure`}
            value={step.onFailure}
            onChange={(event) => onChange("on_failure", { onFailure: event.target.value === "skip" ? "skip" : "fail" })}
          >
            <option value="fail">Stop the whole correction</option>
            <option value="skip">Leave this step out</option>
          </select>
        </p>
        {step.plugin !== null && (
          <VersionChoice id={`${id}-version`} step={step} versions={versions} note={note("version")} onChange={onChange} />
        )}
      </div>
      {step.plugin !== null && !analyses && (!shortens || step.delta) && (
        <Toggle
          id={`${id}-delta`}
          label="Keep what it removes, to listen to"
          checked={step.delta}
          note={note("delta")}
          onChange={(delta) => onChange("delta", { delta })}
        />
      )}
      {step.plugin !== null && !analyses && !shortens && (
        <Toggle
          id={`${id}-spare`}
          label="Leave music as it is, where a step before this one has found it"
          checked={step.spare.music === 1}
          note={note("spare")}
          onChange={(music) => {
            const others = Object.entries(step.spare).filter(([id]) => id !== "music");
            onChange("spare", { spare: Object.fromEntries(music ? [...others, ["music", 1]] : others) });
          }}
        />
      )}
      {step.plugin !== null && (analyses || step.follow) && (
        <Toggle
          id={`${id}-follow`}
          label="Do what it recommends"
          checked={step.follow}
          note={note("follow")}
          onChange={(follow) => onChange("follow", { follow })}
        />
      )}
    </fieldset>
  );
}

type VersionProps = Pick<Props, "id" | "step" | "versions" | "onChange"> & { note: string | null };

function VersionChoice({ id, step, versions, note, onChange }: VersionProps) {
  const fixed = step.version !== null && !versions.includes(step.version) ? [step.version] : [];
  return (
    <div className={styles.field}>
      <label htmlFor={id}>Version</label>
      <select
        id={id}
        value={step.version ?? ""}
        aria-invalid={note !== null}
        aria-describedby={`${id}-trouble`}
        onChange={(event) => onChange("version", { version: event.target.value === "" ? null : event.target.value })}
      >
        <option value="">The newest when it runs</option>
        {[...fixed, ...versions].map((version) => (
          <option key={version} value={version}>
            Always {version}
          </option>
        ))}
      </select>
      <FieldWords id={id} help="" trouble={note} />
    </div>
  );
}

type ToggleProps = {
  id: string;
  label: string;
  checked: boolean;
  note: string | null;
  onChange: (checked: boolean) => void;
};

function Toggle({ id, label, checked, note, onChange }: ToggleProps) {
  return (
    <div>
      <label className={paramStyles.toggle} htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          checked={checked}
          aria-invalid={note !== null}
          aria-describedby={`${id}-trouble`}
          onChange={(event) => onChange(event.target.checked)}
        />
        <span>{label}</span>
      </label>
      <FieldWords id={id} help="" trouble={note} />
    </div>
  );
}
