// The form that a plugin's manifest describes: every parameter under its headings.

import type { Plugin } from "@/api/plugins";
import { ParamField } from "@/params/ParamField";
import type { Entry } from "@/params/values";
import type { Note } from "./draft";
import { type Group, grouped, isGroup } from "./groups";
import { noteAt } from "./pointers";
import styles from "./chain.module.css";

type Props = {
  /** Begins the ids of its fields. */
  id: string;
  plugin: Plugin;
  step: string;
  entries: Readonly<Record<string, Entry>>;
  notes: readonly Note[];
  onEnter: (param: string, entry: Entry) => void;
  onReset: (param: string) => void;
};

export function ParamForm(props: Props) {
  if (props.plugin.params.length === 0) return <p className="muted">There is nothing to set.</p>;
  return (
    <div className={styles.params}>
      <Entries group={grouped(props.plugin.params)} {...props} />
    </div>
  );
}

function Entries({ group, ...props }: Props & { group: Group }) {
  return group.entries.map((entry) =>
    isGroup(entry) ? (
      <fieldset key={entry.path} className={styles.group}>
        <legend>{entry.title}</legend>
        <Entries group={entry} {...props} />
      </fieldset>
    ) : (
      <ParamField
        key={entry.id}
        id={`${props.id}-${entry.id}`}
        param={entry}
        entry={props.entries[entry.id] ?? null}
        note={noteAt(props.notes, props.step, `params/${entry.id}`)}
        onEnter={(value) => props.onEnter(entry.id, value)}
        onReset={() => props.onReset(entry.id)}
      />
    ),
  );
}
