// Gives a chain a name, under which this browser offers it again.

import { useId, useRef, useState } from "react";
import type { Chain } from "@/api/chain";
import { useAnnounce } from "@/ui/Announcer";
import { NAME_MAX, useSavedChains } from "./saved";
import styles from "./chain.module.css";

type Props = {
  chain: Chain;
  /** Under which it is remembered already. */
  name: string | null;
  onSaved: (name: string) => void;
  onForgotten: () => void;
};

export function SaveChain({ chain, name, onSaved, onForgotten }: Props) {
  const id = useId();
  const announce = useAnnounce();
  const { save, forget } = useSavedChains();
  const field = useRef<HTMLInputElement>(null);
  const [edited, setEdited] = useState<string | null>(null);
  const typed = edited ?? name ?? "";
  const ready = typed.trim() !== "" && chain.steps.length > 0;
  const remember = () => {
    if (!ready) return;
    const as = typed.trim().slice(0, NAME_MAX);
    save(as, chain);
    announce(`Remembered as ${as}.`);
    setEdited(null);
    onSaved(as);
  };
  return (
    <div className={styles.save}>
      <div className={styles.field}>
        <label htmlFor={id}>Remember it as</label>
        <input
          ref={field}
          id={id}
          type="text"
          autoComplete="off"
          maxLength={NAME_MAX}
          placeholder="My podcast"
          aria-describedby={`${id}-where`}
          value={typed}
          onChange={(event) => setEdited(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            remember();
          }}
        />
      </div>
      <div className="actions">
        <button type="button" aria-disabled={!ready} onClick={remember}>
          {name !== null && typed.trim() === name ? "Remember the changes" : "Remember"}
        </button>
        {name !== null && (
          <button
            type="button"
            className="quiet danger"
            onClick={() => {
              forget(name);
              announce(`${name} is forgotten.`);
              setEdited(name);
              field.current?.focus();
              onForgotten();
            }}
          >
            Forget “{name}”
          </button>
        )}
      </div>
      <p id={`${id}-where`} className="fine">
        Chains are remembered in this browser only.
      </p>
    </div>
  );
}
