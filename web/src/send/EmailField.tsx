// The e-mail address, and what is wrong with it: said when the field is left or the form is sent, and
// unsaid as soon as it is right. The message's line is always there, so that nothing moves under the
// pointer on its way to the button.

import { type RefObject, useId } from "react";
import { t } from "@/i18n";
import { emailTrouble } from "./email";
import styles from "./send.module.css";

type Props = {
  value: string;
  onChange: (value: string) => void;
  /** Whether to say what is wrong. */
  strict: boolean;
  onLeave: () => void;
  input: RefObject<HTMLInputElement | null>;
};

export function EmailField({ value, onChange, strict, onLeave, input }: Props) {
  const id = useId();
  const trouble = strict ? emailTrouble(value) : null;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{t("email.label")}</label>
      <input
        ref={input}
        id={id}
        type="email"
        name="user_email"
        autoComplete="email"
        required
        value={value}
        aria-invalid={trouble !== null}
        aria-describedby={`${id}-trouble`}
        onChange={(event) => onChange(event.target.value)}
        onBlur={() => {
          if (value.trim() !== "") onLeave();
        }}
      />
      <p id={`${id}-trouble`} className={`error ${styles.reserved}`} aria-live="polite">
        {trouble ?? ""}
      </p>
    </div>
  );
}
