// Picks a plugin from the catalogue, with words to find it by.

import { useEffect, useId, useRef, useState } from "react";
import type { Plugin } from "@/api/plugins";
import { useCatalogue } from "@/plugins/Catalogue";
import { nameInChain, search } from "@/plugins/find";
import { TroubleNote } from "@/ui/TroubleNote";
import type { Place } from "./draft";
import styles from "./chain.module.css";

type Props = {
  externals: readonly string[];
  /** Plugins whose recommendations presets follow. */
  followed: readonly string[];
  onAdd: (place: Place, name: string) => void;
};

export function AddStep({ externals, followed, onAdd }: Props) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const { reload } = useCatalogue();
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div className={styles.add}>
      <button
        ref={button}
        type="button"
        aria-expanded={open}
        aria-controls={`${id}-picker`}
        onClick={() => {
          // What was published since is there, too.
          if (!open) reload();
          setOpen(!open);
        }}
      >
        <span aria-hidden="true">+</span> Add a step
      </button>
      <div id={`${id}-picker`} hidden={!open}>
        {open && (
          <Picker
            externals={externals}
            followed={followed}
            onClose={close}
            onPick={(place, name) => {
              setOpen(false);
              onAdd(place, name);
            }}
          />
        )}
      </div>
    </div>
  );
}

type PickerProps = Omit<Props, "onAdd"> & { onPick: (place: Place, name: string) => void; onClose: () => void };

function Picker({ externals, followed, onPick, onClose }: PickerProps) {
  const { phase, trouble, plugins, reload } = useCatalogue();
  const [query, setQuery] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => field.current?.focus(), []);
  const found = search(plugins, query);
  const services = externals.filter((name) => `external service ${name}`.includes(query.trim().toLowerCase()));
  const count = found.length + services.length;
  const onEscape = (event: { key: string; preventDefault: () => void }) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    onClose();
  };
  const pick = (plugin: Plugin) => {
    const name = nameInChain(plugins, plugin);
    onPick({ plugin: name, follow: followed.includes(name) }, plugin.name);
  };
  return (
    <div className={styles.picker}>
      <div className={styles.field}>
        <label htmlFor={id}>What should it do?</label>
        <input
          ref={field}
          id={id}
          type="search"
          autoComplete="off"
          placeholder="noise, loudness, hum…"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            onEscape(event);
            // Enter would send the form around it.
            if (event.key === "Enter") event.preventDefault();
          }}
        />
      </div>
      {phase === "loading" && <p className="muted">Looking…</p>}
      {phase === "failed" && trouble !== null && (
        <TroubleNote trouble={trouble}>
          <button type="button" onClick={reload}>
            Try again
          </button>
        </TroubleNote>
      )}
      {phase === "ready" && (
        <p className="fine" role="status">
          {count === 0 ? "No plugin has these words. Try others." : `${count} to choose from`}
        </p>
      )}
      <ul className={styles.found}>
        {found.map((plugin) => (
          <li key={plugin.id}>
            <button type="button" data-plugin={plugin.id} onKeyDown={onEscape} onClick={() => pick(plugin)}>
              <strong>
                <bdi>{plugin.name}</bdi>
              </strong>
              <bdi>{plugin.summary}</bdi>
              <span className={styles.facts}>
                {[plugin.vendor, plugin.version].filter((fact) => fact !== "").join(" · ")}
              </span>
            </button>
          </li>
        ))}
        {services.map((name) => (
          <li key={`external ${name}`}>
            <button type="button" onKeyDown={onEscape} onClick={() => onPick({ external: name }, `External service ${name}`)}>
              <strong>External service {name}</strong>
              <span>Sends the recording to a service outside this server.</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
