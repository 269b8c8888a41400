// The chain as JSON: to copy for a program, or to paste and go on from.

import { useId, useState } from "react";
import type { Chain } from "@/api/chain";
import { useAnnounce } from "@/ui/Announcer";
import { chainFromText, chainText } from "./text";
import styles from "./chain.module.css";
import paramStyles from "@/params/params.module.css";

type Props = { chain: Chain; onChain: (chain: Chain) => void };

export function ChainText({ chain, onChain }: Props) {
  const id = useId();
  const announce = useAnnounce();
  const shown = chainText(chain);
  // What is typed holds until it is used; then the steps are the truth again.
  const [typed, setTyped] = useState<string | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const text = typed ?? shown;

  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => announce("Copied."),
      () => announce("The browser does not allow copying; select the text instead."),
    );
  };

  const use = () => {
    const read = chainFromText(text);
    if ("trouble" in read) {
      setTrouble(read.trouble);
      return;
    }
    setTrouble(null);
    setTyped(null);
    onChain(read.chain);
    announce(`The chain has ${read.chain.steps.length} steps now.`);
  };

  return (
    <details className={styles.text}>
      <summary>As JSON, for programs</summary>
      <div className={styles.field}>
        <label htmlFor={id}>This chain as the API takes it. Change it or paste another.</label>
        <textarea
          id={id}
          rows={10}
          spellCheck={false}
          value={text}
          aria-invalid={trouble !== null}
          aria-describedby={`${id}-trouble`}
          onChange={(event) => {
            setTyped(event.target.value);
            setTrouble(null);
          }}
        />
        <p id={`${id}-trouble`} className={`error ${paramStyles.words}`} aria-live="polite">
          {trouble ?? ""}
        </p>
        <div className="actions">
          <button type="button" onClick={copy}>
            Copy
          </button>
          <button type="button" aria-disabled={typed === null} onClick={typed === null ? undefined : use}>
            Use this text
          </button>
        </div>
      </div>
    </details>
  );
}
